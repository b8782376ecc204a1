import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { dockerHere } from './compose.ts'

/** Ctrl-C at every stage of a mesh in containers: a terminal sends it to whoever runs in front, the compose command as well. */
const cli = join(import.meta.dirname, '../../apps/cli/src/main.ts')

const running: ChildProcess[] = []
afterEach(() => {
  for (const child of running.splice(0)) if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
})

test.skipIf(!dockerHere).each([
  ['up, before anything is there,', ['up', '02'], /building the image/, 130],
  ['up, while containers start,', ['up', '02'], 'container', 130],
  ['up, when it is ready,', ['up', '02'], /viewer {3}http/, 0],
  ['verify, between two steps,', ['verify', '02', '04'], /✓/, 130],
] as const)('Ctrl-C of %s leaves no container and no network', async (_when, args, sign, code) => {
  const child = spawn(process.execPath, [cli, ...args, '--docker'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  running.push(child)
  const ofProject = (kind: 'container' | 'network', field: string) => {
    const all = kind === 'container' ? ['--all'] : []
    return execFileSync('docker', [kind, 'ls', ...all, '--format', `{{.${field}}}`], { encoding: 'utf8' })
      .split('\n')
      .filter(name => name.startsWith(`hopscope-${child.pid}-`))
  }
  let said = ''
  const seen = new Promise<void>(resolve => {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', chunk => {
        said += chunk
        if (typeof sign !== 'string' && sign.test(said)) resolve()
      })
    }
  })
  const ended = once(child, 'close')
  if (sign === 'container')
    await expect.poll(() => ofProject('container', 'Names').length, { timeout: 300_000 }).toBeGreaterThan(0)
  else await Promise.race([seen, ended])
  expect(child.exitCode, said).toBe(null)
  process.kill(-child.pid!, 'SIGINT')
  await ended
  if (sign !== 'container') expect(said).toMatch(sign)
  expect(child.exitCode, said).toBe(code)
  expect(said).not.toMatch(/^\s+at /m)
  expect(said).not.toContain('04-broken-propagation')
  expect(ofProject('container', 'Names')).toEqual([])
  expect(ofProject('network', 'Name')).toEqual([])
})
