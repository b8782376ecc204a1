import { type Case, get } from '../harness/case.ts'
import { cluster, endpoint, type Ports } from '../harness/config.ts'
import { close, hang, ok, sequence, status } from '../harness/upstream.ts'

/** One host a cluster, so that it is known which one is asked; `both` has two. */
const watched = (outlier: Record<string, unknown>, threshold = 0) => ({
  app: {
    outlier_detection: { interval: '60s', max_ejection_percent: 100, ...outlier },
    common_lb_config: { healthy_panic_threshold: { value: threshold }, update_merge_window: '0s' },
  },
})

const two = (outlier: Record<string, unknown>, threshold: number) => (ports: Ports) => ({
  clusters: [
    cluster('both', 0, {
      outlier_detection: { interval: '60s', max_ejection_percent: 100, ...outlier },
      common_lb_config: { healthy_panic_threshold: { value: threshold }, update_merge_window: '0s' },
      load_assignment: {
        cluster_name: 'both',
        endpoints: [{ lb_endpoints: [endpoint(ports.upstream.one!), endpoint(ports.upstream.two!)] }],
      },
    }),
  ],
  routes: [{ match: { prefix: '/' }, route: { cluster: 'both' } }],
  // Which of the two is asked first is drawn.
  accessLog: '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n',
})

/** The real one ejects on another thread: a moment after the answer. */
const calls = (n: number): Case['steps'] =>
  Array.from({ length: n }, (): Case['steps'] => [{ send: get('/') }, { settled: 'main thread' }]).flat()

export const outlierCases: Case[] = [
  {
    name: 'five in a row',
    covers: 'consecutive_5xx 5 by default; ejected: UH, membership_healthy 0',
    upstreams: { app: status(500) },
    config: watched({}),
    steps: calls(7),
  },
  {
    name: 'one good answer between them',
    covers: 'begins anew',
    upstreams: { app: sequence(status(500), status(500), ok(), status(500), status(500)) },
    config: watched({ consecutive_5xx: 3 }),
    steps: calls(5),
  },
  {
    name: 'in panic an ejected host is used all the same',
    covers: 'lb_healthy_panic, ejections_active 1, detected but once while it is out',
    upstreams: { app: status(503) },
    config: watched({ consecutive_5xx: 2 }, 50),
    steps: calls(6),
  },
  {
    name: 'at most ten per cent',
    covers: 'trap: max_ejection_percent 10 ejects nobody in a small cluster; ejections_overflow',
    upstreams: { app: status(500) },
    config: watched({ consecutive_5xx: 2, max_ejection_percent: 10 }),
    steps: calls(4),
  },
  {
    name: 'at most ten per cent, but always one',
    covers: 'always_eject_one_host',
    upstreams: { app: status(500) },
    config: watched({ consecutive_5xx: 2, max_ejection_percent: 10, always_eject_one_host: true }),
    steps: calls(4),
  },
  {
    name: 'gateway failures are detected, and not acted upon',
    covers: 'enforcing_consecutive_gateway_failure 0; 500 is none',
    upstreams: { app: sequence(status(502), status(503), status(500), status(504), status(502)) },
    config: watched({ consecutive_5xx: 100, consecutive_gateway_failure: 2 }),
    steps: calls(5),
  },
  {
    name: 'gateway failures, acted upon',
    covers: 'enforcing_consecutive_gateway_failure 100',
    upstreams: { app: status(502) },
    config: watched({
      consecutive_5xx: 100,
      consecutive_gateway_failure: 2,
      enforcing_consecutive_gateway_failure: 100,
    }),
    steps: calls(3),
  },
  {
    name: 'detected, not enforced',
    covers: 'enforcing_consecutive_5xx 0',
    upstreams: { app: status(500) },
    config: watched({ consecutive_5xx: 2, enforcing_consecutive_5xx: 0 }),
    steps: calls(4),
  },
  {
    name: 'a connection that is refused is a 503',
    covers: 'local origin failures without split',
    upstreams: {},
    config: watched({ consecutive_5xx: 2 }),
    steps: calls(3),
  },
  {
    name: 'a connection that is lost is a 503',
    covers: 'reset before an answer',
    upstreams: { app: close },
    config: watched({ consecutive_5xx: 2 }),
    steps: calls(3),
  },
  {
    name: 'a timeout is a 504',
    covers: 'local origin timeout without split',
    upstreams: { app: hang },
    config: {
      ...watched({ consecutive_gateway_failure: 2, enforcing_consecutive_gateway_failure: 100 }),
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0.1s' } }],
    },
    steps: calls(3),
  },
  {
    name: 'split: local failures for themselves',
    covers: 'split_external_local_origin_errors, consecutive_local_origin_failure',
    upstreams: {},
    config: watched({
      split_external_local_origin_errors: true,
      consecutive_local_origin_failure: 2,
      consecutive_5xx: 1,
    }),
    steps: calls(3),
  },
  {
    name: 'split: a 500 is none of them',
    covers: 'external errors feed the other counters',
    upstreams: { app: status(500) },
    config: watched({
      split_external_local_origin_errors: true,
      consecutive_local_origin_failure: 1,
      consecutive_5xx: 3,
    }),
    steps: calls(4),
  },
  {
    name: 'back after a while',
    covers: 'base_ejection_time, un-ejected at an interval',
    upstreams: { app: sequence(status(500), ok()) },
    config: watched({ consecutive_5xx: 1, interval: '0.1s', base_ejection_time: '3s' }),
    steps: [
      ...calls(2),
      { until: 'cluster.app.outlier_detection.ejections_active: 0' },
      { settled: 'main thread' },
      ...calls(1),
    ],
  },
  {
    name: 'two hosts, threshold 0',
    covers: 'both ejected, then no healthy upstream',
    upstreams: { one: status(500), two: status(500) },
    config: two({ consecutive_5xx: 1 }, 0),
    steps: calls(4),
  },
  {
    name: 'two hosts, threshold 50',
    covers: 'half is not below half; none is',
    upstreams: { one: status(500), two: status(500) },
    config: two({ consecutive_5xx: 1 }, 50),
    // An even number: each host is asked three times, whichever is the first.
    steps: calls(6),
  },
  {
    name: 'the runtime has the last word',
    covers: 'outlier_detection.consecutive_5xx, .max_ejection_percent',
    upstreams: { app: status(500) },
    config: { ...watched({ consecutive_5xx: 50 }), runtime: { outlier_detection: { consecutive_5xx: 2 } } },
    steps: calls(3),
  },
]
