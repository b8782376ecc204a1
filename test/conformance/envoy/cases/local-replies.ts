import { type Case, get, request } from '../harness/case.ts'
import { cluster, endpoint } from '../harness/config.ts'
import { close, ok, raw, reset, sequence, status } from '../harness/upstream.ts'

/** Envoy's own answers: status, body, flag, details. */
export const localReplyCases: Case[] = [
  {
    name: 'no virtual host',
    covers: '404 NR, empty body, no content-type',
    config: {
      virtualHosts: [
        { name: 'other', domains: ['other.test'], routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }] },
      ],
    },
    steps: [{ send: get('/') }, { send: get('/', { host: 'other.test' }) }],
  },
  {
    name: 'no route in the chosen virtual host, though * would match',
    covers: 'only one virtual host is searched',
    config: {
      virtualHosts: [
        { name: 'one', domains: ['example.test'], routes: [{ match: { prefix: '/a' }, route: { cluster: 'app' } }] },
        { name: 'any', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }] },
      ],
    },
    steps: [{ send: get('/b') }, { send: get('/ab') }],
  },
  {
    name: 'HEAD with an empty local answer',
    covers: 'transfer-encoding: chunked to HEAD',
    config: { routes: [{ match: { prefix: '/a' }, route: { cluster: 'app' } }] },
    steps: [{ send: request('HEAD', '/b') }],
  },
  {
    name: 'POST to no route before its body was read',
    covers: 'an answer before the request is complete closes the connection',
    config: { routes: [{ match: { prefix: '/a' }, route: { cluster: 'app' } }] },
    steps: [{ send: 'POST /b HTTP/1.1\r\nhost: example.test\r\ncontent-length: 100\r\n\r\nsome' }],
  },
  {
    name: 'connection refused',
    covers: '503 UF, 98 bytes, details with the reason',
    upstreams: {},
    steps: [{ send: get('/') }, { send: request('POST', '/', {}, 'hello') }],
  },
  {
    name: 'upstream closes before a byte',
    covers: '503 UC, connection termination',
    upstreams: { app: close },
    steps: [{ send: get('/') }],
  },
  {
    name: 'upstream resets before a byte',
    covers: '503 UC',
    upstreams: { app: reset },
    steps: [{ send: get('/') }],
  },
  {
    name: 'upstream closes inside its head',
    covers: '502 UPE, protocol error',
    upstreams: { app: raw('HTTP/1.1 200 OK\r\ncontent-le', true) },
    steps: [{ send: get('/') }],
  },
  {
    name: 'upstream speaks no HTTP',
    covers: '502 UPE',
    upstreams: { app: raw('SSH-2.0-OpenSSH_9.2\r\n\r\n') },
    steps: [{ send: get('/') }],
  },
  {
    name: 'upstream sends two Content-Lengths',
    covers: '502 UPE',
    upstreams: { app: raw('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok') },
    steps: [{ send: get('/') }],
  },
  {
    name: 'upstream sends Content-Length and Transfer-Encoding',
    covers: '502 UPE',
    upstreams: {
      app: raw('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'),
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'upstream dies in its body',
    covers: 'UPE with the code already sent, the client is cut off',
    upstreams: { app: raw('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', true) },
    steps: [{ send: get('/') }],
  },
  {
    name: 'bytes after the upstream answer',
    covers: 'answer delivered, connection dropped, no second answer from them',
    upstreams: {
      app: sequence(
        raw('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil'),
        ok('second'),
      ),
    },
    steps: [{ send: get('/'), on: 'a' }, { settled: 'stats' }, { send: get('/'), on: 'a' }],
  },
  {
    name: 'a cluster without hosts',
    covers: '503 UH, no healthy upstream, lb_healthy_panic, upstream_cx_none_healthy',
    config: {
      clusters: [{ ...cluster('empty', 1), load_assignment: { cluster_name: 'empty', endpoints: [] } }],
      routes: [{ match: { prefix: '/' }, route: { cluster: 'empty' } }],
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'direct response',
    covers: 'direct_response: body, content-type, no cluster',
    config: {
      routes: [
        { match: { path: '/teapot' }, direct_response: { status: 418, body: { inline_string: 'short and stout' } } },
        { match: { prefix: '/' }, direct_response: { status: 204 } },
      ],
    },
    steps: [{ send: get('/teapot') }, { send: get('/') }, { send: request('HEAD', '/teapot') }],
  },
  {
    name: 'redirects',
    covers: 'host, path, prefix, code, strip_query, https',
    config: {
      routes: [
        { match: { prefix: '/host' }, redirect: { host_redirect: 'new.test' } },
        { match: { prefix: '/path' }, redirect: { path_redirect: '/elsewhere', response_code: 'FOUND' } },
        { match: { prefix: '/prefix' }, redirect: { prefix_rewrite: '/p', response_code: 'TEMPORARY_REDIRECT' } },
        {
          match: { prefix: '/strip' },
          redirect: { host_redirect: 'new.test', strip_query: true, response_code: 'PERMANENT_REDIRECT' },
        },
        { match: { prefix: '/tls' }, redirect: { https_redirect: true, response_code: 'SEE_OTHER' } },
        { match: { prefix: '/port' }, redirect: { port_redirect: 8443 } },
      ],
    },
    steps: ['/host/a?q=1', '/path/a?q=1', '/prefix/a?q=1', '/strip/a?q=1', '/tls?q=1', '/port'].map(path => ({
      send: get(path),
    })),
  },
  {
    name: 'https redirect drops port 80',
    covers: ':80 dropped and :443 kept on https_redirect',
    config: { routes: [{ match: { prefix: '/' }, redirect: { https_redirect: true } }] },
    steps: [
      { send: get('/', { host: 'example.test:80' }) },
      { send: get('/', { host: 'example.test:443' }) },
      { send: get('/', { host: 'example.test:81' }) },
    ],
  },
  {
    name: 'response headers on local answers',
    covers: 'a matched route adds its response headers to a 503, a missing route adds none',
    upstreams: {},
    config: {
      virtualHosts: [
        {
          name: 'any',
          domains: ['*'],
          response_headers_to_add: [{ header: { key: 'x-from', value: 'vhost %RESPONSE_CODE%' } }],
          routes: [
            {
              match: { prefix: '/a' },
              route: { cluster: 'app' },
              response_headers_to_add: [{ header: { key: 'x-route', value: 'a' } }],
            },
          ],
        },
      ],
    },
    steps: [{ send: get('/a') }, { send: get('/b') }],
  },
  {
    name: 'gRPC request gets a gRPC answer',
    covers: 'HTTP 200 with grpc-status for local answers',
    upstreams: {},
    steps: [{ send: request('POST', '/pkg.Service/Method', { 'content-type': 'application/grpc' }, 'x') }],
  },
  {
    name: 'unknown status codes',
    covers: 'reason Unknown; standard reasons replace the upstream ones',
    upstreams: { app: sequence(status(299), status(201, 'made'), status(599)) },
    steps: [{ send: get('/') }, { send: get('/') }, { send: get('/') }],
  },
  {
    name: 'one of two hosts refuses',
    covers: 'per-host choice, connect failure counted once',
    config: ports => ({
      app: {
        load_assignment: {
          cluster_name: 'app',
          endpoints: [{ lb_endpoints: [endpoint(ports.upstream.app!), endpoint(ports.dead)] }],
        },
      },
      routes: [
        {
          match: { prefix: '/' },
          route: { cluster: 'app', retry_policy: { retry_on: 'connect-failure', num_retries: 3 } },
        },
      ],
    }),
    steps: [{ send: get('/') }],
    except: {
      why: 'the first host is drawn at random (ROUND_ROBIN starts anywhere), so attempts and their counters differ between two runs',
      drop: observation => {
        for (const name of Object.keys(observation.stats)) {
          if (/retry|connect_fail|cx_|pending|upstream_rq_total|backoff|lb_|membership/.test(name))
            delete observation.stats[name]
        }
        observation.accessLog = observation.accessLog.map(line => line.replace(/attempts=\d/, 'attempts=?'))
        for (const request of observation.upstream.app ?? []) {
          request.head = request.head.filter(line => !line.startsWith('x-envoy-expected-rq-timeout-ms'))
        }
      },
    },
  },
  {
    name: 'overload and headers of the route',
    covers: 'x-envoy-overloaded comes after response headers of the route, and no route removes it',
    config: ports => ({
      clusters: [
        cluster('full', ports.upstream.app!, { circuit_breakers: { thresholds: [{ max_pending_requests: 0 }] } }),
        cluster('shut', ports.upstream.app!),
      ],
      runtime: { upstream: { maintenance_mode: { shut: 100 } } },
      routes: ['full', 'shut'].map(name => ({
        match: { prefix: `/${name}` },
        route: { cluster: name },
        response_headers_to_add: [{ header: { key: 'x-attempts', value: '%UPSTREAM_REQUEST_ATTEMPT_COUNT%' } }],
        response_headers_to_remove: ['x-envoy-overloaded'],
      })),
    }),
    steps: [{ send: get('/full') }, { send: get('/shut') }],
  },
  {
    name: 'headers of a filter and of the route',
    covers:
      'response headers on local answers: those of a route come first, a direct response and a redirect have them of their own alone',
    config: {
      filters: [
        {
          name: 'envoy.filters.http.local_ratelimit',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit',
            stat_prefix: 'limiter',
            token_bucket: { max_tokens: 3, fill_interval: '600s' },
            filter_enabled: { default_value: { numerator: 100 } },
            filter_enforced: { default_value: { numerator: 100 } },
            response_headers_to_add: [
              {
                header: { key: 'x-who', value: 'the limiter' },
                append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
              },
              { header: { key: 'x-more', value: 'stays' } },
            ],
          },
        },
      ],
      routes: [
        { match: { prefix: '/direct' }, direct_response: { status: 201 } },
        { match: { prefix: '/redirect' }, redirect: { path_redirect: '/' } },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ].map(route => ({
        ...route,
        response_headers_to_add: [{ header: { key: 'x-who', value: 'the route' } }],
        response_headers_to_remove: ['x-more'],
      })),
    },
    steps: ['/', '/direct', '/redirect', '/', '/direct', '/redirect'].map(path => ({ send: get(path) })),
  },
  ...[false, true].map(
    (suppress_envoy_headers): Case => ({
      name: `overload${suppress_envoy_headers ? ', and no headers of Envoy' : ''}`,
      covers:
        'router suppress_envoy_headers: x-envoy-overloaded, x-envoy-unconditional-drop-overload go, the attempt count stays',
      config: ports => ({
        router: { suppress_envoy_headers },
        clusters: [
          cluster('full', ports.upstream.app!, { circuit_breakers: { thresholds: [{ max_pending_requests: 0 }] } }),
          cluster('shut', ports.upstream.app!),
          cluster('drop', ports.upstream.app!, {
            load_assignment: {
              cluster_name: 'drop',
              policy: { drop_overloads: [{ category: 'all', drop_percentage: { numerator: 100 } }] },
              endpoints: [{ lb_endpoints: [endpoint(ports.upstream.app!)] }],
            },
          }),
        ],
        runtime: { upstream: { maintenance_mode: { shut: 100 } } },
        virtualHosts: [
          {
            name: 'any',
            domains: ['*'],
            include_attempt_count_in_response: true,
            routes: ['full', 'shut', 'drop'].map(name => ({ match: { prefix: `/${name}` }, route: { cluster: name } })),
          },
        ],
      }),
      steps: ['/full', '/shut', '/drop'].map(path => ({ send: get(path) })),
    }),
  ),
]
