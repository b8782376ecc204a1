import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { loadBootstrap } from '@hopscope/envoy-config'
import { afterEach, expect, test } from 'vitest'
import { createAccessLogs } from '../access-log/create-access-logs.ts'
import { createProxy } from '../proxy.ts'
import { Runtime } from '../runtime.ts'
import { Stats } from '../stats/stats.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Try {
  response: ServerResponse
  /** Its connection is closed. */
  gone: Promise<void>
}

/** A proxy that hedges, in front of an upstream that gets all tries of a request before it answers any. */
async function hedgedRequest(count: number, onTries: (tries: Try[]) => void) {
  const tries: Try[] = []
  const server = createServer((request, response) => {
    const gone = new Promise<void>(resolve => request.socket.once('close', resolve))
    tries.push({ response, gone })
    if (tries.length === count) onTries(tries)
  }).listen(0, '127.0.0.1')
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise(resolve => server.once('listening', resolve))
  const loaded = loadBootstrap({
    yaml: `
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          http_filters: [{name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
          route_config:
            virtual_hosts:
            - name: v
              domains: ["*"]
              routes:
              - match: {prefix: /}
                route:
                  cluster: a
                  timeout: 0s
                  hedge_policy: {hedge_on_per_try_timeout: true}
                  retry_policy: {retry_on: 5xx, num_retries: ${count - 1}, per_try_timeout: 0.02s, retry_back_off: {base_interval: 0.001s}}
  clusters:
  - name: a
    load_assignment: {cluster_name: a, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: ${(server.address() as AddressInfo).port}}}}}]}]}
`,
  })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const stats = new Stats()
  const proxy = createProxy({
    node: loaded.bootstrap.node,
    stats,
    runtime: new Runtime([]),
    accessLogs: createAccessLogs({ flushInterval: 100, stats, onError() {} }),
    random: () => 0,
  })
  await proxy.apply(loaded.bootstrap.snapshot)
  closers.push(() => proxy.close())
  const answer = await new Promise<string>(resolve => {
    let got = ''
    const socket = connect(proxy.listeners()[0]!.port, '127.0.0.1', () => {
      socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    })
    socket.on('data', data => {
      got += data.toString('latin1')
    })
    socket.on('close', () => resolve(got))
  })
  return { answer, tries, counter: (name: string) => stats.counter(`cluster.a.${name}`).value }
}

test('a try that takes too long is waited for beside the next: the first answer counts, the other is given up', async () => {
  const { answer, tries, counter } = await hedgedRequest(2, ([, second]) => second!.response.end('second'))
  expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*second/)
  await tries[0]!.gone
  expect([counter('upstream_rq_retry'), counter('upstream_rq_total'), counter('upstream_rq_200')]).toEqual([1, 2, 1])
})

test('the slow try may be the one that answers first', async () => {
  const { answer, tries } = await hedgedRequest(3, ([, second]) => second!.response.end('second of three'))
  expect(answer).toContain('second of three')
  await Promise.all([tries[0]!.gone, tries[2]!.gone])
})

test('an answer that would be tried again is not passed on while another is awaited', async () => {
  const { answer } = await hedgedRequest(2, async ([first, second]) => {
    second!.response.writeHead(503).end('bad')
    await new Promise(resolve => second!.response.once('finish', resolve))
    first!.response.end('good')
  })
  expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*good/)
})

test('when all answers are bad the last one is passed on', async () => {
  const { answer, counter } = await hedgedRequest(2, async ([first, second]) => {
    second!.response.writeHead(503).end('bad')
    await new Promise(resolve => second!.response.once('finish', resolve))
    first!.response.writeHead(503).end('worse')
  })
  expect(answer).toMatch(/^HTTP\/1\.1 503 /)
  expect(counter('upstream_rq_5xx')).toBe(1)
})
