import { type Case, get } from '../harness/case.ts'
import { cluster, type Ports } from '../harness/config.ts'
import type { Observation } from '../harness/observe.ts'
import { hang, ok, status } from '../harness/upstream.ts'

type Fields = Record<string, unknown>

const ejecting = (outlier: Fields) => (ports: Ports) => ({
  app: {
    outlier_detection: {
      interval: '0.2s',
      base_ejection_time: '0.1s',
      max_ejection_percent: 100,
      consecutive_5xx: 2,
      ...outlier,
    },
    common_lb_config: { healthy_panic_threshold: { value: 0 }, update_merge_window: '0s' },
  },
  bootstrap: { cluster_manager: { outlier_detection: { event_log_path: ports.eventLog } } },
})
const twoCalls: Case['steps'] = [
  { send: get('/') },
  { settled: 'main thread' },
  { send: get('/') },
  { settled: 'main thread' },
]

const checking = (check: Fields) => (ports: Ports) => ({
  app: {
    health_checks: [
      {
        timeout: '1s',
        interval: '0.1s',
        no_traffic_interval: '0.1s',
        unhealthy_threshold: 1,
        healthy_threshold: 1,
        http_health_check: { path: '/hc' },
        event_log_path: ports.eventLog,
        ...check,
      },
    ],
    common_lb_config: { update_merge_window: '0s' },
  },
})
const ONCE = { interval: '60s', no_traffic_interval: '60s' }

const GOING_ON = {
  why: 'how many checks there were is a matter of time',
  drop: (observation: Observation) => {
    observation.stats = {}
    observation.upstream = {}
    observation.events.splice(3)
  },
}

export const eventLogCases: Case[] = [
  {
    name: 'a file of ejections',
    covers: 'cluster_manager.outlier_detection.event_log_path: ejected and back',
    upstreams: { app: status(500) },
    config: ejecting({}),
    steps: [...twoCalls, { until: 'cluster.app.outlier_detection.ejections_active: 0' }],
    events: 2,
  },
  {
    name: 'a file of ejections that were not enforced',
    covers: 'outlier events: enforced false',
    upstreams: { app: status(503) },
    config: ejecting({ enforcing_consecutive_5xx: 0 }),
    steps: twoCalls,
    events: 1,
  },
  {
    name: 'a file of checks',
    covers: 'event_log_path of health checks: a host is well at first, then not, then again',
    upstreams: { app: (request, socket, index) => (index === 2 ? status(500) : ok())(request, socket, index) },
    config: checking({}),
    steps: [{ until: 'cluster.app.health_check.failure: 1' }, { until: 'cluster.app.membership_healthy: 1' }],
    events: 3,
    except: GOING_ON,
  },
  {
    name: 'a file of checks, each failure',
    covers: 'always_log_health_check_failures, a host that fails from the start',
    upstreams: { app: status(500) },
    config: checking({ ...ONCE, always_log_health_check_failures: true }),
    steps: [{ until: 'cluster.app.health_check.failure: 1' }],
    events: 1,
  },
  {
    name: 'a file of checks, each success',
    covers: 'always_log_health_check_success',
    config: checking({ ...ONCE, always_log_health_check_success: true }),
    steps: [{ until: 'cluster.app.health_check.success: 1' }],
    events: 1,
  },
  {
    name: 'a file of checks without an answer',
    covers: 'health check events: NETWORK_TIMEOUT',
    upstreams: { app: hang },
    config: checking({ ...ONCE, timeout: '0.1s' }),
    steps: [{ until: 'cluster.app.health_check.failure: 1' }],
    events: 1,
  },
  {
    name: 'a file of checks of ports',
    covers: 'health check events: TCP, NETWORK',
    upstreams: {},
    config: ports => ({
      clusters: [
        {
          ...cluster('checked', ports.dead),
          health_checks: [
            {
              timeout: '1s',
              interval: '60s',
              no_traffic_interval: '60s',
              unhealthy_threshold: 1,
              healthy_threshold: 1,
              tcp_health_check: {},
              event_log_path: ports.eventLog,
            },
          ],
        },
      ],
    }),
    steps: [{ until: 'cluster.checked.health_check.failure: 1' }],
    events: 1,
  },
  {
    name: 'a file of checks of Unix sockets',
    covers: 'health check events: a pipe, degraded, a locality',
    upstreams: {},
    sockets: { app: ok('ok', 'x-envoy-degraded: 1\r\n') },
    config: ports => ({
      app: {
        ...checking(ONCE)(ports).app,
        load_assignment: {
          cluster_name: 'app',
          endpoints: [
            {
              locality: { region: 'r', zone: 'z', sub_zone: 's' },
              lb_endpoints: [{ endpoint: { address: { pipe: { path: ports.sockets!.app } } } }],
            },
          ],
        },
      },
    }),
    steps: [{ until: 'cluster.app.health_check.degraded: 1' }],
    events: 2,
  },
]
