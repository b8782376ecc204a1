import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const cli = join(import.meta.dirname, '../../apps/cli/src/main.ts')

function hopscope(...args: string[]) {
  const run = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', timeout: 120_000 })
  return { code: run.status, said: run.stdout + run.stderr }
}

afterAll(() => {
  hopscope('down')
})

test('a mesh in the background: up, ps, logs, a second up, down', async () => {
  const up = hopscope('up', '02', '--detach')
  expect(up.code, up.said).toBe(0)
  const entry = /entry {4}(\S+)/.exec(up.said)?.[1]
  expect((await fetch(`${entry}/`)).status).toBe(200)

  expect(hopscope('ps').said).toMatch(/^02-both-sides\n {2}collector +\d+ {2}\d+ MB\n/)
  expect(hopscope('logs', 'collector').said).toContain('collector: http://')
  expect(hopscope('logs', 'colector').said).toContain('there is no service colector, did you mean collector?')
  expect(hopscope('up', '01', '--detach').said).toContain('02-both-sides runs already')

  expect(hopscope('down').said).toContain('02-both-sides has ended')
  await expect(fetch(`${entry}/`)).rejects.toThrow()
  const { code, said } = hopscope('down')
  expect(code).toBe(1)
  expect(said).toMatch(/no detached mesh runs: |is not detached: /)
})

test('a mesh in another terminal: ps and logs know it, down leaves it alone', async () => {
  const child = spawn(process.execPath, [cli, 'up', '02'], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    let said = ''
    for await (const chunk of child.stdout) {
      said += chunk
      if (said.includes('Ctrl-C')) break
    }
    expect(hopscope('ps').said).toMatch(/^02-both-sides\n {2}collector +\d+ {2}\d+ MB\n/)
    expect(hopscope('logs', 'orders').said).toContain('orders listening on')
    expect(hopscope('down')).toEqual({
      code: 1,
      said: `hopscope: 02-both-sides is not detached: Ctrl-C in its terminal ends it (pid ${child.pid})\n`,
    })
  } finally {
    child.kill('SIGINT')
    await once(child, 'close')
  }
})

test('what does not start says why', () => {
  const { code, said } = hopscope('up', '04', '--detach', '--set', 'forward=some')
  expect(code).toBe(1)
  expect(said).toContain('knob forward is one of all, none, request-id')
})
