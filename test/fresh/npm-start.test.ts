import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

/**
 * What a newcomer does: a clone in an empty folder, `npm start`, a look at the traces, Ctrl-C; then once more. With empty
 * npm and pnpm caches and the Node that the machine has, however old.
 */
const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'hopscope-fresh-'))
const clone = join(folder, 'hopscope')
let mesh: ChildProcess | undefined

beforeAll(() => {
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, clone])
})

afterAll(() => {
  if (mesh?.pid !== undefined && mesh.exitCode === null) process.kill(-mesh.pid, 'SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

test('npm start in a fresh clone runs the tour, its traces are there, Ctrl-C ends all of it', async () => {
  const first = await start()
  console.log(`first start: viewer after ${(first.after / 1000).toFixed(1)} s`)

  const asked = Date.now()
  const services = await eventually(async () => {
    const answer = await fetch(new URL('/api/v2/traces?limit=10', first.address))
    const traces = (await answer.json()) as { localEndpoint?: { serviceName?: string } }[][]
    const names = new Set(traces.flat().map(span => span.localEndpoint?.serviceName))
    return names.size >= 5 ? names : undefined
  })
  console.log(`traces of ${[...services].join(', ')} ${((Date.now() - asked) / 1000).toFixed(1)} s later`)
  const page = await fetch(first.address)
  expect(page.status).toBe(200)
  expect(await page.text()).toContain('<title>Hopscope')

  await interrupt()
  expect(processesOfTheClone()).toEqual([])
})

test('a second npm start installs nothing and ends as well on SIGTERM', async () => {
  const second = await start()
  console.log(`second start: viewer after ${(second.after / 1000).toFixed(1)} s`)
  expect(second.said).not.toContain('installing')
  mesh!.kill('SIGTERM')
  await ended()
  expect(processesOfTheClone()).toEqual([])
})

async function start(): Promise<{ address: string; after: number; said: string }> {
  const began = Date.now()
  const child = spawn('npm', ['start'], {
    cwd: clone,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      // The machine's own Node and no caches of earlier runs.
      PATH: process.env
        .PATH!.split(':')
        .filter(entry => !entry.startsWith(root))
        .join(':'),
      npm_config_cache: join(folder, 'npm-cache'),
      XDG_DATA_HOME: join(folder, 'data'),
      XDG_CACHE_HOME: join(folder, 'cache'),
    },
  })
  mesh = child
  let said = ''
  child.stdout!.on('data', chunk => {
    said += chunk
  })
  child.stderr!.on('data', chunk => {
    said += chunk
  })
  const address = await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}:\n${said}`)
    return /http:\/\/\S+\/zipkin\//.exec(said)?.[0]
  }, 400_000).catch(error => {
    throw new Error(`${error.message}\n${said}`)
  })
  return { address, after: Date.now() - began, said }
}

/** Ctrl-C: SIGINT to the whole foreground group, as a terminal sends it. */
async function interrupt(): Promise<void> {
  process.kill(-mesh!.pid!, 'SIGINT')
  await ended()
}

async function ended(): Promise<void> {
  await eventually(async () => (mesh!.exitCode !== null || mesh!.signalCode !== null ? true : undefined), 60_000)
  await eventually(async () => (processesOfTheClone().length === 0 ? true : undefined), 60_000).catch(() => {})
}

/** Command lines of processes that run in the clone or from a file of it. */
function processesOfTheClone(): string[] {
  const found: string[] = []
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      if (command.includes(clone) || readlinkSync(`/proc/${pid}/cwd`).startsWith(clone)) found.push(`${pid} ${command}`)
    } catch {
      // ended meanwhile
    }
  }
  return found
}

async function eventually<T>(look: () => Promise<T | undefined>, patience = 60_000): Promise<T> {
  const deadline = Date.now() + patience
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`not in ${patience} ms`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
