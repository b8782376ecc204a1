import { type Case, get, request } from '../harness/case.ts'
import { close, hang, ok, status } from '../harness/upstream.ts'
import { ALWAYS, filter } from './filter-configs.ts'

type Fields = Record<string, unknown>

const routes: Fields[] = [
  { match: { path: '/gone' }, route: { cluster: 'gone' } },
  { match: { path: '/none' }, route: { cluster_header: 'x-cluster' } },
  { match: { path: '/empty' }, route: { cluster: 'empty' } },
  { match: { path: '/slow' }, route: { cluster: 'slow', timeout: '0.2s' } },
  { match: { path: '/idle' }, route: { cluster: 'slow', timeout: '0s', idle_timeout: '0.2s' } },
  { match: { path: '/closed' }, route: { cluster: 'closed' } },
  { match: { path: '/retried' }, route: { cluster: 'closed', retry_policy: { retry_on: '5xx', num_retries: 1 } } },
  { match: { path: '/full' }, route: { cluster: 'full' } },
  { match: { path: '/500' }, route: { cluster: 'bad' } },
  { match: { path: '/app' }, route: { cluster: 'app' } },
]
const address = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } })
const cluster = (name: string, port: number | undefined, fields: Fields = {}) => ({
  name,
  type: 'STATIC',
  connect_timeout: '0.5s',
  load_assignment: {
    cluster_name: name,
    endpoints: port === undefined ? [] : [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
  },
  ...fields,
})

const one = (name: string, covers: string, proxy_status_config: Fields, more: Fields = {}): Case => ({
  name,
  covers,
  upstreams: {
    app: ok('yes', 'proxy-status: before; error=dns_error\r\n'),
    slow: hang,
    closed: close,
    bad: status(500, 'broken'),
  },
  config: ports => ({
    hcm: { proxy_status_config, ...more },
    routes,
    clusters: [
      cluster('gone', ports.dead),
      cluster('empty', undefined),
      cluster('full', ports.upstream.app, {
        circuit_breakers: { thresholds: [{ max_requests: 0, max_pending_requests: 0 }] },
      }),
    ],
  }),
  steps: [
    ...routes.map(({ match }) => ({ send: get((match as { path: string }).path) })),
    { send: get('/nothing') },
    { send: get('/app', { connection: 'upgrade', upgrade: 'websocket' }) },
    { send: 'GET /app HTTP/1.1\r\n\r\n' },
    { send: 'GET /app HTTP/1.1\r\nhost: a b\r\n\r\n' },
    { send: request('GET', '/closed', { 'content-type': 'application/grpc' }) },
  ],
})

export const proxyStatusCases: Case[] = [
  one(
    'proxy-status',
    'proxy_status_config {}: errors by flags, details; that of an upstream is kept; via',
    {},
    { via: 'edge' },
  ),
  one('proxy-status by the node', 'use_node_id, remove_details', { use_node_id: true, remove_details: true }),
  one('proxy-status by a name', 'literal_proxy_name, remove_response_flags, server_name', {
    literal_proxy_name: 'my proxy',
    remove_response_flags: true,
    remove_connection_termination_details: true,
  }),
  one(
    'proxy-status with its statuses',
    'set_recommended_response_code, a server name of its own',
    {
      set_recommended_response_code: true,
    },
    { server_name: 'front' },
  ),
  {
    name: 'proxy-status of filters',
    covers: 'proxy_status_config: RL, FI, DI, UAEX',
    upstreams: { app: ok(), auth: status(403) },
    config: {
      hcm: { proxy_status_config: { set_recommended_response_code: true, use_node_id: false } },
      filters: [
        filter('local_ratelimit', 'local_ratelimit.v3.LocalRateLimit', {
          stat_prefix: 'limit',
          token_bucket: { max_tokens: 2, tokens_per_fill: 1, fill_interval: '60s' },
          filter_enabled: { default_value: ALWAYS },
          filter_enforced: { default_value: ALWAYS },
        }),
        filter('fault', 'fault.v3.HTTPFault', {
          abort: { http_status: 503, percentage: ALWAYS },
          headers: [{ name: 'x-fault', present_match: true }],
        }),
        filter('ext_authz', 'ext_authz.v3.ExtAuthz', {
          transport_api_version: 'V3',
          http_service: { server_uri: { uri: 'http://auth', cluster: 'auth', timeout: '1s' } },
        }),
      ],
    },
    steps: [{ send: get('/', { 'x-fault': '1' }) }, { send: get('/') }, { send: get('/') }],
  },
  {
    name: 'proxy-status of limits and health checks',
    covers: 'proxy_status_config: DT, UMSDR, UPE, IH, LH',
    upstreams: {
      app: (message, socket, index) => {
        const path = message.head[0]!.split(' ')[1]!
        if (path === '/bad') socket.write('SSH-2.0\r\n\r\n')
        else if (path === '/app') ok()(message, socket, index)
      },
    },
    config: ports => ({
      hcm: { proxy_status_config: {} },
      router: { strict_check_headers: ['x-envoy-max-retries'] },
      filters: [
        filter('health_check', 'health_check.v3.HealthCheck', {
          pass_through_mode: false,
          headers: [{ name: ':path', string_match: { exact: '/healthz' } }],
        }),
      ],
      clusters: [
        cluster('limited', ports.upstream.app, {
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              common_http_protocol_options: { max_stream_duration: '0.15s' },
              explicit_http_config: { http_protocol_options: {} },
            },
          },
        }),
      ],
      routes: [
        {
          match: { path: '/long' },
          route: { cluster: 'app', timeout: '0s', max_stream_duration: { max_stream_duration: '0.15s' } },
        },
        { match: { prefix: '/limited' }, route: { cluster: 'limited', timeout: '0s' } },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
    }),
    steps: [
      { send: get('/long') },
      { send: get('/limited') },
      { send: request('POST', '/limited', { 'content-length': '10' }, '123') },
      { send: get('/bad') },
      { send: get('/app', { 'x-envoy-max-retries': 'no' }) },
      { send: get('/healthz') },
      { admin: '/healthcheck/fail', method: 'POST' },
      { send: get('/healthz') },
    ],
  },
]
