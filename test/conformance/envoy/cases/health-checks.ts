import type { Case, Step } from '../harness/case.ts'
import { get } from '../harness/case.ts'
import { cluster, endpoint, type Ports } from '../harness/config.ts'
import type { Observation } from '../harness/observe.ts'
import { type Behaviour, close, hang, ok, status } from '../harness/upstream.ts'

type Fields = Record<string, unknown>

/** Fast, and as fast without traffic. */
const CHECK: Fields = {
  timeout: '3s',
  interval: '0.1s',
  no_traffic_interval: '0.1s',
  unhealthy_threshold: 2,
  healthy_threshold: 2,
  http_health_check: { path: '/hc' },
}
/** One check at the start, then none while a case runs. */
const ONCE = { ...CHECK, interval: '60s', no_traffic_interval: '60s' }

const checked = (check: Fields, fields: Fields = {}) => ({
  app: {
    health_checks: [check],
    common_lb_config: { healthy_panic_threshold: { value: 0 }, update_merge_window: '0s' },
    ...fields,
  },
})

const FLAGS = { admin: '/clusters?filter=^app$' }
const until = (line: string): Step => ({ until: line })
const healthy = until('cluster.app.membership_healthy: 1')
const unhealthy = until('cluster.app.membership_healthy: 0')

/** Answers checks so, everything else with `rest`. */
function checks(answer: Behaviour, rest: Behaviour = ok()): Behaviour {
  return (message, socket, index) => (/^\S+ \/hc/.test(message.head[0] ?? '') ? answer : rest)(message, socket, index)
}

/** The first `n` checks so, those after them so. (Checks come before all other requests.) */
function firstChecks(n: number, first: Behaviour, then: Behaviour): Behaviour {
  return (message, socket, index) => checks(index < n ? first : then)(message, socket, index)
}

/** How often a host is asked while a case runs is a matter of time: the first check is compared, and what comes of all. */
const AS_OFTEN_AS_TIME_ALLOWS = {
  why: 'checks go on while a case runs: how many there are is not compared',
  drop: (observation: Observation) => {
    // The first change may come before the numbers are first read.
    for (const name of Object.keys(observation.stats))
      if (/\.health_check\.|\.membership_healthy$/.test(name)) delete observation.stats[name]
    for (const [name, requests] of Object.entries(observation.upstream)) {
      const isCheck = (request: { head: string[] }) => /^\S+ \/hc/.test(request.head[0] ?? '')
      const firstCheck = requests.find(isCheck)
      observation.upstream[name] = [...(firstCheck ? [firstCheck] : []), ...requests.filter(one => !isCheck(one))]
    }
    observation.admin = observation.admin.map(one => ({
      ...one,
      body: one.body.replace(/(::(?:cx|rq)_\w+::)\d+/g, '$1<n>'),
    }))
  },
}

const HC_STATS = { admin: '/stats?filter=^cluster.app.health_check.(healthy|degraded)' }

/** Not for `Observation.upstream` alone: who was asked. */
export const healthCheckCases: Case[] = [
  {
    name: 'one check is enough at the start',
    covers: '6.6, trap: first pass suffices; the request carries host and user-agent: Envoy/HC alone',
    upstreams: { app: ok() },
    config: checked(ONCE),
    steps: [{ send: get('/') }, FLAGS, HC_STATS],
  },
  {
    name: 'a host that fails from the start',
    covers: '/failed_active_hc, UH, membership_healthy 0',
    upstreams: { app: checks(status(500)) },
    config: checked(ONCE),
    steps: [{ send: get('/') }, FLAGS, HC_STATS],
  },
  {
    name: 'one bad status is unhealthy at once',
    covers: 'trap: unhealthy_threshold does not apply to a wrong status; recovery needs healthy_threshold',
    upstreams: { app: firstChecks(1, ok(), status(503)) },
    config: checked({ ...CHECK, unhealthy_threshold: 1000 }),
    steps: [unhealthy, { send: get('/') }, FLAGS],
    except: AS_OFTEN_AS_TIME_ALLOWS,
  },
  {
    name: 'a status with more tries',
    covers: 'retriable_statuses: with a threshold out of reach the host stays',
    upstreams: { app: firstChecks(1, ok(), status(503)) },
    config: checked({
      ...CHECK,
      unhealthy_threshold: 1000,
      http_health_check: { path: '/hc', retriable_statuses: [{ start: 503, end: 504 }] },
    }),
    steps: [until('cluster.app.health_check.failure: 3'), { send: get('/') }, FLAGS],
    except: AS_OFTEN_AS_TIME_ALLOWS,
  },
  {
    name: 'it comes back',
    covers: 'healthy again after healthy_threshold',
    upstreams: { app: firstChecks(3, status(500), ok()) },
    config: checked(CHECK),
    steps: [healthy, { send: get('/') }, FLAGS],
    except: AS_OFTEN_AS_TIME_ALLOWS,
  },
  {
    name: 'no answer in time',
    covers: 'trap: timeouts need the threshold; /failed_active_hc/active_hc_timeout',
    upstreams: { app: firstChecks(1, ok(), hang) },
    config: checked({ ...CHECK, timeout: '1s' }),
    steps: [unhealthy, { send: get('/') }, FLAGS],
    except: AS_OFTEN_AS_TIME_ALLOWS,
  },
  {
    name: 'checks of what nobody asks for',
    covers: 'no_traffic_interval, until there are requests',
    upstreams: { app: firstChecks(1, status(500), ok()) },
    config: checked({ ...ONCE, no_traffic_interval: '0.2s', healthy_threshold: 1 }),
    steps: [healthy, { send: get('/') }],
    except: AS_OFTEN_AS_TIME_ALLOWS,
  },
  {
    name: 'checks of what is well, and nobody asks for',
    covers: 'no_traffic_healthy_interval in place of no_traffic_interval',
    upstreams: { app: firstChecks(1, ok(), status(500)) },
    config: checked({ ...ONCE, no_traffic_healthy_interval: '0.2s' }),
    steps: [unhealthy, { send: get('/') }],
    except: AS_OFTEN_AS_TIME_ALLOWS,
  },
  {
    name: 'checks between requests',
    covers: 'interval, once there was a request',
    upstreams: { app: firstChecks(5, ok(), status(500)) },
    config: checked({ ...CHECK, no_traffic_interval: '0.7s' }),
    steps: [{ send: get('/') }, unhealthy, { send: get('/') }],
    except: AS_OFTEN_AS_TIME_ALLOWS,
  },
  {
    name: 'closed without an answer',
    covers: 'network_failure, threshold',
    upstreams: { app: firstChecks(1, ok(), close) },
    config: checked(CHECK),
    steps: [unhealthy, { send: get('/') }, FLAGS],
    except: AS_OFTEN_AS_TIME_ALLOWS,
  },
  {
    name: 'nobody listens',
    covers: 'refused: failed from the start',
    upstreams: {},
    config: checked(ONCE),
    steps: [{ send: get('/') }, FLAGS],
  },
  {
    name: 'what is asked',
    covers: 'host, method, request_headers_to_add and _to_remove, expected_statuses',
    upstreams: { app: status(204) },
    config: checked({
      ...ONCE,
      http_health_check: {
        path: '/hc?full',
        host: 'health.test',
        method: 'HEAD',
        request_headers_to_add: [{ header: { key: 'x-check', value: 'yes' } }],
        request_headers_to_remove: ['user-agent'],
        expected_statuses: [{ start: 200, end: 300 }],
      },
    }),
    steps: [{ send: get('/') }, FLAGS],
  },
  {
    name: 'its own port and name',
    covers: 'health_check_config.port_value, .hostname',
    upstreams: { app: ok(), health: ok() },
    config: (ports: Ports) =>
      checked(
        { ...ONCE, http_health_check: { path: '/hc', host: 'not.this' } },
        {
          load_assignment: {
            cluster_name: 'app',
            endpoints: [
              {
                lb_endpoints: [
                  withCheck(ports.upstream.app!, { port_value: ports.upstream.health, hostname: 'own.test' }),
                ],
              },
            ],
          },
        },
      ),
    steps: [{ send: get('/') }, FLAGS],
  },
  {
    name: 'not checked',
    covers: 'disable_active_health_check: healthy',
    upstreams: { app: status(500) },
    config: (ports: Ports) =>
      checked(ONCE, {
        load_assignment: {
          cluster_name: 'app',
          endpoints: [{ lb_endpoints: [withCheck(ports.upstream.app!, { disable_active_health_check: true })] }],
        },
      }),
    steps: [{ send: get('/') }, FLAGS],
  },
  {
    name: 'a body that says so',
    covers: 'http_health_check.receive: found',
    upstreams: { app: ok('all is well') },
    config: checked({
      ...ONCE,
      http_health_check: { path: '/hc', receive: [{ text: hex('is') }, { text: hex('well') }] },
    }),
    steps: [{ send: get('/') }, FLAGS],
  },
  {
    name: 'a body that does not',
    covers: 'http_health_check.receive: not found, ACTIVE failure',
    upstreams: { app: ok('all is well') },
    config: checked({
      ...ONCE,
      http_health_check: { path: '/hc', receive: [{ text: hex('well') }, { text: hex('is') }] },
    }),
    steps: [{ send: get('/') }, FLAGS],
  },
  {
    name: 'another service',
    covers: 'service_name_matcher against x-envoy-upstream-healthchecked-cluster; verify_cluster',
    upstreams: { app: ok('', 'x-envoy-upstream-healthchecked-cluster: other\r\n') },
    config: checked({ ...ONCE, http_health_check: { path: '/hc', service_name_matcher: { prefix: 'app' } } }),
    steps: [{ send: get('/') }, FLAGS, { admin: '/stats?filter=verify_cluster' }],
  },
  {
    name: 'degraded',
    covers: 'x-envoy-degraded in a check: /degraded_active_hc, membership_degraded',
    upstreams: { app: checks(ok('', 'x-envoy-degraded: true\r\n')) },
    config: checked(ONCE),
    steps: [{ send: get('/') }, FLAGS, HC_STATS],
  },
  {
    name: 'a response says that it fails',
    covers: 'x-envoy-immediate-health-check-fail: excluded, passive_failure',
    upstreams: { app: checks(ok(), ok('still', 'x-envoy-immediate-health-check-fail: true\r\n')) },
    config: checked(ONCE),
    steps: [
      { send: get('/') },
      { settled: 'main thread' },
      unhealthy,
      { settled: 'main thread' },
      { send: get('/') },
      FLAGS,
    ],
  },
  {
    name: 'a connection is enough',
    covers: 'tcp_health_check without bytes',
    upstreams: { app: ok() },
    config: checked({ ...without(ONCE, 'http_health_check'), tcp_health_check: {} }),
    steps: [{ send: get('/') }, FLAGS],
  },
  {
    name: 'bytes both ways',
    covers: 'tcp_health_check.send, .receive',
    upstreams: { app: ok('pong') },
    config: checked({
      ...without(ONCE, 'http_health_check'),
      tcp_health_check: {
        send: { text: hex('GET /hc HTTP/1.1\r\nhost: tcp\r\n\r\n') },
        receive: [{ text: hex('200 OK') }, { text: hex('pong') }],
      },
    }),
    steps: [{ send: get('/') }, FLAGS],
  },
  {
    name: 'nobody listens for TCP either',
    covers: 'tcp_health_check refused',
    upstreams: {},
    config: checked({ ...without(ONCE, 'http_health_check'), tcp_health_check: {} }),
    steps: [{ send: get('/') }, FLAGS],
  },
  {
    name: 'a check takes a host back that was ejected',
    covers: 'successful_active_health_check_uneject_host',
    upstreams: { app: checks(ok(), status(500)) },
    config: checked(CHECK, {
      outlier_detection: { consecutive_5xx: 1, max_ejection_percent: 100, interval: '60s', base_ejection_time: '60s' },
    }),
    steps: [
      { send: get('/') },
      until('cluster.app.outlier_detection.ejections_enforced_total: 1'),
      until('cluster.app.outlier_detection.ejections_active: 0'),
      { settled: 'main thread' },
      FLAGS,
    ],
    except: AS_OFTEN_AS_TIME_ALLOWS,
  },
  {
    name: 'priorities by checks',
    covers: 'P0 fails its checks: P1 takes all',
    upstreams: { app: checks(status(500)), second: ok('2') },
    config: (ports: Ports) => ({
      clusters: [
        cluster('both', 1, {
          health_checks: [ONCE],
          load_assignment: {
            cluster_name: 'both',
            endpoints: [
              { priority: 0, lb_endpoints: [endpoint(ports.upstream.app!)] },
              { priority: 1, lb_endpoints: [endpoint(ports.upstream.second!)] },
            ],
          },
        }),
      ],
      routes: [{ match: { prefix: '/' }, route: { cluster: 'both' } }],
    }),
    steps: [{ send: get('/') }, { send: get('/') }, { admin: '/clusters?filter=^both$&format=json' }],
  },
]

function withCheck(port: number, config: Fields): Fields {
  const { endpoint: plain } = endpoint(port) as { endpoint: Fields }
  return { endpoint: { ...plain, health_check_config: config } }
}

function hex(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex')
}

function without(fields: Fields, name: string): Fields {
  const { [name]: _, ...rest } = fields
  return rest
}
