import { type Case, get, request } from '../harness/case.ts'
import { ok, sequence, status } from '../harness/upstream.ts'
import { filter } from './filter-configs.ts'

const check = (fields: Record<string, unknown> = {}) => [
  filter('health_check', 'health_check.v3.HealthCheck', {
    pass_through_mode: false,
    headers: [{ name: ':path', string_match: { exact: '/health' } }],
    ...fields,
  }),
]
const fail = { admin: '/healthcheck/fail', method: 'POST' as const }
const recover = { admin: '/healthcheck/ok', method: 'POST' as const }

export const healthCheckFilterCases: Case[] = [
  {
    name: 'health check: answered here',
    covers:
      '200 health_check_ok, x-envoy-upstream-healthchecked-cluster, not in the code classes, never a span, both counters',
    config: { filters: check(), tracing: {}, listener: { traffic_direction: 'OUTBOUND' } },
    steps: [
      { send: get('/health') },
      {
        send: get('/health', {
          'x-b3-traceid': '463ac35c9f6413ad',
          'x-b3-spanid': 'a2fb4a1d1a96d312',
          'x-b3-sampled': '1',
        }),
      },
      { send: request('POST', '/health', {}, 'body') },
      { send: request('HEAD', '/health') },
      { send: get('/health?x') },
    ],
    spans: 1,
  },
  {
    name: 'health check: told to fail',
    covers: '503 LH, x-envoy-immediate-health-check-fail on all others, until it is told otherwise',
    config: { filters: check() },
    steps: [fail, { send: get('/health') }, { send: get('/') }, recover, { send: get('/health') }, { send: get('/') }],
  },
  {
    name: 'health check: passed through',
    covers: 'pass_through_mode: upstream, not in the code classes of listener and cluster, no span',
    config: { filters: check({ pass_through_mode: true }), tracing: { spawn_upstream_span: true } },
    upstreams: { app: sequence(ok('fine'), status(503)) },
    steps: [{ send: get('/health') }, { send: get('/health') }, { send: get('/') }],
    spans: 2,
  },
  {
    name: 'health check: remembered',
    covers: 'cache_time: the upstream is asked once',
    config: { filters: check({ pass_through_mode: true, cache_time: '60s' }) },
    upstreams: { app: sequence(status(404, 'no'), ok()) },
    steps: [{ send: get('/health') }, { send: get('/health') }, fail, { send: get('/health') }],
  },
  {
    name: 'health check: by clusters',
    covers: 'cluster_min_healthy_percentages: enough of them, too few, unknown',
    config: {
      filters: [
        ...check({
          headers: [{ name: ':path', string_match: { exact: '/all' } }],
          cluster_min_healthy_percentages: { app: { value: 100 } },
        }),
        ...check({
          headers: [{ name: ':path', string_match: { exact: '/empty' } }],
          cluster_min_healthy_percentages: { empty: { value: 1 } },
        }),
        ...check({
          headers: [{ name: ':path', string_match: { exact: '/empty-zero' } }],
          cluster_min_healthy_percentages: { app: { value: 50 }, empty: { value: 0 } },
        }),
        ...check({
          headers: [{ name: ':path', string_match: { exact: '/unknown' } }],
          cluster_min_healthy_percentages: { nobody: { value: 0 } },
        }),
      ].map((one, i) => ({ ...one, name: `check-${i}` })),
      clusters: [{ name: 'empty', type: 'STATIC', load_assignment: { cluster_name: 'empty' } }],
    },
    steps: ['/all', '/empty', '/empty-zero', '/unknown'].map(path => ({ send: get(path) })),
  },
]
