import { type Case, get, request } from '../harness/case.ts'
import { echo, ok, sequence, status } from '../harness/upstream.ts'

const add = (key: string, value: string, append_action?: string) => ({
  header: { key, value },
  ...(append_action === undefined ? {} : { append_action }),
})

/** Each twice. */
const repeated = (names: string[]) => names.map(name => `${name}: 1\r\n${name}: 2\r\n`).join('')

const REQUEST_FIELDS = [
  ['accept', 'accept-encoding', 'accept-language', 'access-control-request-headers', 'access-control-request-method'],
  ['authentication', 'authorization', 'cache-control', 'cache-status', 'client-trace-id', 'content-encoding'],
  ['content-type', 'cookie', 'date', 'etag', 'forwarded', 'from', 'grpc-accept-encoding', 'grpc-timeout'],
  ['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'origin', 'pragma', 'range'],
  ['proxy-authorization', 'referer', 'te', 'trailer', 'user-agent', 'via', 'x-amzn-trace-id', 'x-ot-span-context'],
  ['x-forwarded-client-cert', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-real-ip', 'warning'],
  ['x-b3-traceid', 'b3', 'traceparent', 'tracestate', 'baggage', 'grpc-status', 'grpc-message', 'last-modified'],
  ['x-envoy-attempt-count', 'x-envoy-original-path', 'x-envoy-original-host', 'x-envoy-ip-tags', 'x-client-trace-id'],
  ['x-request-id', 'x-envoy-external-address', 'x-envoy-internal', 'x-envoy-expected-rq-timeout-ms', 'x-custom'],
]

const RESPONSE_FIELDS = [
  ['access-control-allow-credentials', 'access-control-allow-headers', 'access-control-allow-methods', 'age', 'allow'],
  ['access-control-allow-origin', 'access-control-expose-headers', 'access-control-max-age', 'accept-ranges', 'pragma'],
  ['access-control-allow-private-network', 'cache-control', 'content-encoding', 'content-type', 'etag', 'expires'],
  ['content-disposition', 'content-language', 'last-modified', 'link', 'location', 'retry-after', 'server', 'vary'],
  ['date', 'grpc-message', 'grpc-status', 'set-cookie', 'via', 'warning', 'www-authenticate', 'x-request-id'],
  ['x-envoy-attempt-count', 'x-envoy-degraded', 'x-envoy-immediate-health-check-fail', 'x-envoy-ratelimited'],
  ['x-envoy-upstream-service-time', 'x-envoy-decorator-operation', 'x-envoy-upstream-canary', 'x-custom', 'upgrade'],
  ['x-envoy-upstream-healthchecked-cluster', 'x-envoy-retryable', 'strict-transport-security', 'keep-alive'],
]

export const headerCases: Case[] = [
  {
    name: 'a plain GET',
    covers: 'what the upstream and the client get by default',
    upstreams: { app: ok('hello', 'x-app: 1\r\nserver: mine\r\n') },
    steps: [{ send: get('/path?q=1', { 'user-agent': 'test', accept: '*/*', 'X-Mixed-Case': 'Value' }) }],
  },
  {
    name: 'hop-by-hop headers',
    covers: 'connection, keep-alive, proxy-connection, te, upgrade and what Connection names are removed',
    upstreams: { app: echo },
    steps: [
      {
        send: get('/', {
          connection: 'keep-alive, x-private, cookie',
          'x-private': '1',
          cookie: 'a=b',
          'keep-alive': 'timeout=5',
          'proxy-connection': 'close',
          te: 'trailers',
          'x-kept': '1',
        }),
      },
      { send: get('/', { te: 'gzip', 'proxy-authorization': 'Basic eDp5' }) },
    ],
  },
  {
    name: 'Connection naming x-forwarded-proto',
    covers: '400 http1.connection_header_rejected',
    steps: [{ send: get('/', { connection: 'x-forwarded-proto' }) }],
  },
  {
    name: 'repeated headers',
    covers: 'inline headers are joined, others stay separate and in order',
    upstreams: { app: echo },
    steps: [
      {
        send: 'GET / HTTP/1.1\r\nhost: example.test\r\naccept: a\r\nx-many: 1\r\naccept: b\r\nx-many: 2\r\ncookie: a=1\r\ncookie: b=2\r\nx-empty:\r\nx-blank: \t value \t\r\n\r\n',
      },
    ],
  },
  {
    name: 'x-forwarded-for with use_remote_address false',
    covers: 'XFF untouched; x-forwarded-proto kept if present',
    upstreams: { app: echo },
    config: { accessLog: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%\n' },
    steps: [
      { send: get('/', { 'x-forwarded-for': '10.1.1.1, 10.2.2.2', 'x-forwarded-proto': 'https' }) },
      { send: get('/') },
    ],
  },
  {
    name: 'x-forwarded-for with use_remote_address true',
    covers: 'a loopback peer is written as the node address; external address; edge sanitising',
    upstreams: { app: echo },
    config: { hcm: { use_remote_address: true }, accessLog: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%\n' },
    steps: [
      {
        send: get('/', {
          'x-forwarded-for': '10.1.1.1',
          'x-forwarded-proto': 'https',
          'x-envoy-downstream-service-cluster': 'a',
          'x-envoy-original-path': '/x',
          'x-envoy-decorator-operation': 'op',
        }),
      },
      { send: get('/') },
    ],
  },
  {
    name: 'trusted hops',
    covers: 'xff_num_trusted_hops',
    upstreams: { app: echo },
    config: {
      hcm: { use_remote_address: true, xff_num_trusted_hops: 1 },
      accessLog: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%\n',
    },
    steps: [{ send: get('/', { 'x-forwarded-for': '1.2.3.4, 5.6.7.8', 'x-forwarded-proto': 'https' }) }],
  },
  {
    name: 'control headers from an external caller',
    covers: 'x-envoy-* control headers are stripped unless internal; no address is internal by default',
    upstreams: { app: status(503, 'no') },
    steps: [
      {
        send: get('/', {
          'x-envoy-retry-on': '5xx',
          'x-envoy-max-retries': '3',
          'x-envoy-upstream-rq-timeout-ms': '5',
          'x-envoy-force-trace': 'true',
        }),
      },
    ],
  },
  {
    name: 'control headers from an internal caller',
    covers: 'internal_address_config {} and x-forwarded-for: 10.0.0.1',
    upstreams: { app: echo },
    config: { hcm: { internal_address_config: { cidr_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] } } },
    steps: [
      { send: get('/', { 'x-forwarded-for': '10.0.0.1', 'x-envoy-upstream-rq-timeout-ms': '5000', 'x-custom': '1' }) },
      { send: get('/', { 'x-forwarded-for': '11.0.0.1', 'x-envoy-upstream-rq-timeout-ms': '5000' }) },
    ],
  },
  {
    name: 'request ids',
    covers: 'generated, kept on a non-edge hop, echoed on demand',
    upstreams: { app: echo },
    config: { hcm: { always_set_request_id_in_response: true } },
    steps: [
      { send: get('/') },
      { send: get('/', { 'x-request-id': 'my-own-id' }) },
      { send: get('/', { 'x-request-id': '2af77ba2-cb90-4bd6-a5a0-3a5d7a9c1c1a' }) },
    ],
  },
  {
    name: 'request ids on an edge hop',
    covers: 'replaced unless preserved',
    upstreams: { app: echo },
    config: { hcm: { use_remote_address: true, preserve_external_request_id: true } },
    steps: [{ send: get('/', { 'x-request-id': '2af77ba2-cb90-4bd6-a5a0-3a5d7a9c1c1a' }) }],
  },
  {
    name: 'no request id wanted',
    covers: 'generate_request_id: false',
    upstreams: { app: echo },
    config: { hcm: { generate_request_id: false } },
    steps: [{ send: get('/') }],
  },
  {
    name: 'header mutations at every level',
    covers: 'route, then vhost, then route config; removals first in each level; append makes a line, inline joins',
    upstreams: { app: (request, socket, index) => echo(request, socket, index) },
    config: {
      routeConfig: {
        request_headers_to_add: [add('x-level', 'config'), add('x-over', 'config', 'OVERWRITE_IF_EXISTS_OR_ADD')],
        response_headers_to_add: [add('x-answer', 'config')],
        response_headers_to_remove: ['x-app'],
        virtual_hosts: [
          {
            name: 'any',
            domains: ['*'],
            request_headers_to_remove: ['x-route-only'],
            request_headers_to_add: [add('x-level', 'vhost'), add('user-agent', 'vhost')],
            response_headers_to_add: [add('x-answer', 'vhost'), add('x-if-absent', 'vhost', 'ADD_IF_ABSENT')],
            routes: [
              {
                match: { prefix: '/' },
                route: { cluster: 'app' },
                request_headers_to_add: [
                  add('x-level', 'route'),
                  add('x-route-only', '1'),
                  add('x-over', 'route'),
                  add('x-exists', 'changed', 'OVERWRITE_IF_EXISTS'),
                  add('x-absent', 'never', 'OVERWRITE_IF_EXISTS'),
                ],
                request_headers_to_remove: ['x-secret'],
                response_headers_to_add: [add('x-answer', 'route'), add('x-if-absent', 'route', 'ADD_IF_ABSENT')],
              },
            ],
          },
        ],
      },
    },
    steps: [{ send: get('/', { 'user-agent': 'test', 'x-secret': '1', 'x-exists': '1', 'x-level': 'client' }) }],
  },
  {
    name: 'most specific wins',
    covers: 'most_specific_header_mutations_wins',
    upstreams: { app: echo },
    config: {
      routeConfig: {
        most_specific_header_mutations_wins: true,
        request_headers_to_add: [add('x-over', 'config', 'OVERWRITE_IF_EXISTS_OR_ADD')],
        virtual_hosts: [
          {
            name: 'any',
            domains: ['*'],
            routes: [
              {
                match: { prefix: '/' },
                route: { cluster: 'app' },
                request_headers_to_add: [add('x-over', 'route', 'OVERWRITE_IF_EXISTS_OR_ADD')],
              },
            ],
          },
        ],
      },
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'format strings in headers',
    covers: '%REQ%, %%, absent is empty, empty is skipped, keep_empty_value, %PROTOCOL%',
    upstreams: { app: echo },
    config: {
      routes: [
        {
          name: 'named',
          match: { prefix: '/' },
          route: { cluster: 'app' },
          request_headers_to_add: [
            add('x-copy', '%REQ(x-from)%'),
            add('x-absent', '%REQ(x-nothing)%'),
            { ...add('x-kept-empty', '%REQ(x-nothing)%'), keep_empty_value: true },
            add(
              'x-mixed',
              'pre-%REQ(x-nothing)%-post %PROTOCOL% 100%% %REQ(:METHOD)% %REQ(x-nothing?x-from)% %REQ(x-from):3%',
            ),
            add('x-route', '%ROUTE_NAME%'),
            add('x-host', '[%UPSTREAM_HOST%]'),
            add('x-env', '%ENVIRONMENT(HOPSCOPE_TEST)%'),
          ],
          response_headers_to_add: [
            add('x-code', '%RESPONSE_CODE% %RESPONSE_FLAGS%'),
            add('x-cluster', '%UPSTREAM_CLUSTER%'),
            add('x-remote', '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%'),
            add('x-request', '%REQ(:path)%'),
          ],
        },
      ],
    },
    steps: [{ send: get('/p?q', { 'x-from': 'abcdef' }) }],
  },
  {
    name: 'server header',
    covers: 'server_header_transformation APPEND_IF_ABSENT, server_name',
    upstreams: {
      app: (request, socket, index) =>
        ok('', request.head[0]!.includes('own') ? 'server: own\r\n' : '')(request, socket, index),
    },
    config: { hcm: { server_name: 'edge', server_header_transformation: 'APPEND_IF_ABSENT' } },
    steps: [{ send: get('/own') }, { send: get('/none') }],
  },
  {
    name: 'server header passed through',
    covers: 'server_header_transformation PASS_THROUGH',
    upstreams: {
      app: (request, socket, index) =>
        ok('', request.head[0]!.includes('own') ? 'server: own\r\n' : '')(request, socket, index),
    },
    config: { hcm: { server_header_transformation: 'PASS_THROUGH' } },
    steps: [{ send: get('/own') }, { send: get('/none') }],
  },
  {
    name: 'response hop-by-hop headers',
    covers: 'connection, keep-alive, transfer-encoding, proxy-connection are removed; a date is kept',
    upstreams: {
      app: ok(
        'x',
        'connection: keep-alive, x-named\r\nkeep-alive: timeout=5\r\nproxy-connection: x\r\nx-named: stays\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ndate: Tue, 01 Jan 2030 00:00:00 GMT\r\n',
      ),
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'via and user agent',
    covers: 'via appended, add_user_agent',
    upstreams: { app: echo },
    config: { hcm: { via: 'hop', add_user_agent: true } },
    steps: [{ send: get('/', { via: '1.1 other' }) }, { send: get('/', { 'user-agent': 'mine' }) }],
  },
  {
    name: 'attempt count headers',
    covers: 'include_request_attempt_count, include_attempt_count_in_response',
    upstreams: { app: echo },
    config: {
      virtualHosts: [
        {
          name: 'any',
          domains: ['*'],
          include_request_attempt_count: true,
          include_attempt_count_in_response: true,
          routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }],
        },
      ],
    },
    steps: [{ send: get('/', { 'x-envoy-attempt-count': '7' }) }],
  },
  {
    name: 'repeated known request headers',
    covers: 'which fields are joined, and with what',
    upstreams: { app: echo },
    steps: REQUEST_FIELDS.map(names => ({ send: get('/').replace('\r\n\r\n', `\r\n${repeated(names)}\r\n`) })),
  },
  {
    name: 'repeated known response headers',
    covers: 'which fields are joined, and with what',
    upstreams: {
      app: (request, socket, index) =>
        ok('', repeated(RESPONSE_FIELDS[Number(request.head[0]!.slice(5, 6))]!))(request, socket, index),
    },
    steps: RESPONSE_FIELDS.map((_, index) => ({ send: get(`/${index}`) })),
  },
  {
    name: 'overwritten headers',
    covers: 'whatever is overwritten moves to the end, in both directions',
    upstreams: { app: ok('', repeated(['x-before', 'vary', 'x-own', 'cache-control', 'x-after'])) },
    config: {
      routeConfig: {
        request_headers_to_add: ['accept', 'x-own', 'user-agent'].map(name =>
          add(name, 'ours', 'OVERWRITE_IF_EXISTS_OR_ADD'),
        ),
        response_headers_to_add: ['vary', 'x-own', 'cache-control', 'location', 'access-control-allow-origin'].map(
          name => add(name, 'ours', 'OVERWRITE_IF_EXISTS_OR_ADD'),
        ),
      },
    },
    steps: [{ send: get('/', { accept: 'a', 'x-own': 'b', 'user-agent': 'c', 'x-after': 'd' }) }],
  },
  {
    name: 'no timeout at all',
    covers: 'x-envoy-expected-rq-timeout-ms is absent only with timeout 0',
    upstreams: { app: echo },
    config: { routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0s' } }] },
    steps: [{ send: request('POST', '/', {}, 'body') }],
  },
  {
    name: 'the number of the attempt',
    covers:
      'format strings in headers: UPSTREAM_REQUEST_ATTEMPT_COUNT is 1 in a request, the last in its answer, 0 where none was made',
    upstreams: { app: sequence(status(503), echo) },
    config: {
      routeConfig: {
        request_headers_to_add: [add('x-attempt', '%UPSTREAM_REQUEST_ATTEMPT_COUNT%')],
        response_headers_to_add: [add('x-attempts', '%UPSTREAM_REQUEST_ATTEMPT_COUNT%')],
      },
      routes: [
        { match: { prefix: '/direct' }, direct_response: { status: 200 } },
        { match: { prefix: '/nowhere' }, route: { cluster_header: 'x-cluster' } },
        { match: { prefix: '/' }, route: { cluster: 'app', retry_policy: { retry_on: '5xx' } } },
      ],
    },
    steps: [{ send: get('/') }, { send: get('/direct') }, { send: get('/nowhere') }],
  },
]
