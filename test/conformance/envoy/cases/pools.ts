import { type Case, get } from '../harness/case.ts'
import { endpoint, type Ports } from '../harness/config.ts'
import type { Observation } from '../harness/observe.ts'
import { hang, ok } from '../harness/upstream.ts'

const slow =
  (ms: number) =>
  (request: Parameters<ReturnType<typeof ok>>[0], socket: Parameters<ReturnType<typeof ok>>[1], index: number) =>
    void setTimeout(() => ok('slow')(request, socket, index), ms)
const breakers = (thresholds: Record<string, unknown>) => ({ circuit_breakers: { thresholds: [thresholds] } })

const preconnect = (ratio: number, fields: Record<string, unknown> = {}) => ({
  app: { preconnect_policy: { per_upstream_preconnect_ratio: ratio }, ...fields },
})
const ENDED_LATE = {
  why: 'the requests end with the clients, when the log is read: a line may be there or not',
  drop: (observation: Observation) => {
    observation.accessLog = []
  },
}
/** They stay open: the next request finds another connection busy. */
const held = (count: number) =>
  Array.from({ length: count }, (_, i): Case['steps'] => [
    { send: get(`/${i}`), answers: 0 },
    { until: `http.in.downstream_rq_active: ${i + 1}` },
    { settled: 'stats' },
  ]).flat()

const LEFT = { admin: '/stats?filter=^cluster\\.app\\.circuit_breakers\\..*cx_pool' }

const threeHosts = (fields: Record<string, unknown>) => (ports: Ports) => ({
  app: {
    ...fields,
    load_assignment: {
      cluster_name: 'app',
      endpoints: [{ lb_endpoints: ['app', 'other', 'third'].map(name => endpoint(ports.upstream[name]!)) }],
    },
  },
  accessLog: '%RESPONSE_CODE%\n',
})
const BY_TURNS = {
  why: 'which of the hosts is the first is drawn: how many each got is compared, whichever it is',
  drop: (observation: Observation) => {
    const counts = Object.values(observation.upstream).map(requests => requests.length)
    observation.upstream = {}
    observation.events = [`${counts.sort((a, b) => a - b)}`]
  },
}

export const poolCases: Case[] = [
  ...[1.5, 2, 3].map(
    (ratio): Case => ({
      name: `connections ahead of requests, ${ratio} for one`,
      covers: `per_upstream_preconnect_ratio ${ratio}: at the first request and at later ones`,
      config: preconnect(ratio),
      steps: [
        { send: get('/1') },
        { settled: 'stats' },
        { send: get('/2') },
        { settled: 'stats' },
        { send: get('/3') },
        { settled: 'stats' },
      ],
    }),
  ),
  {
    name: 'connections ahead of requests that stay',
    covers: 'per_upstream_preconnect_ratio 1.5: in proportion to all that are under way',
    upstreams: { app: hang },
    config: preconnect(1.5),
    steps: held(6),
    logLines: 0,
    except: ENDED_LATE,
  },
  {
    name: 'connections ahead, as many as may be',
    covers: 'per_upstream_preconnect_ratio with max_connections: upstream_cx_overflow',
    upstreams: { app: hang },
    config: preconnect(3, breakers({ max_connections: 2 })),
    steps: held(3),
    logLines: 0,
    except: ENDED_LATE,
  },
  {
    name: 'no connections ahead to who is ill',
    covers: 'per_upstream_preconnect_ratio: not of a host that is not healthy',
    config: ports => ({
      app: {
        preconnect_policy: { per_upstream_preconnect_ratio: 3 },
        load_assignment: {
          cluster_name: 'app',
          endpoints: [{ lb_endpoints: [{ ...endpoint(ports.upstream.app!), health_status: 'UNHEALTHY' }] }],
        },
      },
    }),
    steps: [{ send: get('/1') }, { settled: 'stats' }, { send: get('/2') }, { settled: 'stats' }],
  },
  {
    name: 'connections to one host at a time',
    covers: 'max_connection_pools 1: a second host is none: UH, upstream_cx_pool_overflow, cx_pool_open',
    upstreams: { app: ok(), other: ok() },
    config: ports => ({
      app: {
        ...breakers({ max_connection_pools: 1, track_remaining: true }),
        load_assignment: {
          cluster_name: 'app',
          endpoints: [{ lb_endpoints: [endpoint(ports.upstream.app!), endpoint(ports.upstream.other!)] }],
        },
      },
      accessLog: '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n',
    }),
    steps: [...[1, 2, 3, 4].map(() => ({ send: get('/') })), { admin: '/stats?filter=^cluster\\.app\\.circuit_breakers\\.default\\..*cx_pool' }], // biome-ignore format: one line
    except: {
      why: 'which of the hosts is the first is drawn',
      drop: observation => {
        const asked = Object.values(observation.upstream).flat().length
        observation.upstream = { app: [] }
        if (asked !== 2) throw new Error(`${asked} requests found a host`)
        observation.answers.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
        observation.accessLog.sort()
      },
    },
  },
  {
    name: 'pools that are left',
    covers:
      'remaining_cx_pools: 2^64 - 1 less the pools there are, of the default priority and of HIGH; none when their connections are gone',
    config: {
      app: {
        circuit_breakers: {
          thresholds: [{ track_remaining: true }, { priority: 'HIGH', max_connection_pools: 3, track_remaining: true }],
        },
      },
      routes: [
        { match: { prefix: '/high' }, route: { cluster: 'app', priority: 'HIGH' } },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
    },
    upstreams: {
      app: (request, socket, index) => ok('bye', index === 3 ? 'connection: close\r\n' : '')(request, socket, index),
    },
    steps: [
      LEFT,
      { send: get('/high') },
      LEFT,
      { send: get('/') },
      LEFT,
      { admin: LEFT.admin.replace('?', '?format=json&') },
      { admin: LEFT.admin.replace('?', '?format=prometheus&') },
      { send: get('/') },
      { send: get('/') },
      { until: 'cluster.app.upstream_cx_active: 1' },
      LEFT,
    ],
  },
  {
    name: 'a pool for each request that was refused',
    covers: 'max_pending_requests 0: the pool is there all the same',
    config: { app: breakers({ max_pending_requests: 0, max_connection_pools: 2, track_remaining: true }) },
    steps: [{ send: get('/') }, LEFT],
  },
  ...[1.5, 3].map(
    (ratio): Case => ({
      name: `connections to the next host, ${ratio} for one`,
      covers: `predictive_preconnect_ratio ${ratio}: where the next requests go`,
      upstreams: { app: ok(), other: ok(), third: ok() },
      config: threeHosts({ preconnect_policy: { predictive_preconnect_ratio: ratio } }),
      steps: [1, 2, 3, 4].flatMap((n): Case['steps'] => [{ send: get(`/${n}`) }, { settled: 'stats' }]),
      except: BY_TURNS,
    }),
  ),
  {
    name: 'connections to the next host for requests that stay',
    covers: 'predictive_preconnect_ratio 2: in proportion to all that are under way, no more than hosts at a time',
    upstreams: { app: hang, other: hang, third: hang },
    config: threeHosts({ preconnect_policy: { predictive_preconnect_ratio: 2 } }),
    steps: held(4),
    logLines: 0,
    except: {
      why: `${BY_TURNS.why}; ${ENDED_LATE.why}`,
      drop: observation => {
        BY_TURNS.drop(observation)
        ENDED_LATE.drop(observation)
      },
    },
  },
  ...['LEAST_REQUEST', 'RING_HASH', 'MAGLEV'].map(
    (policy): Case => ({
      name: `whom ${policy} asks next nobody can tell`,
      covers: `predictive_preconnect_ratio with ${policy}: no connections ahead`,
      config: { app: { lb_policy: policy, preconnect_policy: { predictive_preconnect_ratio: 3 } } },
      steps: [{ send: get('/1') }, { settled: 'stats' }, { send: get('/2') }],
    }),
  ),
  {
    name: 'one connection of another priority',
    covers: 'max_connections of HIGH: its own gauge, its own queue',
    upstreams: { app: hang },
    config: {
      app: {
        circuit_breakers: {
          thresholds: [{ priority: 'HIGH', max_connections: 1, max_pending_requests: 1, track_remaining: true }],
        },
      },
      routes: [
        { match: { prefix: '/high' }, route: { cluster: 'app', priority: 'HIGH' } },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
    },
    steps: [
      { send: get('/high/1'), answers: 0 },
      { until: 'cluster.app.upstream_rq_active: 1' },
      { send: get('/high/2'), answers: 0 },
      { until: 'cluster.app.upstream_rq_pending_active: 1' },
      { send: get('/high/3') },
      { send: get('/'), answers: 0 },
      { until: 'cluster.app.upstream_rq_active: 2' },
      { admin: '/stats?filter=^cluster\\.app\\.circuit_breakers\\..*(_open|remaining_cx|remaining_pending)$' },
    ],
    logLines: 1,
    except: ENDED_LATE,
  },
  {
    name: 'one connection to a host for many',
    covers:
      'per_host_thresholds: max_connections 1: upstream_cx_overflow, cx_open stays 0; HIGH has its own, and gets one always',
    upstreams: { app: slow(300) },
    config: {
      app: {
        circuit_breakers: { per_host_thresholds: [{ max_connections: 1 }, { priority: 'HIGH', max_connections: 0 }] },
      },
      routes: [
        { match: { prefix: '/high' }, route: { cluster: 'app', priority: 'HIGH' } },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
    },
    steps: [
      { send: get('/warm') },
      [1, 2, 3, 4].map(() => ({ send: get('/x') })),
      { admin: '/stats?filter=^cluster\\.app\\.circuit_breakers\\..*cx_open$' },
      { send: get('/high') },
      { send: get('/x') },
    ],
    except: { why: 'which of the parallel requests waits longest is chance', drop: sortAnswers },
  },
  {
    name: 'one connection for many',
    covers:
      'max_connections 1: upstream_cx_overflow, once for each request that finds none and each that is left waiting',
    upstreams: { app: slow(300) },
    config: { app: breakers({ max_connections: 1 }) },
    // While it connects more of them would wait, or fewer.
    steps: [{ send: get('/warm') }, [1, 2, 3, 4].map(() => ({ send: get('/x') }))],
    except: { why: 'which of the parallel requests waits longest is chance', drop: sortAnswers },
  },
  {
    name: 'one connection is used again',
    covers: 'keep-alive pool: one upstream connection for three requests',
    steps: [{ send: get('/1') }, { send: get('/2') }, { send: get('/3') }],
  },
  {
    name: 'the upstream asks to close',
    covers: 'connection: close of an answer ends that connection',
    upstreams: { app: ok('bye', 'connection: close\r\n') },
    steps: [{ send: get('/1') }, { settled: 'stats' }, { send: get('/2') }],
  },
  {
    name: 'parallel requests',
    covers: 'a connection each, pending counted',
    upstreams: { app: slow(300) },
    steps: [[{ send: get('/1') }, { send: get('/1') }, { send: get('/1') }]],
  },
  {
    name: 'warm, one connection, one pending, five at once',
    covers: '2 x 200, 3 x 503 UO with x-envoy-overloaded',
    upstreams: { app: slow(300) },
    config: { app: breakers({ max_connections: 1, max_pending_requests: 1 }) },
    steps: [{ send: get('/warm') }, [1, 2, 3, 4, 5].map(() => ({ send: get('/x') }))],
    except: {
      why: 'which of five parallel requests is refused is chance: the answers are compared as a set',
      drop: sortAnswers,
    },
    sane: envoy => {
      if (envoy.stats['cluster.app.upstream_rq_pending_overflow'] !== 3)
        throw new Error('Envoy did not overflow three times')
    },
  },
  {
    name: 'no request may pend',
    covers: 'max_pending_requests 0: every cold request fails',
    config: { app: breakers({ max_pending_requests: 0 }) },
    steps: [{ send: get('/') }],
  },
  {
    name: 'one request at a time',
    covers: 'max_requests: overflow counted as upstream_rq_active_overflow when warm',
    upstreams: { app: slow(300) },
    config: { app: breakers({ max_requests: 1 }) },
    steps: [{ send: get('/warm') }, [1, 2].map(() => ({ send: get('/x') }))],
    except: { why: 'which of two parallel requests is refused is chance', drop: sortAnswers },
  },
  {
    name: 'connections for a while',
    covers: 'max_requests_per_connection of the upstream',
    config: {
      app: {
        typed_extension_protocol_options: {
          'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
            '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
            common_http_protocol_options: { max_requests_per_connection: 2 },
            explicit_http_config: { http_protocol_options: {} },
          },
        },
      },
    },
    steps: [{ send: get('/1') }, { send: get('/2') }, { settled: 'stats' }, { send: get('/3') }],
  },
]

function sortAnswers(observation: { answers: unknown[]; accessLog: string[]; closed: boolean[] }): void {
  observation.answers.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
  observation.accessLog.sort()
}
