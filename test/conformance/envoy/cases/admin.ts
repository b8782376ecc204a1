import { type Case, get } from '../harness/case.ts'
import { cluster } from '../harness/config.ts'
import { inOrder } from '../harness/in-order.ts'
import { close, NEVER_ACCEPTS, ok, status } from '../harness/upstream.ts'

/** All that was recorded has been flushed, in one interval or in several. */
const counted = (count: number) => ({
  until: `envoy_cluster_upstream_rq_per_cx_count{envoy_cluster_name="app"} ${count}\n`,
  of: '/stats/prometheus?filter=^cluster.app.upstream_rq_per_cx$',
})

const INTERVALS: NonNullable<Case['except']> = {
  // Digits behind the point may be masked as an id already.
  why: 'when an interval ended',
  drop(observation) {
    for (const page of observation.admin)
      page.body = page.body.replace(/\((?:nan|[\d.]+(?:<id \d+>)?),/g, '(<interval>,')
  },
}

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
    name: 'who asks',
    covers: 'admin.access_log: what lines say of requests to the admin port',
    config: ({ folder }) => ({
      admin: {
        profile_path: '/tmp/envoy.prof',
        access_log: [
          {
            name: 'file',
            filter: { header_filter: { header: { name: ':path', string_match: { contains: 'zzz' } } } },
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
              path: `${folder}/access.log`,
              log_format: {
                text_format_source: {
                  inline_string:
                    '%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% ' +
                    '%BYTES_SENT% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% ' +
                    '%DOWNSTREAM_LOCAL_ADDRESS% %REQ(:AUTHORITY)% %REQ(X-FORWARDED-FOR)% %REQ(X-FORWARDED-PROTO)% %REQ(X-REQUEST-ID)% ' +
                    '%RESP(CONTENT-TYPE)% %ROUTE_NAME% %UPSTREAM_HOST% %ACCESS_LOG_TYPE%\n',
                },
              },
            },
          },
        ],
      },
    }),
    steps: [
      { admin: '/stats?filter=zzz' },
      { admin: '/ready?zzz' },
      { admin: '/reset_counters?zzz' },
      { admin: '/reset_counters?zzz', method: 'POST' },
    ],
    logLines: 4,
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
        { settled: 'stats' as const },
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
      { settled: 'stats' },
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
      { settled: 'stats' },
      { send: get('/2'), on: 'a' },
      { send: get('/new') },
      { admin: '/ready' },
      { admin: '/listeners' },
    ],
  },
  {
    name: 'listeners that are closed',
    covers: 'POST /drain_listeners: listener_manager.listener_stopped, nobody is let in, who is in stays',
    steps: [
      { send: get('/1'), on: 'a' },
      { admin: '/drain_listeners', method: 'POST' },
      { until: 'listener_manager.listener_stopped: 1' },
      { send: get('/2'), on: 'a' },
      { admin: '/stats?filter=^listener_manager' },
    ],
  },
  {
    name: 'a drain of what comes in',
    covers: 'POST /drain_listeners?skip_exit&inboundonly, of an outbound listener',
    args: ['--drain-time-s', '60', '--drain-strategy', 'immediate'],
    config: { listener: { traffic_direction: 'OUTBOUND' } },
    steps: [
      { admin: '/drain_listeners?skip_exit&inboundonly', method: 'POST' },
      { settled: 'stats' },
      { send: get('/1') },
      { admin: '/drain_listeners?skip_exit', method: 'POST' },
      { settled: 'stats' },
      { send: get('/2') },
    ],
  },
  {
    name: 'counters start again',
    covers: 'POST /reset_counters',
    steps: [
      { send: get('/') },
      // The bytes written are counted a moment after they were.
      { settled: 'stats' },
      { admin: '/reset_counters', method: 'POST' },
      { admin: '/stats?filter=^cluster\\.app\\.upstream_rq_total$' },
    ],
  },
  {
    name: 'levels of loggers',
    covers: 'POST /logging: one, all, several, what is wrong with a wish',
    steps: [
      '',
      '?main=debug',
      '?level=warning',
      '?paths=main:trace,file:error',
      '?paths=',
      '?paths=main',
      '?paths=main:',
      '?paths=main:nope',
      '?paths=nope:info',
      '?level=nope',
      '?nope=info',
      '?level=info&main=debug',
      '?group=main:debug',
      '?group=debug',
    ].map(query => ({ admin: `/logging${query}`, method: 'POST' as const })),
    except: {
      why: 'Envoy has more components',
      drop(observation) {
        for (const page of observation.admin) page.body = page.body.replace(/^ {2}(?!main:|file:)\w+: \w+\n/gm, '')
      },
    },
  },
  {
    name: 'filters that are no patterns',
    covers: '/clusters, /stats and /config_dump with a bad regular expression; content types of refusals',
    steps: ['%5B', '(', '*', 'a)', 'x%2B%2B', '%5Bb-a%5D'].flatMap(pattern => [
      { admin: `/clusters?filter=${pattern}` },
      { admin: `/stats?filter=${pattern}` },
    ]),
  },
  {
    name: 'lookups of stats',
    covers: '/stats/recentlookups: off, on, cleared; methods',
    steps: [
      { admin: '/stats/recentlookups/enable' },
      { admin: '/stats/recentlookups/enable', method: 'POST' },
      { admin: '/stats/recentlookups/clear', method: 'POST' },
      { admin: '/stats/recentlookups' },
      { admin: '/stats/recentlookups/disable', method: 'POST' },
      { admin: '/stats/recentlookups' },
    ],
  },
  {
    name: 'values as protobuf writes them',
    covers: '/config_dump: durations with three, six or nine decimals, defaults left out, wrappers kept',
    config: {
      hcm: {
        stream_idle_timeout: '1.50s',
        request_timeout: '0090s',
        drain_timeout: '0.0000010s',
        delayed_close_timeout: '0.0500000s',
        normalize_path: false,
        max_request_headers_kb: 60,
        server_name: '',
        generate_request_id: true,
        common_http_protocol_options: { idle_timeout: '3600.000s', max_headers_count: 100 },
      },
      app: {
        connect_timeout: '0.2500s',
        common_lb_config: { healthy_panic_threshold: { value: 0 }, update_merge_window: '0s' },
        dns_refresh_rate: '1.000000001s',
        per_connection_buffer_limit_bytes: 1024,
        lb_policy: 'LEAST_REQUEST',
      },
    },
    steps: [
      { admin: '/config_dump?resource=static_clusters&name_regex=app' },
      { admin: '/config_dump?resource=static_listeners' },
    ],
    except: {
      why: 'protobuf has no order of fields; the file of the log and times of loading are those of the run',
      drop(observation) {
        for (const page of observation.admin)
          page.body = inOrder(page.body.replaceAll(/"(path|last_updated)": "[^"]*"/g, '"$1": "<…>"'))
      },
    },
  },
  {
    name: 'what was used',
    covers: '/stats?usedonly after a request: counters, gauges that are 0, circuit breakers; Prometheus too',
    steps: [
      { admin: '/stats?usedonly&filter=^(cluster|http|vhost).*circuit_breakers' },
      { send: get('/'), on: 'kept' },
      { settled: 'stats' },
      {
        admin:
          '/stats?usedonly&type=Gauges&filter=^(cluster\\.|http\\.in|listener\\.1|cluster_manager|listener_manager|runtime)',
      },
      { admin: '/stats?usedonly&type=Counters&filter=^(cluster\\.|listener\\.1|vhost)' },
      { admin: '/stats/prometheus?usedonly&type=Gauges&filter=^cluster\\.app' },
      ...['include', 'only', 'exclude', 'bogus'].map(hidden => ({
        admin: `/stats?filter=^cluster.app.upstream_rq_total$&hidden=${hidden}`,
      })),
    ],
  },
  {
    name: 'histograms after their interval',
    covers: 'stats_flush_interval: what was recorded is seen after it; counts by bucket, quantiles of whole numbers',
    config: { bootstrap: { stats_flush_interval: '0.2s' } },
    upstreams: { app: ok('yes', 'connection: close\r\n') },
    steps: [
      { send: get('/') },
      { send: get('/') },
      { send: get('/') },
      counted(3),
      { admin: '/stats?filter=^cluster.app.upstream_rq_per_cx$&histogram_buckets=none' },
      { admin: '/stats?filter=^cluster.app.upstream_rq_per_cx$&histogram_buckets=none&format=bogus' },
      ...['cumulative', 'disjoint', 'detailed', 'summary', 'prometheusnative'].flatMap(mode => [
        { admin: `/stats/prometheus?filter=^cluster.app.upstream_rq_per_cx$&histogram_buckets=${mode}` },
      ]),
    ],
    except: INTERVALS,
  },
  {
    name: 'histograms on demand',
    covers: 'stats_flush_on_admin: whoever asks makes the next one see what there is',
    config: { bootstrap: { stats_flush_on_admin: true } },
    upstreams: { app: ok('yes', 'connection: close\r\n') },
    steps: [
      { send: get('/') },
      { send: get('/') },
      counted(2),
      { admin: '/stats?filter=^cluster.app.upstream_rq_per_cx$' },
      { send: get('/') },
      counted(3),
      { admin: '/stats?filter=^cluster.app.upstream_rq_per_cx$' },
    ],
    except: INTERVALS,
  },
  {
    name: 'parts that are not there',
    covers:
      '/config_dump with resources of which there are none, single fields, masks through lists; /clusters of nothing',
    steps: [
      ...['', 'bootstrap', 'version_info', 'last_updated'].map(name => ({
        admin: `/config_dump?resource=${name}&mask=x`,
      })),
      ...[
        ...['dynamic_listeners', 'dynamic_active_clusters', 'dynamic_warming_clusters', 'dynamic_route_configs'],
        ...['static_secrets', 'dynamic_active_secrets', 'inline_scoped_route_configs', 'dynamic_endpoint_configs'],
      ].map(name => ({ admin: `/config_dump?resource=${name}` })),
      { admin: '/config_dump?resource=dynamic_endpoint_configs&include_eds' },
      { admin: '/config_dump?resource=dynamic_listeners&mask=bogus' },
      { admin: '/config_dump?mask=static_listeners.listener.name' },
      { admin: '/config_dump?mask=bootstrap.static_resources.clusters.name' },
      { admin: '/config_dump?resource=static_clusters&mask=cluster.load_assignment.endpoints.priority' },
      { admin: '/clusters?filter=zzz' },
      { admin: '/clusters?filter=zzz&format=json' },
    ],
    except: {
      why: 'Envoy writes a mask over several lines, with a word that changes',
      drop(observation) {
        for (const page of observation.admin)
          page.body = page.body.replace(
            /FieldMask (?:goo\.gle\/\S+\s+)?paths: ("[^"]*")\s+could/,
            'FieldMask paths: $1 could',
          )
      },
    },
  },
  {
    name: 'profilers',
    covers: '/cpuprofiler, /heapprofiler: methods, parameters, what a build says that has none',
    steps: [
      { admin: '/cpuprofiler?enable=y' },
      { admin: '/heapprofiler' },
      ...['', '?enable=x', '?enable=n', '?enable=y', '?enable=y&x'].map(query => ({
        admin: `/cpuprofiler${query}`,
        method: 'POST' as const,
      })),
      { admin: '/heapprofiler?enable=y', method: 'POST' },
    ],
  },
]
