import { type Case, get } from '../harness/case.ts'
import { cluster, endpoint, type Ports } from '../harness/config.ts'
import { close, echo, ok } from '../harness/upstream.ts'

const pipe = (path: string, fields: Record<string, unknown> = {}) => ({
  endpoint: { address: { pipe: { path } }, ...fields },
})
const hosts = (...lbEndpoints: Record<string, unknown>[]) => ({
  load_assignment: { cluster_name: 'app', endpoints: [{ lb_endpoints: lbEndpoints }] },
})
const ADDRESSES =
  'code=%RESPONSE_CODE% flags=%RESPONSE_FLAGS% details=%RESPONSE_CODE_DETAILS% failure=%UPSTREAM_TRANSPORT_FAILURE_REASON% ' +
  'host=%UPSTREAM_HOST% remote=%UPSTREAM_REMOTE_ADDRESS% %UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %UPSTREAM_REMOTE_PORT% ' +
  'local=%UPSTREAM_LOCAL_ADDRESS% %UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT% %UPSTREAM_LOCAL_PORT%\n'

const ENDS =
  '%DOWNSTREAM_REMOTE_ADDRESS%|%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%|%DOWNSTREAM_REMOTE_PORT%|%DOWNSTREAM_LOCAL_ADDRESS%|' +
  '%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%|%DOWNSTREAM_LOCAL_PORT%|%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%|%RESPONSE_CODE%\n'
const listening =
  (at: 'listener' | 'abstract', fields: Record<string, unknown> = {}) =>
  (ports: Ports) => ({
    listener: { address: { pipe: { path: ports.sockets![at], mode: at === 'listener' ? 0o660 : 0 } } },
    accessLog: ENDS,
    ...fields,
  })

export const unixSocketCases: Case[] = [
  ...(['listener', 'abstract'] as const).map(
    (at): Case => ({
      name: `a listener at a Unix socket${at === 'abstract' ? ' without a file' : ''}`,
      covers: `Listener.address.pipe${at === 'abstract' ? ', an abstract one' : ' with a mode'}: its stats, /listeners, addresses of both ends`,
      config: listening(at, { tracing: {} }),
      steps: [
        { send: get('/', { 'x-forwarded-for': '192.0.2.7' }), to: at },
        { send: get('/b'), to: at, on: 'kept' },
        { send: get('/c'), to: at, on: 'kept' },
        { admin: '/listeners' },
        { admin: '/listeners?format=json' },
      ],
      spans: 3,
    }),
  ),
  {
    name: 'a listener at a Unix socket, whose clients are told of',
    covers: 'use_remote_address at a Unix socket: nothing for x-forwarded-for; append_x_forwarded_port',
    upstreams: { app: echo },
    config: listening('listener', { hcm: { use_remote_address: true, append_x_forwarded_port: true } }),
    steps: [
      { send: get('/'), to: 'listener' },
      { send: get('/', { 'x-forwarded-for': '192.0.2.7' }), to: 'listener' },
    ],
  },
  ...[false, true].map(
    (unixSockets): Case => ({
      name: `who comes by a Unix socket is ${unixSockets ? 'one' : 'none'} of us`,
      covers: `internal_address_config.unix_sockets ${unixSockets}`,
      upstreams: { app: echo },
      config: listening('listener', {
        hcm: { use_remote_address: true, internal_address_config: { unix_sockets: unixSockets } },
      }),
      steps: [{ send: get('/', { 'x-envoy-retry-on': '5xx', 'x-envoy-internal': 'false' }), to: 'listener' }],
    }),
  ),
  {
    name: 'a hash of who comes by a Unix socket, and rules for them',
    covers: 'hash_policy source_ip, rbac remote_ip at a Unix socket',
    config: listening('listener', {
      routes: [
        {
          match: { prefix: '/' },
          route: { cluster: 'app', hash_policy: [{ connection_properties: { source_ip: true } }] },
        },
      ],
      app: { lb_policy: 'RING_HASH' },
      filters: [
        {
          name: 'rbac',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC',
            rules: {
              action: 'DENY',
              policies: {
                near: {
                  permissions: [{ destination_port: 80 }, { header: { name: 'x', present_match: true } }],
                  principals: [{ direct_remote_ip: { address_prefix: '127.0.0.0', prefix_len: 8 } }],
                },
              },
            },
          },
        },
      ],
    }),
    steps: [{ send: get('/', { x: '1' }), to: 'listener' }],
  },
  {
    name: 'an upstream at a Unix socket',
    covers: 'pipe: its path in log lines, on spans and in /clusters',
    upstreams: {},
    sockets: { app: echo },
    config: ports => ({
      app: hosts(pipe(ports.sockets!.app!)),
      accessLog: ADDRESSES,
      tracing: { spawn_upstream_span: true },
    }),
    steps: [{ send: get('/') }, { send: get('/') }, { admin: '/clusters?filter=app' }],
    spans: 4,
  },
  {
    name: 'Unix sockets as JSON',
    covers: 'pipe: /clusters?format=json',
    upstreams: {},
    sockets: { app: ok() },
    config: ports => ({ app: hosts(pipe(ports.sockets!.app!, { hostname: 'app.test' })) }),
    steps: [{ send: get('/') }, { admin: '/clusters?format=json&filter=app' }],
  },
  {
    name: 'no Unix socket there',
    covers: 'pipe: no such file, 503 UF; the reason of the failure',
    upstreams: {},
    config: ports => ({ app: hosts(pipe(ports.sockets!.dead!)), accessLog: ADDRESSES }),
    steps: [{ send: get('/') }, { admin: '/clusters?filter=app' }],
  },
  {
    name: 'a Unix socket and a port',
    covers: 'pipe: hosts of both kinds by turns; a retry',
    upstreams: { port: ok('port') },
    sockets: { app: close },
    config: ports => ({
      app: hosts(pipe(ports.sockets!.app!), endpoint(ports.upstream.port!)),
      routes: [
        {
          match: { prefix: '/' },
          route: {
            cluster: 'app',
            retry_policy: {
              retry_on: 'reset',
              num_retries: 3,
              retry_host_predicate: [
                {
                  name: 'previous',
                  typed_config: {
                    '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
                  },
                },
              ],
              host_selection_retry_max_attempts: 5,
            },
          },
        },
      ],
      accessLog: '%RESPONSE_CODE% host=%UPSTREAM_HOST%\n',
    }),
    steps: [{ send: get('/') }, { send: get('/') }],
    except: {
      why: 'the first host is drawn at random: only what becomes of the requests is compared',
      drop: observation => {
        observation.stats = {}
        observation.upstream = {}
        observation.answers = observation.answers.map(answers =>
          answers.map(answer => ({ ...answer, head: answer.head.slice(0, 1) })),
        )
      },
    },
  },
  {
    name: 'the name of a Unix socket',
    covers: 'pipe: auto_host_rewrite to its hostname',
    upstreams: {},
    sockets: { app: echo },
    config: ports => ({
      app: hosts(pipe(ports.sockets!.app!, { hostname: 'app.test' })),
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', auto_host_rewrite: true } }],
    }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'a Unix socket by hash',
    covers: 'pipe: MAGLEV and RING_HASH by its path',
    upstreams: {},
    sockets: { app: ok('a'), second: ok('b') },
    config: ports => ({
      app: {
        ...hosts(pipe(ports.sockets!.app!), pipe(ports.sockets!.second!)),
        lb_policy: 'MAGLEV',
      },
      accessLog: '%RESPONSE_CODE%\n',
      routes: [
        { match: { prefix: '/' }, route: { cluster: 'app', hash_policy: [{ header: { header_name: 'x-key' } }] } },
      ],
    }),
    steps: ['a', 'a', 'b'].map(key => ({ send: get('/', { 'x-key': key }) })),
    except: {
      why: 'the two programs have sockets of different paths: each sends equal keys to one host',
      drop: observation => {
        observation.answers = observation.answers.map(answers =>
          answers.map(answer => ({
            ...answer,
            body: answer.body === observation.answers[0]![0]!.body ? 'first' : 'b',
          })),
        )
        observation.answers.splice(2)
        observation.upstream = {}
        observation.stats = {}
      },
    },
  },
  {
    name: 'checks of Unix sockets',
    covers: 'pipe: HTTP health checks over it',
    upstreams: {},
    sockets: { app: ok() },
    config: ports => ({
      clusters: [
        {
          ...cluster('checked', 1),
          load_assignment: {
            cluster_name: 'checked',
            endpoints: [{ lb_endpoints: [pipe(ports.sockets!.app!), pipe(ports.sockets!.dead!)] }],
          },
          health_checks: [
            {
              timeout: '1s',
              interval: '60s',
              no_traffic_interval: '60s',
              unhealthy_threshold: 1,
              healthy_threshold: 1,
              http_health_check: { path: '/health' },
            },
          ],
        },
      ],
      routes: [{ match: { prefix: '/' }, route: { cluster: 'checked' } }],
    }),
    steps: [
      { until: 'cluster.checked.membership_healthy: 1' },
      { until: 'cluster.checked.health_check.failure: 1' },
      { admin: '/clusters?filter=checked' },
      { send: get('/') },
    ],
  },
]
