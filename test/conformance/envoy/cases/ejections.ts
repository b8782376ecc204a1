import { type Case, get, request } from '../harness/case.ts'
import { cluster, endpoint, type Ports } from '../harness/config.ts'
import type { Observation } from '../harness/observe.ts'
import { type Behaviour, ok, raw, status } from '../harness/upstream.ts'

type Fields = Record<string, unknown>

/** Hosts of one cluster that are asked by turns: `a1 a2 b1`; those of `dead` have no listener. */
const among =
  (names: string, outlier: Fields) =>
  (ports: Ports): Fields => ({
    clusters: [
      cluster('many', 0, {
        outlier_detection: {
          // Longer than all rounds take: what they come to is looked at once.
          interval: '2.5s',
          base_ejection_time: '60s',
          max_ejection_percent: 100,
          consecutive_5xx: 1000,
          consecutive_gateway_failure: 1000,
          consecutive_local_origin_failure: 1000,
          ...outlier,
        },
        common_lb_config: { healthy_panic_threshold: { value: 0 }, update_merge_window: '0s' },
        load_assignment: {
          cluster_name: 'many',
          endpoints: [{ lb_endpoints: names.split(' ').map(name => endpoint(ports.upstream[name] ?? ports.dead)) }],
        },
      }),
    ],
    routes: [{ match: { prefix: '/' }, route: { cluster: 'many' } }],
    bootstrap: { cluster_manager: { outlier_detection: { event_log_path: ports.eventLog } } },
    accessLog: '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n',
  })

const two = { ok1: ok(), ok2: ok() }
const rounds = (n: number): Case['steps'] => Array.from({ length: 3 * n }, () => ({ send: get('/') }))
const ejections = (what: string) => ({ until: `cluster.many.outlier_detection.ejections_${what}` })

/**
 * Each round asks each host once. (Which host is asked first is drawn.)
 */
const BY_TURNS = {
  why: 'which host is the first is drawn',
  drop: (observation: Observation) => {
    observation.answers.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
    observation.accessLog.sort()
  },
}

/** A cluster that is asked by the proxy itself; two failures end it. */
const own =
  (name: string, fields: Fields = {}) =>
  (ports: Ports) => ({
    clusters: [
      cluster(name, ports.upstream[name] ?? ports.dead, {
        outlier_detection: { interval: '60s', max_ejection_percent: 100, consecutive_5xx: 2 },
        common_lb_config: { healthy_panic_threshold: { value: 0 }, update_merge_window: '0s' },
      }),
    ],
    ...fields,
  })
const twice = (name: string): Case['steps'] => [
  { send: get('/') },
  { until: `cluster.${name}.upstream_rq_completed: 1` },
  { send: get('/') },
  { until: `cluster.${name}.outlier_detection.ejections_active: 1` },
  { settled: 'main thread' },
  { send: get('/') },
]
const askFirst = (statusOnError?: Fields) => ({
  filters: [
    {
      name: 'ext_authz',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
        transport_api_version: 'V3',
        http_service: { server_uri: { uri: 'http://auth.test', cluster: 'auth', timeout: '1s' } },
        ...statusOnError,
      },
    },
  ],
})

const grpc = (code: number): Behaviour =>
  raw(`HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\ngrpc-status: ${code}\r\n\r\n`)
const grpcCall = {
  send: request('POST', '/pkg.Service/Do', { 'content-type': 'application/grpc', te: 'trailers' }, '\0\0\0\0\0'),
}

export const ejectionCases: Case[] = [
  {
    name: 'worse than the others',
    covers: 'enforcing_success_rate: below the mean less 0.5 deviations; its event',
    upstreams: { ...two, bad: status(500) },
    config: among('ok1 ok2 bad', {
      success_rate_minimum_hosts: 3,
      success_rate_request_volume: 1,
      success_rate_stdev_factor: 500,
    }),
    steps: [...rounds(3), ejections('enforced_success_rate: 1')],
    events: 1,
    except: BY_TURNS,
  },
  {
    name: 'worse than the others, and let be',
    covers: 'enforcing_success_rate 0: detected, an event that is not enforced',
    upstreams: { ...two, bad: status(500) },
    config: among('ok1 ok2 bad', {
      success_rate_minimum_hosts: 3,
      success_rate_request_volume: 3,
      success_rate_stdev_factor: 500,
      enforcing_success_rate: 0,
    }),
    steps: [...rounds(3), ejections('detected_success_rate: 1')],
    events: 1,
    except: BY_TURNS,
  },
  {
    name: 'too few hosts to tell',
    covers: 'success_rate_minimum_hosts 5; failure_percentage is detected, and by default not enforced',
    upstreams: { ...two, bad: status(500) },
    config: among('ok1 ok2 bad', {
      success_rate_request_volume: 1,
      success_rate_stdev_factor: 500,
      failure_percentage_minimum_hosts: 3,
      failure_percentage_request_volume: 3,
    }),
    steps: [...rounds(3), ejections('detected_failure_percentage: 1')],
    events: 1,
    except: BY_TURNS,
  },
  {
    name: 'more failures than may be',
    covers: 'enforcing_failure_percentage 100, failure_percentage_threshold; its event',
    upstreams: { ...two, bad: status(503) },
    config: among('ok1 ok2 bad', {
      failure_percentage_threshold: 100,
      failure_percentage_minimum_hosts: 1,
      failure_percentage_request_volume: 1,
      enforcing_failure_percentage: 100,
    }),
    steps: [...rounds(3), ejections('enforced_failure_percentage: 1')],
    events: 1,
    except: BY_TURNS,
  },
  {
    name: 'split: worse than the others at being there',
    covers: 'enforcing_local_origin_success_rate; its event',
    upstreams: two,
    config: among('ok1 ok2 dead', {
      split_external_local_origin_errors: true,
      success_rate_minimum_hosts: 3,
      success_rate_request_volume: 1,
      success_rate_stdev_factor: 500,
    }),
    steps: [...rounds(3), ejections('enforced_local_origin_success_rate: 1')],
    events: 1,
    except: BY_TURNS,
  },
  {
    name: 'split: there too rarely',
    covers: 'enforcing_failure_percentage_local_origin; its event',
    upstreams: two,
    config: among('ok1 ok2 dead', {
      split_external_local_origin_errors: true,
      failure_percentage_minimum_hosts: 1,
      failure_percentage_request_volume: 1,
      enforcing_failure_percentage_local_origin: 100,
    }),
    steps: [...rounds(3), ejections('enforced_local_origin_failure_percentage: 1')],
    events: 1,
    except: BY_TURNS,
  },
  ...[
    [66, 1],
    [67, 2],
  ].map(
    ([percent, ejected]): Case => ({
      name: `three hosts fail, ${percent} % may go`,
      covers: `max_ejection_percent ${percent}: ${ejected} of 3, each later detection overflows`,
      upstreams: { bad1: status(500), bad2: status(500), bad3: status(500) },
      config: among('bad1 bad2 bad3', { interval: '60s', consecutive_5xx: 1, max_ejection_percent: percent }),
      steps: rounds(2).flatMap(step => [step, { settled: 'main thread' as const }]),
      except: {
        why: 'which of the hosts go is drawn',
        drop: observation => {
          observation.upstream = {}
          observation.events = observation.events.map(line => line.replace(/<upstream \w+>/, '<upstream>'))
          for (const name of Object.keys(observation.stats)) if (/_cx_/.test(name)) delete observation.stats[name]
        },
      },
      events: ejected!,
    }),
  ),
  {
    name: 'each try counts',
    covers: 'consecutive_5xx 2: a request and its retry',
    upstreams: { app: status(500) },
    config: {
      app: {
        outlier_detection: { interval: '60s', max_ejection_percent: 100, consecutive_5xx: 2 },
        common_lb_config: { healthy_panic_threshold: { value: 0 }, update_merge_window: '0s' },
      },
      routes: [
        { match: { prefix: '/' }, route: { cluster: 'app', retry_policy: { retry_on: '5xx', num_retries: 1 } } },
      ],
    },
    steps: [{ send: get('/') }, { until: 'cluster.app.outlier_detection.ejections_active: 1' }, { settled: 'main thread' }, { send: get('/') }], // biome-ignore format: one line
  },
  {
    name: 'a status of gRPC',
    covers: 'grpc-status 14 is a 503, 13 a 500, 5 none',
    upstreams: { app: grpc(14), internal: grpc(13), missing: grpc(5) },
    config: ports => {
      const watched = {
        outlier_detection: {
          interval: '60s',
          max_ejection_percent: 100,
          consecutive_5xx: 2,
          consecutive_gateway_failure: 1,
          enforcing_consecutive_5xx: 0,
        },
      }
      return {
        app: watched,
        clusters: [cluster('internal', ports.upstream.internal!, watched), cluster('missing', ports.upstream.missing!, watched)], // biome-ignore format: one line
        routes: [
          ...['internal', 'missing'].map(name => ({
            match: { prefix: '/', headers: [{ name: 'to', string_match: { exact: name } }] },
            route: { cluster: name },
          })),
          { match: { prefix: '/' }, route: { cluster: 'app' } },
        ],
      }
    },
    steps: ['app', 'app', 'internal', 'internal', 'missing', 'missing'].flatMap(to => [
      { send: grpcCall.send.replace('te: ', `to: ${to}\r\nte: `) },
      { settled: 'main thread' as const },
    ]),
  },
  {
    name: 'copies count',
    covers: 'outlier detection of a cluster that gets mirrored requests',
    upstreams: { app: ok(), copy: status(500) },
    config: own('copy', {
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', request_mirror_policies: [{ cluster: 'copy' }] } }],
    }),
    steps: twice('copy'),
  },
  {
    name: 'copies that nobody takes count',
    covers: 'outlier detection of mirrored requests: a refused connection is a 503',
    upstreams: { app: ok() },
    config: own('copy', {
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', request_mirror_policies: [{ cluster: 'copy' }] } }],
    }),
    steps: twice('copy'),
  },
  {
    name: 'questions of ext_authz count',
    covers: 'outlier detection of the cluster of ext_authz: answers of 500',
    upstreams: { app: ok(), auth: status(500) },
    config: own('auth', askFirst()),
    steps: twice('auth'),
  },
  {
    name: 'questions of ext_authz that nobody takes count',
    covers: 'outlier detection of the cluster of ext_authz: refused',
    upstreams: { app: ok() },
    config: own('auth', askFirst({ failure_mode_allow: true })),
    steps: twice('auth'),
  },
  {
    name: 'health checks do not count',
    covers: 'outlier detection: what checks find is no request',
    upstreams: { app: (message, socket, index) => (index < 3 ? status(503) : ok())(message, socket, index) },
    config: {
      app: {
        outlier_detection: { interval: '60s', max_ejection_percent: 100, consecutive_5xx: 1 },
        common_lb_config: { healthy_panic_threshold: { value: 0 }, update_merge_window: '0s' },
        health_checks: [
          {
            timeout: '3s',
            interval: '0.1s',
            no_traffic_interval: '0.1s',
            unhealthy_threshold: 1,
            healthy_threshold: 1,
            http_health_check: { path: '/hc' },
          },
        ],
      },
    },
    steps: [{ until: 'cluster.app.membership_healthy: 1' }, { send: get('/') }, { admin: '/stats?filter=^cluster.app.outlier_detection.*(active|detected_consecutive_5xx)' }], // biome-ignore format: one line
    except: {
      why: 'how many checks there were is a matter of time',
      drop: observation => {
        observation.upstream = {}
        for (const name of Object.keys(observation.stats))
          if (/health_check|membership_healthy/.test(name)) delete observation.stats[name]
      },
    },
  },
]
