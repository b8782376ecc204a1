import { type Case, get, request } from '../harness/case.ts'
import { close, echo, hang, ok, status } from '../harness/upstream.ts'
import { ALWAYS, config, filter, NEVER, perFilter, routes } from './filter-configs.ts'

type Fields = Record<string, unknown>

const service = (fields: Fields = {}) => ({
  server_uri: { uri: 'http://auth.test', cluster: 'auth', timeout: '0.25s' },
  ...fields,
})
const authz = (fields: Fields = {}) => [
  filter('ext_authz', 'ext_authz.v3.ExtAuthz', { transport_api_version: 'V3', http_service: service(), ...fields }),
]
const exact = (...names: string[]) => ({ patterns: names.map(name => ({ exact: name })) })
const ofRoute = (fields: Fields) => perFilter('ext_authz', config('ext_authz.v3.ExtAuthzPerRoute', fields))

export const extAuthzCases: Case[] = [
  {
    name: 'ext_authz: yes',
    covers: 'what the service is asked, what goes upstream then; ok of filter and cluster',
    upstreams: { app: echo, auth: ok('yes', 'x-user: ann\r\nx-more: a\r\n') },
    config: { filters: authz(), tracing: {} },
    steps: [
      { send: get('/a?b', { authorization: 'secret', cookie: 'a=b', 'x-own': '1' }) },
      { send: request('POST', '/c', {}, 'body') },
    ],
    spans: 2,
  },
  {
    name: 'ext_authz: yes, with headers',
    except: {
      why: 'the order of the headers that the service is asked with is chance in Envoy: a map of protobuf',
      drop({ upstream }) {
        for (const asked of upstream.auth ?? []) asked.head.sort()
      },
    },
    covers:
      'allowed_headers, headers_to_add, allowed_upstream_headers(_to_append), _on_success, x-envoy-auth-headers-to-remove',
    upstreams: {
      app: echo,
      auth: ok(
        'yes',
        'x-user: ann\r\nx-more: b\r\nx-client: c\r\nx-secret: no\r\nx-envoy-auth-headers-to-remove: x-gone, X-Gone-Too\r\n',
      ),
    },
    config: {
      filters: authz({
        allowed_headers: { patterns: [{ prefix: 'x-' }] },
        disallowed_headers: exact('x-withheld'),
        http_service: service({
          path_prefix: '/check',
          authorization_request: {
            headers_to_add: [
              { key: 'x-added', value: 'here' },
              { key: 'x-more', value: 'over' },
            ],
          },
          authorization_response: {
            allowed_upstream_headers: exact('x-user'),
            allowed_upstream_headers_to_append: exact('x-more'),
            allowed_client_headers_on_success: exact('x-client'),
          },
        }),
      }),
    },
    steps: [
      {
        send: get('/p?q', {
          'x-user': 'forged',
          'x-more': 'a',
          'x-withheld': '1',
          'x-gone': '1',
          'x-gone-too': '1',
          accept: '*/*',
        }),
      },
    ],
  },
  {
    name: 'ext_authz: no',
    covers: 'status, headers and body of the service, UAEX ext_authz_denied, the cluster is charged; a body, HEAD',
    upstreams: {
      app: ok(),
      auth: status(401, 'who are you', 'www-authenticate: Basic\r\nx-a: 1\r\ncontent-type: text/x\r\n'),
    },
    config: { filters: authz(), tracing: {} },
    steps: [{ send: get('/') }, { send: request('POST', '/', {}, 'body') }, { send: request('HEAD', '/') }],
    spans: 3,
  },
  {
    name: 'ext_authz: no, with chosen headers',
    covers: 'allowed_client_headers; a redirect to a login',
    upstreams: {
      app: ok(),
      auth: status(302, '', 'location: /login\r\nset-cookie: a=b\r\nset-cookie: c=d\r\nx-b: 2\r\n'),
    },
    config: {
      filters: authz({
        http_service: service({ authorization_response: { allowed_client_headers: exact('set-cookie') } }),
      }),
    },
    steps: [{ send: get('/') }],
  },
  ...[
    { how: 'answers 500', auth: status(500, 'broken', 'x-a: 1\r\n') },
    { how: 'hangs up', auth: close },
    { how: 'is silent', auth: hang },
    { how: 'is not there', auth: undefined },
  ].map(
    ({ how, auth }): Case => ({
      name: `ext_authz: the service ${how}`,
      covers: '403 UAEX ext_authz_error, error; nothing upstream',
      upstreams: auth === undefined ? { app: ok() } : { app: ok(), auth },
      config: ports => ({
        filters: authz(),
        tracing: {},
        ...(auth === undefined ? { clusters: [dead(ports.dead)] } : {}),
      }),
      steps: [{ send: get('/') }],
      spans: 2,
    }),
  ),
  {
    name: 'ext_authz: a service that fails is no matter',
    covers: 'failure_mode_allow, failure_mode_allow_header_add, failure_mode_allowed',
    upstreams: { app: echo, auth: status(503) },
    config: { filters: authz({ failure_mode_allow: true, failure_mode_allow_header_add: true }) },
    steps: [{ send: get('/') }],
  },
  {
    name: 'ext_authz: a status of its own on errors',
    covers: 'status_on_error',
    upstreams: { app: ok(), auth: status(503) },
    config: { filters: authz({ status_on_error: { code: 'ServiceUnavailable' } }) },
    steps: [{ send: get('/') }],
  },
  {
    name: 'ext_authz: with the body',
    covers: 'with_request_body: all of it, too much of it (413), part of it, x-envoy-auth-partial-body; none',
    upstreams: { app: echo, auth: echo },
    config: {
      filters: authz({ with_request_body: { max_request_bytes: 10 } }),
      routes: routes({
        '/part': ofRoute({
          check_settings: { with_request_body: { max_request_bytes: 5, allow_partial_message: true } },
        }),
        '/none': ofRoute({ check_settings: { disable_request_body_buffering: true } }),
      }),
    },
    steps: [
      { send: request('POST', '/', {}, 'x'.repeat(10)) },
      { send: request('POST', '/', {}, 'x'.repeat(11)) },
      { send: request('POST', '/part', {}, 'abcdefgh') },
      { send: request('POST', '/part', {}, 'abc') },
      { send: request('POST', '/none', {}, 'x'.repeat(20)) },
      { send: get('/') },
      {
        send: ['POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n', '2\r\nde\r\n0\r\n\r\n'],
        pause: 30,
      },
    ],
  },
  {
    name: 'ext_authz: of routes',
    covers: 'ExtAuthzPerRoute: disabled, another service; direct responses are asked about, too',
    upstreams: { app: echo, auth: status(403, 'no'), auth2: ok() },
    config: {
      filters: authz(),
      routes: [
        { match: { path: '/direct' }, direct_response: { status: 200 } },
        ...routes({
          '/off': ofRoute({ disabled: true }),
          '/other': ofRoute({
            check_settings: {
              context_extensions: { a: 'b' },
              http_service: {
                server_uri: { uri: 'http://x', cluster: 'auth2', timeout: '1s' },
                path_prefix: '/second',
              },
            },
          }),
        }),
      ],
    },
    steps: ['/off', '/other', '/', '/direct'].map(path => ({ send: get(path) })),
  },
  {
    name: 'ext_authz: not always',
    covers: 'filter_enabled, deny_at_disable, stat_prefix, disabled',
    upstreams: { app: echo, auth: ok() },
    config: {
      filters: authz({
        stat_prefix: 'mine',
        filter_enabled: { default_value: NEVER, runtime_key: 'authz.on' },
        deny_at_disable: { default_value: false, runtime_key: 'authz.deny' },
      }),
    },
    steps: [
      { send: get('/1') },
      { admin: '/runtime_modify?authz.deny=true', method: 'POST' },
      { send: get('/2') },
      { admin: '/runtime_modify?authz.on=100', method: 'POST' },
      { send: get('/3') },
    ],
  },
  ...[status(403, 'no', 'x-a: 1\r\n'), status(503), ok('yes', 'x-user: ann\r\n')].map(
    (auth, i): Case => ({
      name: `ext_authz: in the shadow, ${['refused', 'failed', 'let through'][i]}`,
      covers: 'shadow_mode: counted, shadow_denied and shadow_error, nothing refused',
      upstreams: { app: echo, auth },
      config: {
        filters: authz({
          shadow_mode: true,
          failure_mode_allow: true,
          failure_mode_allow_header_add: true,
          http_service: service({ authorization_response: { allowed_upstream_headers: exact('x-user') } }),
        }),
      },
      steps: [{ send: get('/') }, { admin: '/stats?filter=ext_authz.shadow' }],
    }),
  ),
  {
    name: 'ext_authz: a part of what the service says',
    covers: 'max_denied_response_body_bytes',
    upstreams: { app: ok(), auth: status(403, '0123456789') },
    config: { filters: authz({ max_denied_response_body_bytes: 4 }) },
    steps: [{ send: get('/') }],
  },
  {
    name: 'ext_authz: by what filters before it have said',
    covers: 'filter_enabled_metadata, disabled',
    upstreams: { app: echo, auth: status(403) },
    config: {
      filters: [
        filter('rbac', 'rbac.v3.RBAC', {
          shadow_rules: {
            action: 'DENY',
            policies: {
              asked: {
                permissions: [{ header: { name: 'x-ask', present_match: true } }],
                principals: [{ any: true }],
              },
            },
          },
        }),
        ...authz({
          filter_enabled_metadata: {
            filter: 'envoy.filters.http.rbac',
            path: [{ key: 'shadow_engine_result' }],
            value: { string_match: { exact: 'denied' } },
          },
        }),
      ],
    },
    steps: [{ send: get('/') }, { send: get('/', { 'x-ask': '1' }) }],
  },
  {
    name: 'ext_authz: the client leaves while it is asked about',
    covers: 'nothing upstream, the question is given up',
    upstreams: { app: ok(), auth: hang },
    config: {
      filters: authz({
        filter_enabled: { default_value: ALWAYS },
        http_service: { server_uri: { uri: 'http://auth.test', cluster: 'auth', timeout: '10s' } },
      }),
    },
    steps: [
      { send: get('/'), on: 'a', answers: 0 },
      { until: 'cluster.auth.upstream_rq_active: 1' },
      { send: '', on: 'a', answers: 0, after: 'close' },
      { until: 'cluster.auth.upstream_rq_active: 0' },
    ],
    logLines: 1,
  },
]

function dead(port: number): Fields {
  const address = { socket_address: { address: '127.0.0.1', port_value: port } }
  return {
    name: 'auth',
    type: 'STATIC',
    load_assignment: { cluster_name: 'auth', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  }
}
