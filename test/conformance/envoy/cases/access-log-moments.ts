import { type Case, get, request } from '../harness/case.ts'
import { hang, ok, sequence, status } from '../harness/upstream.ts'

const LINE =
  '%ACCESS_LOG_TYPE% %REQ(:METHOD)% %REQ(:PATH)% code=%RESPONSE_CODE% details=%RESPONSE_CODE_DETAILS% flags=%RESPONSE_FLAGS% ' +
  'route=%ROUTE_NAME% cluster=%UPSTREAM_CLUSTER% host=%UPSTREAM_HOST% rx=%BYTES_RECEIVED% tx=%BYTES_SENT% id=%REQ(X-REQUEST-ID)%\n'
const atOnce = { access_log_options: { flush_access_log_on_new_request: true } }
const routes = [
  { match: { path: '/direct' }, name: 'direct', direct_response: { status: 200, body: { inline_string: 'hi' } } },
  { match: { path: '/redirect' }, name: 'redirect', redirect: { path_redirect: '/x' } },
  { match: { path: '/nowhere' }, name: 'nowhere', route: { cluster_header: 'x-cluster' } },
  { match: { prefix: '/app' }, name: 'app', route: { cluster: 'app' } },
]

export const accessLogMomentCases: Case[] = [
  {
    name: 'log: as requests come',
    covers: 'flush_access_log_on_new_request: a DownstreamStart line; answered here, upstream, refused',
    upstreams: { app: ok('yes') },
    config: { accessLog: LINE, hcm: atOnce, routes },
    logLines: 15,
    steps: [
      { send: get('/direct') },
      { send: get('/redirect') },
      { send: get('/nowhere') },
      { send: request('POST', '/app', {}, 'body') },
      { send: get('/none') },
      { send: get('/app', { connection: 'upgrade', upgrade: 'websocket' }) },
      { send: 'GET /app HTTP/1.1\r\n\r\n' },
      { send: get('/a#b') },
      { send: 'GET /app HTTP/1.1\r\nhost: a b\r\n\r\n' },
    ],
  },
  {
    name: 'log: as requests come, by the older field',
    covers: 'flush_access_log_on_new_request of the connection manager; ACCESS_LOG_TYPE in headers is NotSet',
    config: {
      accessLog: LINE,
      hcm: { flush_access_log_on_new_request: true },
      routes: [
        {
          match: { prefix: '/' },
          route: { cluster: 'app' },
          response_headers_to_add: [{ header: { key: 'x-type', value: '%ACCESS_LOG_TYPE%' } }],
        },
      ],
    },
    logLines: 2,
    steps: [{ send: get('/') }],
  },
  {
    name: 'log: again and again',
    covers: 'access_log_flush_interval: DownstreamPeriodic lines while a request is under way',
    upstreams: { app: hang },
    config: {
      accessLog: LINE,
      hcm: { access_log_options: { access_log_flush_interval: '0.5s' } },
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '1.4s' } }],
    },
    logLines: 3,
    steps: [{ send: get('/') }],
  },
  {
    name: 'log: as requests come, and go on elsewhere',
    covers: 'flush_access_log_on_new_request: an internal redirect begins twice; with a trace',
    upstreams: {
      app: sequence(status(302, '', 'location: http://example.test/app/moved\r\n'), ok('yes')),
    },
    config: {
      accessLog: LINE.replace('\n', ' trace=%TRACE_ID%\n'),
      hcm: atOnce,
      tracing: {},
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', internal_redirect_policy: {} } }],
    },
    logLines: 4,
    spans: 2,
    steps: [{ send: get('/inner') }],
  },
  {
    name: 'log: only beginnings',
    covers: 'log_type_filter: DownstreamStart alone; TcpPeriodic, none',
    config: { accessLog: LINE, hcm: atOnce, accessLogFilter: { log_type_filter: { types: ['DownstreamStart'] } } },
    logLines: 1,
    steps: [{ send: get('/') }],
  },
  {
    name: 'log: durations of what goes on',
    covers: 'duration_filter and DURATION of a request that is not over: how long it has been so far',
    upstreams: { app: hang },
    config: {
      accessLog: '%ACCESS_LOG_TYPE% %RESPONSE_CODE% %DURATION%\n',
      accessLogFilter: {
        duration_filter: { comparison: { op: 'GE', value: { default_value: 150, runtime_key: 'none' } } },
      },
      hcm: { access_log_options: { access_log_flush_interval: '0.2s', flush_access_log_on_new_request: true } },
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0.3s' } }],
    },
    logLines: 2,
    steps: [{ send: get('/') }],
    except: {
      why: 'how long it took',
      drop(observation) {
        observation.accessLog = observation.accessLog.map(line => line.replace(/ \d{3}$/, ' <duration>'))
      },
    },
  },
]
