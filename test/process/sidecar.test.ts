import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePorts } from '../conformance/free-ports.ts'

const MAIN = join(import.meta.dirname, '../../apps/sidecar/src/main.ts')

let folder: string
let cleanUp: (() => unknown)[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sidecar-'))
  cleanUp = []
})
afterEach(async () => {
  for (const step of cleanUp.reverse()) await step()
  rmSync(folder, { recursive: true })
})

interface Sidecar {
  child: ChildProcess
  stdout(): string
  stderr(): string
  /** Status and milliseconds until then. */
  ended: Promise<number | null>
}

function start(...args: string[]): Sidecar {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout!.on('data', chunk => {
    stdout += chunk
  })
  child.stderr!.on('data', chunk => {
    stderr += chunk
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  cleanUp.push(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, stdout: () => stdout, stderr: () => stderr, ended }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanUp.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

interface Mesh {
  sidecar: Sidecar
  /** Of the listener and of the admin port. */
  proxy: string
  admin: string
  /** Heads that the upstream received. */
  received: IncomingMessage[]
  spans: Record<string, unknown>[]
}

function bootstrap(ports: { proxy: number; admin: number; upstream: number; collector: number }): string {
  return `
node: {id: n1, cluster: front}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: ${ports.admin}}}}
layered_runtime: {layers: [{name: base, static_layer: {a.key: 5, tracing.zipkin.flush_interval_ms: 3600000}}, {name: admin, admin_layer: {}}]}
static_resources:
  listeners:
  - name: in
    traffic_direction: INBOUND
    address: {socket_address: {address: 127.0.0.1, port_value: ${ports.proxy}}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          tracing:
            provider:
              name: zipkin
              typed_config:
                "@type": type.googleapis.com/envoy.config.trace.v3.ZipkinConfig
                collector_cluster: zipkin
                collector_endpoint: /api/v2/spans
                collector_endpoint_version: HTTP_JSON
          access_log:
          - name: file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: ${folder}/access.log
          - name: stdout
            filter: {header_filter: {header: {name: x-log, string_match: {exact: stdout}}}}
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
              log_format: {text_format_source: {inline_string: "%REQ(:PATH)%\\n"}}
          route_config:
            name: routes
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - {match: {prefix: /}, route: {cluster: app}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
  - name: app
    load_assignment: {cluster_name: app, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: ${ports.upstream}}}}}]}]}
  - name: zipkin
    load_assignment: {cluster_name: zipkin, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: ${ports.collector}}}}}]}]}
`
}

/** client → sidecar → upstream, and a collector; the sidecar is ready. */
async function mesh(...flags: string[]): Promise<Mesh> {
  const received: IncomingMessage[] = []
  const spans: Record<string, unknown>[] = []
  const upstream = await listen(
    createServer((request, response) => {
      received.push(request)
      response.end('hello')
    }),
  )
  const collector = await listen(
    createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      spans.push(...JSON.parse(body))
      response.writeHead(202).end()
    }),
  )
  const [proxy, adminPort] = (await freePorts(2)) as [number, number]
  const ports = { proxy, admin: adminPort, upstream, collector }
  writeFileSync(join(folder, 'envoy.yaml'), bootstrap(ports))
  const sidecar = start('-c', 'envoy.yaml', '-l', 'error', ...flags)
  const admin = `http://127.0.0.1:${ports.admin}`
  const ready = expect.poll(() => status(`${admin}/ready`), { interval: 20 }).toBe(200)
  await Promise.race([
    ready,
    sidecar.ended.then(code => {
      throw new Error(`the sidecar ended with status ${code} before it was ready:\n${sidecar.stderr()}`)
    }),
  ])
  return { sidecar, proxy: `http://127.0.0.1:${ports.proxy}`, admin, received, spans }
}

async function status(url: string): Promise<number> {
  try {
    return (await fetch(url)).status
  } catch {
    return 0
  }
}

const text = async (url: string, init?: RequestInit) => (await fetch(url, init)).text()
const post = { method: 'POST' }

test('a request goes through; the admin port tells of it as Envoy does', async () => {
  const { admin, proxy, received } = await mesh()
  expect(await text(`${proxy}/x`)).toBe('hello')
  expect(received[0]!.headers).toMatchObject({ 'x-b3-sampled': '1', 'x-request-id': expect.stringMatching(/^.{14}9/) })

  const ready = await fetch(`${admin}/ready`)
  expect(await ready.text()).toBe('LIVE\n')
  expect(Object.fromEntries(ready.headers)).toMatchObject({
    'content-type': 'text/plain; charset=UTF-8',
    'cache-control': 'no-cache, max-age=0',
    'x-content-type-options': 'nosniff',
    server: 'envoy',
    'transfer-encoding': 'chunked',
  })
  expect(await text(`${admin}/stats?filter=cluster.app.upstream_rq_2`)).toBe(
    'cluster.app.upstream_rq_200: 1\ncluster.app.upstream_rq_2xx: 1\n',
  )
  expect(await text(`${admin}/stats/prometheus`)).toContain(
    'envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="app"} 1\n',
  )
  expect(await text(`${admin}/clusters`)).toContain('::rq_success::1\n')
  expect(await text(`${admin}/listeners`)).toBe(`in::${proxy.slice(7)}\n`)
  expect(JSON.parse(await text(`${admin}/server_info`))).toMatchObject({
    state: 'LIVE',
    node: { id: 'n1', cluster: 'front' },
    command_line_options: { config_path: 'envoy.yaml', log_level: 'error' },
  })
  const dump = JSON.parse(await text(`${admin}/config_dump`))
  expect(dump.configs.map((c: { '@type': string }) => c['@type'].split('.').at(-1))).toEqual([
    'BootstrapConfigDump',
    'ClustersConfigDump',
    'ListenersConfigDump',
    'ScopedRoutesConfigDump',
    'RoutesConfigDump',
    'SecretsConfigDump',
  ])
})

test('an access log on a stdout that is a socket, as below systemd', async () => {
  const { sidecar, admin, proxy } = await mesh('--file-flush-interval-msec', '20')
  const headers = { 'x-log': 'stdout' }
  await text(`${proxy}/first`, { headers })
  await expect.poll(() => sidecar.stdout()).toBe('/first\n')
  await text(`${admin}/reopen_logs`, post)
  await text(`${proxy}/second`, { headers })
  await expect.poll(() => sidecar.stdout()).toBe('/first\n/second\n')
})

test('the admin port refuses what Envoy refuses', async () => {
  const { admin } = await mesh()
  const reset = await fetch(`${admin}/reset_counters`)
  expect([reset.status, await reset.text()]).toEqual([405, 'Method GET not allowed, POST required.'])
  const nothing = await fetch(`${admin}/nope`)
  expect(nothing.status).toBe(404)
  expect(await nothing.text()).toMatch(/^invalid path\. admin commands are:\n {2}\/: Admin home page\n/)
  const filter = await fetch(`${admin}/stats?filter=%5B`)
  expect([filter.status, await filter.text()]).toEqual([400, 'Invalid re2 regex: missing ]: ['])
  expect(await status(`${admin}/stats?type=x`)).toBe(400)
})

test('runtime, health and counters can be changed while it runs', async () => {
  const { admin, proxy } = await mesh()
  expect(await text(`${admin}/runtime_modify?a.key=7&b=x`, post)).toBe('OK\n')
  expect(JSON.parse(await text(`${admin}/runtime`)).entries).toMatchObject({
    'a.key': { layer_values: ['5', '7'], final_value: '7' },
    b: { layer_values: ['', 'x'], final_value: 'x' },
  })
  await text(`${admin}/runtime_modify?a.key=`, post)
  expect(JSON.parse(await text(`${admin}/runtime`)).entries['a.key'].final_value).toBe('5')

  expect(await text(`${admin}/healthcheck/fail`, post)).toBe('OK\n')
  const draining = await fetch(`${admin}/ready`)
  expect([draining.status, await draining.text()]).toEqual([503, 'DRAINING\n'])
  expect(await text(`${proxy}/x`)).toBe('hello')
  await text(`${admin}/healthcheck/ok`, post)
  expect(await status(`${admin}/ready`)).toBe(200)

  await text(`${admin}/reset_counters`, post)
  expect(await text(`${admin}/stats?filter=app.upstream_rq_200`)).toBe('cluster.app.upstream_rq_200: 0\n')
})

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it, after buffered lines and spans are out', async signal => {
  const { sidecar, proxy, spans } = await mesh('--file-flush-interval-msec', '3600000')
  await text(`${proxy}/last?words`)
  expect(readFileSync(join(folder, 'access.log'), 'utf8')).toBe('')
  expect(spans).toEqual([])
  sidecar.child.kill(signal)
  expect(await sidecar.ended).toBe(0)
  expect(readFileSync(join(folder, 'access.log'), 'utf8')).toContain('"GET /last?words HTTP/1.1" 200 - 0 5 ')
  expect(spans).toMatchObject([{ kind: 'SERVER', shared: true, localEndpoint: { serviceName: 'front' } }])
})

test('quitquitquit is answered, then it ends with status 0', async () => {
  const { sidecar, admin } = await mesh()
  expect(await text(`${admin}/quitquitquit`, post)).toBe('OK\n')
  expect(await sidecar.ended).toBe(0)
})

/** On a connection of its own: the kernel deals connections out to workers. */
function alone(url: string): Promise<{ status: number | undefined; closes: boolean }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, headers: { connection: 'keep-alive' } }, response => {
      response.resume().on('end', () => {
        resolve({ status: response.statusCode, closes: response.headers.connection === 'close' })
        asked.destroy()
      })
    })
    asked.on('error', reject).end()
  })
}

const several = (times: number, url: string) => Promise.all(Array.from({ length: times }, () => alone(url)))

/** Processes that `pid` has started and that are there still. (Linux) */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)

test('two workers are one proxy to its clients, to the admin port and to signals', async () => {
  const { sidecar, admin, proxy, spans } = await mesh('--concurrency', '2')
  const answers = await several(40, `${proxy}/x`)
  expect(answers.every(({ status, closes }) => status === 200 && !closes)).toBe(true)
  const stat = async (filter: string) => (await text(`${admin}/stats?filter=${filter}`)).trim().split('\n').sort()
  expect(await stat('^cluster.app.upstream_rq_total$')).toEqual(['cluster.app.upstream_rq_total: 40'])
  expect(await stat('^cluster.app.membership_total$')).toEqual(['cluster.app.membership_total: 1'])
  expect(await stat('^server.concurrency$')).toEqual(['server.concurrency: 2'])
  const byWorker = (await stat('worker_\\d.downstream_cx_total')).map(line => Number(line.split(': ')[1]))
  expect(byWorker).toHaveLength(2)
  expect(Math.min(...byWorker)).toBeGreaterThan(0)
  expect(byWorker[0]! + byWorker[1]!).toBe(40)
  expect(await text(`${admin}/clusters`)).toContain('::rq_total::40\n')
  expect(await text(`${admin}/listeners`)).toBe(`in::${proxy.slice(7)}\n`)

  await text(`${admin}/runtime_modify?upstream.maintenance_mode.app=100`, post)
  expect((await several(20, proxy)).map(({ status }) => status)).toEqual(Array(20).fill(503))
  await text(`${admin}/runtime_modify?upstream.maintenance_mode.app=`, post)
  await text(`${admin}/healthcheck/fail`, post)
  expect((await several(20, proxy)).every(({ status, closes }) => status === 200 && closes)).toBe(true)
  await text(`${admin}/reset_counters`, post)
  expect(await stat('^cluster.app.upstream_rq_total$')).toEqual(['cluster.app.upstream_rq_total: 0'])

  sidecar.child.kill('SIGTERM')
  expect(await sidecar.ended).toBe(0)
  expect(readFileSync(join(folder, 'access.log'), 'utf8').trim().split('\n')).toHaveLength(80)
  expect(spans).toHaveLength(80)
})

test('a worker that dies takes all with it, and says so', async () => {
  const { sidecar, proxy } = await mesh('--concurrency', '2')
  const workers = childrenOf(sidecar.child.pid!)
  expect(workers).toHaveLength(2)
  process.kill(workers[0]!, 'SIGKILL')
  expect(await sidecar.ended).toBe(70)
  expect(sidecar.stderr()).toMatch(/worker \d has ended with SIGKILL/)
  await expect.poll(() => status(proxy)).toBe(0)
})

test('with workers a port in use is named, too, and nothing stays', async () => {
  const server = createTcpServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanUp.push(() => server.close())
  const { port } = server.address() as AddressInfo
  writeFileSync(join(folder, 'envoy.yaml'), bootstrap({ proxy: port, admin: 0, upstream: 1, collector: 1 }))
  const sidecar = start('-c', 'envoy.yaml', '-l', 'error', '--concurrency', '2')
  expect(await sidecar.ended).toBe(1)
  expect(sidecar.stderr()).toContain(`cannot bind '127.0.0.1:${port}': Address already in use`)
})

test('a malformed B3 header passes untouched and makes no span', async () => {
  const { sidecar, proxy, received, spans } = await mesh()
  expect(await text(`${proxy}/x`, { headers: { b3: 'nonsense' } })).toBe('hello')
  expect(received[0]!.headers.b3).toBe('nonsense')
  expect(received[0]!.headers).not.toHaveProperty('x-b3-traceid')
  sidecar.child.kill('SIGTERM')
  await sidecar.ended
  expect(spans).toEqual([])
})

test('names on the command line beat those of the file', async () => {
  const { admin } = await mesh('--service-cluster', 'back', '--service-node', 'n2')
  expect(JSON.parse(await text(`${admin}/server_info`)).node).toMatchObject({ id: 'n2', cluster: 'back' })
})

test('a file with several faults binds nothing and names all of them with their places', async () => {
  const [proxy, admin] = (await freePorts(2)) as [number, number]
  const file = bootstrap({ proxy, admin, upstream: 1, collector: 2 })
    .replace('stat_prefix: ingress', 'stat_prefx: ingress')
    .replace('route: {cluster: app}', 'route: {cluster: ap}')
  writeFileSync(join(folder, 'envoy.yaml'), file)
  for (const mode of ['serve', 'validate']) {
    const { ended, stdout, stderr } = start('-c', 'envoy.yaml', '--mode', mode)
    expect(await ended).toBe(1)
    expect(stdout()).toBe('')
    const problems = stderr().trim().split('\n')
    expect(problems.length).toBeGreaterThanOrEqual(2)
    for (const problem of problems) expect(problem).toMatch(/^envoy\.yaml:\d+:\d+: static_resources\.\S+: /)
    expect(stderr()).toContain('stat_prefx')
    expect(stderr()).toContain("'ap'")
  }
})

test('--mode validate says what Envoy says of a good file', async () => {
  writeFileSync(join(folder, 'envoy.yaml'), bootstrap({ proxy: 1, admin: 2, upstream: 3, collector: 4 }))
  const { ended, stdout } = start('-c', 'envoy.yaml', '--mode', 'validate')
  expect(await ended).toBe(0)
  expect(stdout()).toBe("configuration 'envoy.yaml' OK\n")
})

test.each(['proxy', 'admin'] as const)('a port in use (%s) is named; nothing stays bound', async which => {
  const taken = await listen(createServer())
  const [other] = (await freePorts(1)) as [number]
  const ports = which === 'proxy' ? { proxy: taken, admin: other } : { proxy: other, admin: taken }
  writeFileSync(join(folder, 'envoy.yaml'), bootstrap({ ...ports, upstream: 1, collector: 2 }))
  const { ended, stderr } = start('-c', 'envoy.yaml', '-l', 'error')
  expect(await ended).toBe(1)
  expect(stderr()).toContain(`cannot bind '127.0.0.1:${taken}': Address already in use`)
})

test('a flag that is none is named', async () => {
  const { ended, stderr } = start('--nope')
  expect(await ended).toBe(1)
  expect(stderr()).toBe('unknown flag --nope: --help lists those there are\n')
})
