import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { startProcessMesh } from '../../apps/cli/src/mesh/process-mesh.ts'
import { readScenario } from '../../apps/cli/src/scenario/read-scenario.ts'

/** What goes wrong in the hands of a person: a clear word, no stack, nothing left running. */
const cli = join(import.meta.dirname, '../../apps/cli/src/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'bad-use-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function hopscope(...args: string[]) {
  const run = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', timeout: 120_000 })
  expect(run.stderr).not.toMatch(/^\s+at /m)
  return { code: run.status, said: run.stdout + run.stderr }
}

test.skipIf(hasDocker())('a mesh that cannot start: a failed step in the report, and the others come', () => {
  const report = join(folder, 'report.xml')
  const { code, said } = hopscope('verify', '01', '02', '--docker', '--junit', report)
  expect(code).toBe(1)
  expect(said).toContain('2 scenarios: 0 steps passed, 2 failed, 0 skipped')
  expect(readFileSync(report, 'utf8').match(/no Docker engine answers/g)).toHaveLength(4)
})

function hasDocker(): boolean {
  return spawnSync('docker', ['version'], { stdio: 'ignore' }).status === 0
}

test('an unknown scenario', () => {
  const { code, said } = hopscope('up', '04-broken-propagatoin')
  expect(code).toBe(1)
  expect(said).toContain('there is no scenario 04-broken-propagatoin, did you mean 04-broken-propagation?')
  expect(said).toContain('01-single-hop')
})

test('an unknown knob, and a value that it does not have', () => {
  expect(hopscope('up', '04', '--set', 'foward=none').said).toContain('has no knob foward, did you mean forward?')
  expect(hopscope('up', '04', '--set', 'forward=some').said).toContain('knob forward is one of all, none, request-id')
})

test.each(['0', '1.5', 'often'])('verify --repeat %s', times => {
  expect(hopscope('verify', '02', '--repeat', times)).toEqual({
    code: 1,
    said: `hopscope: --repeat: expected a whole number from 1 to 1000, got ${times}\n`,
  })
})

test('an unknown command, an unknown option', () => {
  expect(hopscope('upp').said).toContain("unknown command 'upp'")
  expect(hopscope('verify', '--prox').code).toBe(1)
})

test('an Envoy file with mistakes', () => {
  const file = join(folder, 'typo.yaml')
  writeFileSync(
    file,
    'static_resources:\n  clusters:\n    - name: a\n      connect_timeot: 1s\n      lb_policy: CLUSTER_PROVIDED\n',
  )
  const { code, said } = hopscope('validate', file)
  expect(code).toBe(1)
  expect(said).toMatch(/typo\.yaml:4:7: static_resources\.clusters\[0\]\.connect_timeot: .*connect_timeout/)
  expect(said).toMatch(/typo\.yaml:5:\d+: static_resources\.clusters\[0\]\.lb_policy: .*supports /)
})

test('a good Envoy file is called what Envoy calls it', () => {
  const file = join(import.meta.dirname, '../../scenarios/01-single-hop/envoy/client.yaml')
  const { code, said } = hopscope('validate', file)
  expect(said).toBe(`configuration '${file}' OK\n`)
  expect(code).toBe(0)
})

test('a taken port is named, with who has it', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const file = compose(
    `  collector:\n    command: [apps/collector/src/main.ts]\n    ports: ["127.0.0.1:${port}:9411"]\n`,
  )
  await expect(start(file, 'fixed')).rejects.toThrow(
    new RegExp(`^port ${port} of collector is taken by .*pid ${process.pid}`),
  )
  server.close()
})

test('a service that dies at start: its last words, and nothing is left', async () => {
  const file = compose(
    '  service:\n    command: [apps/service/src/main.ts]\n    environment: { NAME: a, LISTEN_ADDR: "127.0.0.1:8080" }\n' +
      '  broken:\n    command: [apps/sidecar/src/main.ts, -c, /etc/envoy.yaml]\n    volumes: ["./broken.yaml:/etc/envoy.yaml:ro"]\n',
  )
  writeFileSync(
    join(folder, 'broken.yaml'),
    'admin: { address: { socket_address: { address: 127.0.0.1, port_value: 15000 } } }\nnope: 1\n',
  )
  await expect(start(file)).rejects.toThrow(/^broken does not start, its file is wrong:\n {2}.*broken\.yaml:2:1: nope/)
  expect(children()).toEqual([])
})

test('a service that says no to its environment: its last words, and the others end', async () => {
  const file = compose(
    '  good:\n    command: [apps/service/src/main.ts]\n    environment: { NAME: good }\n' +
      '  bad:\n    command: [apps/service/src/main.ts]\n    environment: { NAME: bad, TIMING_50_PERCENTILE: soon }\n',
  )
  await expect(start(file)).rejects.toThrow(
    /^bad ended with exit code 64\. Its last words:\n {2}bad \| service: TIMING_50_PERCENTILE.*soon/,
  )
  expect(children()).toEqual([])
})

test('a compose key that is not understood', async () => {
  const file = compose('  a:\n    command: [apps/service/src/main.ts]\n    privileged: true\n')
  await expect(start(file)).rejects.toThrow('4:5: services.a.privileged: this key is not supported without Docker')
})

test('a scenario.yaml with mistakes names all of them', () => {
  mkdirSync(join(folder, 'scenario'), { recursive: true })
  const file = join(folder, 'scenario/scenario.yaml')
  writeFileSync(
    file,
    'title: T\nteaches: t\nentry: { service: a, port: 1 }\nsteps:\n  - name: one\n    calls: { path: / }\n    expect: { satus: { 200: 1 }, stats: { a: { b: many } } }\n  - name: two\n    knobs: { x: y }\n',
  )
  expect(() => readScenario(file)).toThrow(/7:15: steps\[0\]\.expect\.satus: unknown field, did you mean status\?/)
  expect(() => readScenario(file)).toThrow(
    /steps\[0\]\.expect\.stats\.a\.b: expected a number, ">= N", "<= N" or "N\.\.M", got "many"/,
  )
  expect(() => readScenario(file)).toThrow(/9:14: steps\[1\]\.knobs\.x: there is no knob x/)
})

const started: ChildProcess[] = []
afterEach(() => {
  for (const child of started.splice(0)) if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
})

test.each([
  ['up, as soon as it says that it starts,', ['up', '02'], /starting/],
  ['up, when it is ready,', ['up', '02'], /viewer {3}http/],
  ['verify, as soon as it says that it starts,', ['verify', '01', '02'], /starting/],
  ['verify, between two steps,', ['verify', '01', '02'], /✓/],
  ['compare, as soon as it says that it starts,', ['compare', '05'], /starting/],
])('Ctrl-C of %s leaves nothing running', async (_when, args, sign) => {
  const { child, output } = watched(...args)
  await output(sign)
  const ended = once(child, 'close')
  child.kill('SIGINT')
  await ended
  const said = await output(/./)
  expect(said).not.toMatch(/^\s+at /m)
  expect(said).not.toContain('02-both-sides  Both sides')
  expect(processesOf(`run/${child.pid}-`)).toEqual([])
})

test('Ctrl-C of compare, in the middle of its calls, leaves nothing running', async () => {
  const { child, output } = watched('compare', '05', '--calls', '100000')
  const runs = join(checkout, '.hopscope/run')
  const called = () =>
    readdirSync(runs)
      .filter(name => name.startsWith(`${child.pid}-`))
      .filter(name => textOf(join(runs, name, 'logs/a-sidecar.log')).includes('"GET / HTTP/1.1" 200'))
  // Two of the three forms go through a sidecar of a.
  await expect.poll(() => called().length).toBe(2)
  const ended = once(child, 'close')
  child.kill('SIGINT')
  expect(await ended).toEqual([130, null])
  expect(await output(/./)).not.toMatch(/^\s+at /m)
  expect(processesOf(`run/${child.pid}-`)).toEqual([])
  expect(readdirSync(runs).filter(name => name.startsWith(`${child.pid}-`))).toEqual([])
})

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

test('a service that dies in the middle of it: the step says who, and with which last words', async () => {
  const own = join(folder, 'held')
  mkdirSync(own)
  writeFileSync(
    join(own, 'scenario.yaml'),
    `title: T
teaches: t
compose: ${join(checkout, 'scenarios/02-both-sides/compose.yaml')}
entry: { service: client-sidecar, port: 15001, path: / }
steps:
  - { name: answered, calls: { path: / }, expect: { status: { 200: 1 } } }
  - { name: held at a gate, calls: { path: /gate/a }, expect: { status: { 200: 1 } } }
`,
  )
  const { child, output } = watched('verify', own)
  await output(/✓ answered/)
  process.kill(pidOf('orders', child.pid!), 'SIGKILL')
  const [code] = await once(child, 'close')
  expect(code).toBe(1)
  const said = await output(/1 of 2 passed/)
  expect(said).toMatch(
    /✗ held at a gate.*\n +orders ended by SIGKILL\. Its last words:\n +orders \| orders listening on/,
  )
  expect(processesOf(`run/${child.pid}-`)).toEqual([])
})

test('a service that dies under a mesh that is up: said at once, and the others go on', async () => {
  const { child, output } = watched('up', '02')
  const [, entry] = /entry {4}(\S+)/.exec(await output(/end {6}Ctrl-C/))!
  process.kill(pidOf('orders', child.pid!), 'SIGKILL')
  await output(/orders ended by SIGKILL/)
  expect((await fetch(`${entry}/`)).status).toBe(503)
  child.kill('SIGINT')
  await once(child, 'close')
  expect(processesOf(`run/${child.pid}-`)).toEqual([])
})

test('two at once do not meet', async () => {
  const meshes = [watched('up', '02'), watched('up', '02')]
  const entries = await Promise.all(
    meshes.map(async ({ output }) => /entry {4}(\S+)/.exec(await output(/end {6}Ctrl-C/))![1]!),
  )
  expect(new Set(entries).size).toBe(2)
  for (const entry of entries) expect((await fetch(`${entry}/`)).status).toBe(200)
  meshes[0]!.child.kill('SIGINT')
  await once(meshes[0]!.child, 'close')
  expect((await fetch(`${entries[1]}/`)).status).toBe(200)
  meshes[1]!.child.kill('SIGINT')
  await once(meshes[1]!.child, 'close')
  for (const { child } of meshes) expect(processesOf(`run/${child.pid}-`)).toEqual([])
})

test('a published port that is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const own = join(folder, 'taken')
  mkdirSync(own)
  writeFileSync(
    join(own, 'scenario.yaml'),
    'title: T\nteaches: t\nentry: { service: collector, port: 9411 }\nsteps: []\n',
  )
  writeFileSync(
    join(own, 'compose.yaml'),
    `services:\n  collector:\n    command: [apps/collector/src/main.ts]\n    ports: ["127.0.0.1:${port}:9411"]\n`,
  )
  const { code, said } = await new Promise<{ code: number | null; said: string }>(resolve => {
    const { child, output } = watched('up', own, '--ports', 'fixed')
    child.on('close', async code => resolve({ code, said: await output(/./) }))
  })
  server.close()
  expect(code).toBe(1)
  expect(said).toMatch(new RegExp(`hopscope: port ${port} of collector is taken by .*pid ${process.pid}`))
})

/** A mount of its own for one run: as root, or where users may have namespaces. */
const unshare = [[], ['-r']].find(
  more => spawnSync('unshare', [...more, '-m', 'true'], { stdio: 'ignore' }).status === 0,
)

function inOwnMounts(script: string) {
  const run = spawnSync('unshare', [...unshare!, '-m', 'sh', '-ec', script], { encoding: 'utf8', timeout: 120_000 })
  const said = run.stdout + run.stderr
  expect(said).not.toMatch(/^\s+at /m)
  return { code: run.status, said }
}

const checkout = join(import.meta.dirname, '../..')

test.skipIf(unshare === undefined)('a read-only checkout is enough (needs unshare)', () => {
  const { code, said } = inOwnMounts(
    `mount --bind ${checkout} ${checkout}; mount -o remount,ro,bind ${checkout}; ${process.execPath} ${cli} verify 02`,
  )
  expect(code, said).toBe(0)
  expect(said).toContain('2 of 2 passed')
})

test.skipIf(unshare === undefined)('a full disk is told, and everything ended (needs unshare)', () => {
  const run = join(checkout, '.hopscope/run')
  mkdirSync(run, { recursive: true })
  const { code, said } = inOwnMounts(`mount -t tmpfs -o size=16k tmpfs ${run}; ${process.execPath} ${cli} verify 02`)
  expect(code, said).toBe(1)
  expect(said).toMatch(/cannot write .*: there is no space left on the disk/)
})

/** The command, and what it says, as soon as it says it. */
function watched(...args: string[]): { child: ChildProcess; output(sign: RegExp): Promise<string> } {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(child)
  let said = ''
  const waiting: [RegExp, (said: string) => void][] = []
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', chunk => {
      said += chunk
      for (const [sign, resolve] of waiting) if (sign.test(said)) resolve(said)
    })
  }
  const output = (sign: RegExp) =>
    sign.test(said) ? Promise.resolve(said) : new Promise<string>(resolve => waiting.push([sign, resolve]))
  return { child, output }
}

function pidOf(name: string, parent: number): number {
  for (const pid of readdirSync('/proc').filter(one => /^\d+$/.test(one))) {
    try {
      const isChild = readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nPPid:\t${parent}\n`)
      if (isChild && readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`NAME=${name}`))
        return Number(pid)
    } catch {
      // ended meanwhile
    }
  }
  throw new Error(`${name} does not run`)
}

function compose(services: string): string {
  const file = join(folder, 'compose.yaml')
  writeFileSync(file, `services:\n${services}`)
  return file
}

function start(composeFile: string, ports: 'free' | 'fixed' = 'free') {
  return startProcessMesh({ composeFile, variables: {}, proxy: 'hopscope', ports, progress: () => {} })
}

/** Processes that this one has started and that still run apps. */
function children(): string[] {
  return processesOf(join(import.meta.dirname, '../../apps/')).filter(line => line.includes(`ppid ${process.pid} `))
}

function processesOf(text: string): string[] {
  const found: string[] = []
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
      const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      if (command.includes(text) || environment.includes(text)) found.push(`ppid ${parent} ${command}`)
    } catch {
      // ended meanwhile
    }
  }
  return found
}
