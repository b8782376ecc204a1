import { expect, test } from 'vitest'
import { type ClusterStatus, clustersPage } from './clusters-page.ts'
import { configDump } from './config-dump.ts'
import { homePage, statsHtml } from './home-page.ts'
import { listenersPage } from './listeners-page.ts'
import { compileFilter } from './stats-pages.ts'

const limits = {
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 1024,
  maxRetries: 3,
  trackRemaining: false,
}
const cluster: ClusterStatus = {
  name: 'zipkin',
  observabilityName: 'zipkin',
  thresholds: { default: limits, high: limits },
  successRates: undefined,
  hosts: [
    {
      address: '127.0.0.1',
      port: 29_906,
      isPipe: false,
      isCanary: false,
      hostname: '',
      weight: 1,
      priority: 0,
      locality: { region: '', zone: '', subZone: '' },
      cxActive: 2,
      cxConnectFail: 0,
      cxTotal: 2,
      rqActive: 0,
      rqError: 0,
      rqPendingActive: 0,
      rqSuccess: 7,
      rqTimeout: 0,
      rqTotal: 7,
      ejected: false,
      edsHealth: 'UNKNOWN',
      successRate: -1,
      localOriginSuccessRate: -1,
      checks: {
        failed: false,
        timedOut: false,
        degraded: false,
        pending: false,
        excluded: false,
        pendingRemoval: false,
      },
    },
  ],
}
const query = (text = '') => new URLSearchParams(text)

// Envoy 1.40's own answer for a cluster in this state.
test('/clusters as text', () => {
  const host = 'zipkin::127.0.0.1:29906'
  expect(clustersPage([cluster], query()).body.trim().split('\n')).toEqual([
    'zipkin::observability_name::zipkin',
    'zipkin::default_priority::max_connections::1024',
    'zipkin::default_priority::max_pending_requests::1024',
    'zipkin::default_priority::max_requests::1024',
    'zipkin::default_priority::max_retries::3',
    'zipkin::high_priority::max_connections::1024',
    'zipkin::high_priority::max_pending_requests::1024',
    'zipkin::high_priority::max_requests::1024',
    'zipkin::high_priority::max_retries::3',
    'zipkin::added_via_api::false',
    `${host}::cx_active::2`,
    `${host}::cx_connect_fail::0`,
    `${host}::cx_total::2`,
    `${host}::rq_active::0`,
    `${host}::rq_error::0`,
    `${host}::rq_pending_active::0`,
    `${host}::rq_success::7`,
    `${host}::rq_timeout::0`,
    `${host}::rq_total::7`,
    `${host}::hostname::`,
    `${host}::health_flags::healthy`,
    `${host}::weight::1`,
    `${host}::region::`,
    `${host}::zone::`,
    `${host}::sub_zone::`,
    `${host}::canary::false`,
    `${host}::priority::0`,
    `${host}::success_rate::-1`,
    `${host}::local_origin_success_rate::-1`,
  ])
})

test('/clusters as JSON leaves zeros out, as proto3 does', () => {
  const status = JSON.parse(clustersPage([cluster], query('format=json')).body).cluster_statuses[0]
  expect(status.host_statuses[0]).toEqual({
    address: { socket_address: { address: '127.0.0.1', port_value: 29_906 } },
    stats: [
      { name: 'cx_connect_fail' },
      { value: '2', name: 'cx_total' },
      { name: 'rq_error' },
      { value: '7', name: 'rq_success' },
      { name: 'rq_timeout' },
      { value: '7', name: 'rq_total' },
      { type: 'GAUGE', value: '2', name: 'cx_active' },
      { type: 'GAUGE', name: 'rq_active' },
      { type: 'GAUGE', name: 'rq_pending_active' },
    ],
    health_status: { eds_health_status: 'HEALTHY' },
    weight: 1,
    locality: {},
  })
  expect(status.circuit_breakers.thresholds[1]).toMatchObject({ priority: 'HIGH', max_retries: 3 })
})

test('/clusters takes a filter', () => {
  expect(clustersPage([cluster], query('filter=^zip')).body).not.toBe('')
  expect(clustersPage([cluster], query('filter=^kin')).body).toBe('')
  expect(clustersPage([cluster], query('filter=(')).status).toBe(400)
})

test('/listeners', () => {
  const listeners = [
    { name: 'out', address: { address: '127.0.0.1', port: 80 } },
    { name: 'six', address: { address: '::1', port: 81 } },
  ]
  expect(listenersPage(listeners, query()).body).toBe('out::127.0.0.1:80\nsix::[::1]:81\n')
  expect(listenersPage(listeners.slice(0, 1), query('format=json')).body).toBe(
    '{\n "listener_statuses": [\n  {\n   "name": "out",\n   "local_address": {\n    "socket_address": {\n     "address": "127.0.0.1",\n     "port_value": 80\n    }\n   }\n  }\n ]\n}\n',
  )
})

test('/config_dump: whole, one resource, by name', () => {
  const route_config = { name: 'rc', virtual_hosts: [] }
  const source = {
    static_resources: {
      clusters: [{ name: 'a' }, { name: 'b' }],
      listeners: [{ name: 'l', filter_chains: [{ filters: [{ name: 'hcm', typed_config: { route_config } }] }] }],
    },
  }
  const dump = (text: string) => JSON.parse(configDump(source, new Date(0), [cluster], query(text)).body).configs
  expect(dump('')[1].static_clusters).toEqual([
    {
      cluster: { '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster', name: 'a' },
      last_updated: '1970-01-01T00:00:00.000Z',
    },
    {
      cluster: { '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster', name: 'b' },
      last_updated: '1970-01-01T00:00:00.000Z',
    },
  ])
  expect(dump('resource=static_route_configs')[0].route_config).toMatchObject(route_config)
  expect(dump('resource=static_clusters&name_regex=b')).toHaveLength(1)
  expect(configDump(source, new Date(), [cluster], query('resource=bogus'))).toEqual({
    status: 404,
    type: 'bare',
    body: 'bogus not found in config dump',
  })
  expect(configDump(source, new Date(), [cluster], query('resource=toString')).status).toBe(404)
})

test('what is wrong with a pattern is said in the words of RE2', () => {
  expect(compileFilter('[')).toBe('Invalid re2 regex: missing ]: [')
  expect(compileFilter('a(b')).toBe('Invalid re2 regex: missing ): a(b')
  expect(compileFilter('^a.*')).toMatchObject({ test: expect.any(Function) })
})

test('names that a mesh brings are text on the home page and among the stats', async () => {
  const name = '<script>alert(1)</script>"\''
  const page = { path: '/x', help: name, handle: () => ({ body: '' }) }
  const home = await homePage('hopscope', () => [page]).handle({ query: query(), form: query() })
  for (const html of [home.body, statsHtml(`cluster.${name}.x: 1\n`, new URLSearchParams({ filter: name }))]) {
    expect(html).not.toMatch(/<script|"'/)
    expect(html).toContain('&#60;script&#62;alert(1)')
  }
})
