import { type Case, get } from '../harness/case.ts'
import { cluster } from '../harness/config.ts'
import { close, NEVER_ACCEPTS, status } from '../harness/upstream.ts'

export const adminCases: Case[] = [
  {
    name: 'ready, listeners, methods',
    covers: 'texts and status codes of the admin port',
    steps: [
      { admin: '/ready' },
      { admin: '/listeners' },
      { admin: '/listeners?format=json' },
      { admin: '/reset_counters' },
      { admin: '/stats?filter=nothing_is_called_so' },
      { admin: '/stats?filter=[' },
      { admin: '/stats?filter=cluster.app.upstream_rq_total&usedonly' },
    ],
  },
  {
    name: 'clusters',
    covers: 'the text of /clusters after a request',
    steps: [{ send: get('/') }, { admin: '/clusters' }],
  },
  {
    name: 'stats of a cluster and a listener',
    covers: '/stats names and values, Prometheus names and labels',
    steps: [
      { send: get('/') },
      { send: get('/') },
      {
        admin:
          '/stats?filter=^cluster\\.app\\.(upstream_rq|upstream_cx_total|membership|lb_healthy|circuit)[a-z0-9_.]*$&type=Counters',
      },
      // Without tx_bytes: a service time of ten milliseconds is a byte more than one of nine.
      { admin: '/stats?filter=^http\\.in\\.downstream_(rq_[a-z0-9_]*|cx_(total|[a-su-z][a-z0-9_]*))$&type=Counters' },
      { admin: '/stats/prometheus?filter=^cluster\\.app\\.upstream_rq_(2xx|200|total|completed)$' },
      { admin: '/stats?format=json&filter=^cluster\\.app\\.upstream_rq_total$' },
    ],
  },
  {
    name: 'a host that fails',
    covers: 'rq_error, rq_success, rq_timeout, cx_connect_fail of /clusters',
    upstreams: {
      app: (message, socket, index) => {
        const path = message.head[0]!.split(' ')[1]!
        if (path === '/close') return close(message, socket, index)
        if (path === '/cut') return void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut')
        if (path === '/wrong') return void socket.write('SSH-2.0-OpenSSH_9.2\r\n\r\n')
        if (path === '/informed') return void socket.end('HTTP/1.1 103 Early Hints\r\n\r\n')
        if (path === '/hang' || path === '/hung') return
        if (path === '/half') return void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')
        status(path === '/404' ? 404 : path === '/503' ? 503 : 200)(message, socket, index)
      },
    },
    config: {
      routes: [
        { match: { prefix: '/ha' }, route: { cluster: 'app', timeout: '0.15s' } },
        {
          match: { prefix: '/hung' },
          route: {
            cluster: 'app',
            timeout: '2s',
            retry_policy: { retry_on: '5xx', num_retries: 1, per_try_timeout: '0.1s' },
          },
        },
        { match: { prefix: '/503' }, route: { cluster: 'app', retry_policy: { retry_on: '5xx', num_retries: 2 } } },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
    },
    steps: [
      ...['/200', '/404', '/503', '/close', '/cut', '/wrong', '/informed', '/hang', '/half', '/hung'].flatMap(path => [
        { send: get(path) },
        { wait: 15 },
      ]),
      { admin: '/clusters' },
    ],
  },
  {
    name: 'hosts that cannot be connected to',
    covers: 'cx_connect_fail and rq_error of /clusters',
    upstreams: { slow: NEVER_ACCEPTS },
    config: ports => ({
      clusters: [cluster('slow', ports.upstream.slow!, { connect_timeout: '0.15s' })],
      routes: [
        { match: { prefix: '/slow' }, route: { cluster: 'slow' } },
        {
          match: { prefix: '/' },
          route: { cluster: 'app', retry_policy: { retry_on: 'connect-failure', num_retries: 1 } },
        },
      ],
    }),
    // One by one: Envoy shows them in the order of a hash.
    steps: [
      { send: get('/slow') },
      { send: get('/') },
      { admin: '/clusters?filter=slow' },
      { admin: '/clusters?filter=app' },
    ],
  },
  {
    name: 'failing health checks',
    covers: 'POST /healthcheck/fail: connection: close, downstream_cx_drain_close',
    steps: [
      { admin: '/healthcheck/fail', method: 'POST' },
      { admin: '/ready' },
      { send: get('/1'), on: 'a' },
      { wait: 100 },
      { send: get('/still'), on: 'a' },
      { admin: '/healthcheck/ok', method: 'POST' },
      { admin: '/ready' },
      { send: get('/2') },
    ],
  },
  {
    name: 'pages with little to say',
    covers: '/certs, /init_dump, /hot_restart_version, a filter that is none',
    steps: [
      { admin: '/certs' },
      { admin: '/init_dump' },
      { admin: '/hot_restart_version' },
      { admin: '/stats?format=bogus' },
      { admin: '/stats?type=Bogus' },
      { admin: '/listeners?format=bogus' },
      { admin: '/runtime_modify', method: 'POST' },
      ...['/healthcheck/fail', '/healthcheck/ok', '/drain_listeners', '/quitquitquit', '/logging', '/reopen_logs'].map(
        path => ({ admin: path }),
      ),
      { admin: '/runtime_modify?a=1' },
      { admin: '/ready', method: 'POST' },
      { admin: '/reopen_logs', method: 'POST' },
    ],
  },
  {
    name: 'histograms by bucket',
    covers: '/stats?histogram_buckets, of one without values',
    steps: ['cumulative', 'disjoint', 'detailed', 'summary', 'bogus'].flatMap(mode => [
      { admin: `/stats?filter=^cluster.app.upstream_rq_per_cx$&histogram_buckets=${mode}` },
      { admin: `/stats/prometheus?filter=^cluster.app.upstream_rq_per_cx$&histogram_buckets=${mode}` },
      ...(mode === 'detailed' || mode === 'summary'
        ? [{ admin: `/stats?filter=^cluster.app.upstream_rq_per_cx$&histogram_buckets=${mode}&format=json` }]
        : []),
    ]),
  },
  {
    name: 'a part of the configuration',
    covers: '/config_dump with resource, mask, name_regex, include_eds',
    config: ports => ({ clusters: [cluster('other', ports.upstream.app!)] }),
    steps: [
      { admin: '/config_dump?resource=bogus' },
      { admin: '/config_dump?resource=static_clusters&mask=cluster.name' },
      { admin: '/config_dump?resource=static_clusters&mask=cluster.name,cluster.type&name_regex=oth.*' },
      { admin: '/config_dump?resource=static_listeners&mask=listener.name,listener.address' },
      { admin: '/config_dump?resource=bootstrap&mask=node.id' },
      { admin: '/config_dump?mask=bootstrap.admin.address' },
      { admin: '/config_dump?mask=bootstrap.node.id,static_clusters' },
      { admin: '/config_dump?mask=configs' },
      { admin: '/config_dump?name_regex=[' },
      { admin: '/config_dump?resource=static_clusters&name_regex=oth' },
      { admin: '/config_dump?resource=static_endpoint_configs' },
      { admin: '/config_dump?include_eds&resource=static_endpoint_configs' },
      { admin: '/config_dump?include_eds&mask=static_endpoint_configs&name_regex=app' },
      { admin: '/config_dump?include_eds&resource=static_endpoint_configs&mask=endpoint_config.cluster_name' },
    ],
  },
  {
    name: 'graceful drains',
    covers: 'POST /drain_listeners?graceful, --drain-strategy immediate',
    args: ['--drain-time-s', '60', '--drain-strategy', 'immediate'],
    steps: [
      { send: get('/1'), on: 'a' },
      { admin: '/drain_listeners?graceful', method: 'POST' },
      { wait: 100 },
      { send: get('/2'), on: 'a' },
      { send: get('/new') },
      { admin: '/ready' },
      { admin: '/listeners' },
    ],
  },
  {
    name: 'a drain of what comes in',
    covers: 'POST /drain_listeners?skip_exit&inboundonly, of an outbound listener',
    args: ['--drain-time-s', '60', '--drain-strategy', 'immediate'],
    config: { listener: { traffic_direction: 'OUTBOUND' } },
    steps: [
      { admin: '/drain_listeners?skip_exit&inboundonly', method: 'POST' },
      { wait: 100 },
      { send: get('/1') },
      { admin: '/drain_listeners?skip_exit', method: 'POST' },
      { wait: 100 },
      { send: get('/2') },
    ],
  },
  {
    name: 'counters start again',
    covers: 'POST /reset_counters',
    steps: [
      { send: get('/') },
      // The bytes written are counted a moment after they were.
      { wait: 30 },
      { admin: '/reset_counters', method: 'POST' },
      { admin: '/stats?filter=^cluster\\.app\\.upstream_rq_total$' },
    ],
  },
]
