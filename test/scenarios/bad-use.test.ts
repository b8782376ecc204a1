import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
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
  const run = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', timeout: 30_000 })
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
  expect(said).toMatch(/typo\.yaml:5:\d+: static_resources\.clusters\[0\]\.lb_policy: .*supports only /)
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
  await expect(start(file)).rejects.toThrow(/^broken ended with exit code 1\. Its last words:\n.*\n?.*nope/)
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

let running: ChildProcess | undefined
afterEach(() => {
  if (running?.pid !== undefined && running.exitCode === null && running.signalCode === null) running.kill('SIGKILL')
})

test.each([
  ['up, as soon as it says that it starts,', ['up', '02'], /starting/],
  ['up, when it is ready,', ['up', '02'], /viewer {3}http/],
  ['verify, as soon as it says that it starts,', ['verify', '01', '02'], /starting/],
  ['verify, between two steps,', ['verify', '01', '02'], /✓/],
])('Ctrl-C of %s leaves nothing running', async (_when, args, sign) => {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  running = child
  let said = ''
  const saw = new Promise<void>(resolve => {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', chunk => {
        said += chunk
        if (sign.test(said)) resolve()
      })
    }
  })
  await saw
  const ended = new Promise(resolve => child.on('close', resolve))
  child.kill('SIGINT')
  await ended
  expect(said).not.toMatch(/^\s+at /m)
  expect(said).not.toContain('02-both-sides  Both sides')
  expect(processesOf(`run/${child.pid}-`)).toEqual([])
})

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
