import { type Case, get } from '../harness/case.ts'
import { cluster, type Ports } from '../harness/config.ts'
import { type Behaviour, ok } from '../harness/upstream.ts'

type Fields = Record<string, unknown>

const from = (address: string, port_value = 0) => ({
  upstream_bind_config: { source_address: { address, port_value } },
})
/** From where a connection comes, as its answer. */
const caller: Behaviour = (message, socket, index) => ok(socket.remoteAddress)(message, socket, index)
/** Routes by the first part of a path to clusters of these fields, whose host is `app`. */
const clusters = (all: Record<string, Fields>) => (ports: Ports) => ({
  clusters: Object.entries(all).map(([name, fields]) => cluster(name, ports.upstream.app!, fields)),
  routes: Object.keys(all).map(name => ({ match: { prefix: `/${name}` }, route: { cluster: name } })),
})
const OWN_LINE =
  '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_TRANSPORT_FAILURE_REASON% %UPSTREAM_LOCAL_ADDRESS%\n'

export const sourceAddressCases: Case[] = [
  {
    name: 'where connections begin',
    covers: 'upstream_bind_config.source_address of a cluster, of the cluster manager; an empty one is one, too',
    upstreams: { app: caller },
    config: ports => ({
      ...clusters({ own: from('127.0.0.2'), other: {}, empty: { upstream_bind_config: {} }, any: from('0.0.0.0') })(
        ports,
      ),
      bootstrap: { cluster_manager: from('127.0.0.3') },
      accessLog: OWN_LINE,
    }),
    steps: ['/own', '/other', '/empty', '/any'].map(path => ({ send: get(path) })),
    sane: envoy => {
      if (envoy.answers.map(([answer]) => answer!.body).join() !== '127.0.0.2,127.0.0.3,127.0.0.1,127.0.0.1')
        throw new Error('connections begin elsewhere')
    },
  },
  {
    name: 'an address that is not of this machine',
    covers:
      'upstream_bind_config: UF local_connection_failure, bind_errors, upstream_cx_connect_fail; the other family',
    upstreams: { app: caller },
    config: ports => ({
      ...clusters({ elsewhere: from('192.0.2.1'), six: from('::1') })(ports),
      accessLog: OWN_LINE,
      tracing: { spawn_upstream_span: true },
    }),
    steps: ['/elsewhere', '/six'].map(path => ({ send: get(path) })),
    spans: 4,
  },
  {
    name: 'a port that is taken',
    covers: 'source_address.port_value: one that is listened at',
    upstreams: { app: caller, other: ok() },
    config: ports => ({
      ...clusters({ taken: from('127.0.0.1', ports.upstream.other) })(ports),
      accessLog: OWN_LINE,
    }),
    steps: [{ send: get('/taken') }],
    except: {
      why: 'which port it is',
      drop: observation => {
        observation.accessLog = observation.accessLog.map(line =>
          line.replace(/(failed_to_bind_to_127\.0\.0\.1:)\d+/g, '$1<port>'),
        )
      },
    },
  },
  {
    name: 'an address to try again from',
    covers: 'upstream_bind_config: connect-failure covers what fails here; outlier detection',
    upstreams: { app: caller },
    config: ports => ({
      app: {
        ...from('192.0.2.1'),
        outlier_detection: { interval: '60s', max_ejection_percent: 100, consecutive_5xx: 2 },
        common_lb_config: { healthy_panic_threshold: { value: 0 }, update_merge_window: '0s' },
      },
      routes: clusters({ app: {} })(ports).routes.map(({ match, route }) => ({
        match,
        route: { ...route, retry_policy: { retry_on: 'connect-failure', num_retries: 1 } },
      })),
    }),
    steps: [{ send: get('/app') }, { settled: 'main thread' }, { send: get('/app') }],
  },
  {
    name: 'checks from an address',
    covers: 'upstream_bind_config: health checks begin there, too',
    upstreams: { app: (message, socket, index) => (socket.remoteAddress === '127.0.0.2' ? ok() : ok('', 'x-a: b\r\n'))(message, socket, index) }, // biome-ignore format: one line
    config: {
      app: {
        ...from('127.0.0.2'),
        health_checks: [
          {
            timeout: '3s',
            interval: '60s',
            no_traffic_interval: '60s',
            unhealthy_threshold: 1,
            healthy_threshold: 1,
            http_health_check: { path: '/hc', receive: [{ text: Buffer.from('ok').toString('hex') }] },
          },
        ],
        common_lb_config: { healthy_panic_threshold: { value: 0 } },
      },
    },
    steps: [{ send: get('/') }, { admin: '/clusters?filter=^app$' }],
  },
  {
    name: 'checks from an address that is not of this machine',
    covers: 'upstream_bind_config: health checks fail there, too',
    upstreams: { app: caller },
    config: {
      app: {
        ...from('192.0.2.1'),
        health_checks: [
          {
            timeout: '3s',
            interval: '60s',
            no_traffic_interval: '60s',
            unhealthy_threshold: 1,
            healthy_threshold: 1,
            tcp_health_check: {},
          },
        ],
        common_lb_config: { healthy_panic_threshold: { value: 0 } },
      },
    },
    steps: [{ send: get('/') }, { admin: '/clusters?filter=^app$' }, { admin: '/stats?filter=^cluster.app.(bind_errors|health_check)' }], // biome-ignore format: one line
  },
]
