import { type Case, get, request } from '../harness/case.ts'
import { type Behaviour, ok, reset, sequence, status } from '../harness/upstream.ts'

/** `/go/CODE…` answers with that code and `x-to` as its location; everything else with 200. */
const redirects: Behaviour = ({ head }, socket) => {
  const body = head[0]!.startsWith('HEAD') ? '' : 'gone'
  const code = /^\S+ \/go\/(\d+)/.exec(head[0]!)?.[1]
  const to = head.find(line => line.toLowerCase().startsWith('x-to: '))?.slice(6)
  if (code === undefined) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
  else
    socket.write(
      `HTTP/1.1 ${code} Elsewhere\r\ncontent-length: 4\r\nx-copied: 1\r\nx-copied: 2\r\nx-kept: 3\r\n${to === undefined ? '' : `location: ${to}\r\n`}\r\n${body}`,
    )
}

const route = (internal_redirect_policy: object = {}, name = '', fields: object = {}) => ({
  name,
  match: { prefix: '/' },
  route: { cluster: 'app', internal_redirect_policy, ...fields },
})

const predicate = (name: string, config: object = {}) => ({
  name,
  typed_config: {
    '@type': `type.googleapis.com/envoy.extensions.internal_redirect.${name}.v3.${config_type[name]}`,
    ...config,
  },
})
const config_type: Record<string, string> = {
  previous_routes: 'PreviousRoutesConfig',
  allow_listed_routes: 'AllowListedRoutesConfig',
  safe_cross_scheme: 'SafeCrossSchemeConfig',
}

const LOG =
  '%REQ(:METHOD)% %REQ(:SCHEME)% %REQ(:AUTHORITY)% %REQ(:PATH)% %REQ(X-ENVOY-ORIGINAL-URL)% %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% route=%ROUTE_NAME% rx=%BYTES_RECEIVED% tx=%BYTES_SENT% attempts=%UPSTREAM_REQUEST_ATTEMPT_COUNT% ' +
  'host=%UPSTREAM_HOST% %RESP(location)% xff=%REQ(X-FORWARDED-FOR)% client=%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%\n'

const CLUSTERS =
  '%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% route=%ROUTE_NAME% cluster=%UPSTREAM_CLUSTER% raw=%UPSTREAM_CLUSTER_RAW% host=%UPSTREAM_HOST%\n'

/** From `/` to `/there`, whose route is another. */
const elsewhere = (name: string, there: object, more: Partial<Case> & { config?: object } = {}): Case => ({
  name,
  covers: 'internal_redirect_policy: route and cluster of the log are those that the redirect leads to',
  upstreams: { app: status(302, '', 'location: http://other.test/there\r\n'), other: sequence(reset, ok()) },
  logLines: 2,
  steps: [{ send: get('/') }],
  ...more,
  config: {
    accessLog: CLUSTERS,
    routes: [
      { name: 'there', match: { prefix: '/there' }, ...there },
      { ...route({}, 'here'), match: { path: '/' } },
    ],
    ...more.config,
  },
})
const toOther = { route: { cluster: 'other', retry_policy: { retry_on: 'reset' } } }

export const internalRedirectCases: Case[] = [
  {
    name: 'how long what comes after it takes',
    covers: 'duration_filter: the time of a request begins anew with an internal_redirect_policy',
    upstreams: {
      app: (message, socket, index) => {
        const slow = message.head[0]!.includes('/go/')
        setTimeout(() => redirects(message, socket, index), slow ? 1200 : 0)
      },
    },
    config: {
      accessLog: '%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS%\n',
      accessLogFilter: {
        duration_filter: { comparison: { op: 'GE', value: { default_value: 1000, runtime_key: 'none' } } },
      },
      routes: [route()],
    },
    steps: [{ send: get('/go/302', { 'x-to': 'http://example.test/there' }) }],
    logLines: 1,
  },
  elsewhere('into another cluster', toOther, { config: { tracing: {} }, spans: 2 }),
  elsewhere('into another cluster, with a span for each attempt', toOther, {
    config: { tracing: { spawn_upstream_span: true } },
    spans: 5,
    except: {
      why: 'the attempt and the request that goes on with it have one id: which of the two is reported first is chance',
      drop: ({ spans }) => void spans.sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1)),
    },
  }),
  elsewhere('into a weighted cluster', {
    route: { ...toOther.route, cluster: undefined, weighted_clusters: { clusters: [{ name: 'other', weight: 1 }] } },
  }),
  elsewhere('to a direct response', { direct_response: { status: 204 } }),
  elsewhere('into another cluster that a predicate refuses', toOther, {
    config: {
      routes: [
        { name: 'there', match: { prefix: '/there' }, ...toOther },
        route({ predicates: [predicate('allow_listed_routes')] }, 'here'),
      ],
    },
    logLines: 1,
  }),
  elsewhere('nowhere', {}, { config: { routes: [{ ...route({}, 'here'), match: { path: '/' } }] }, logLines: 1 }),
  {
    name: 'an answer that is followed',
    covers:
      'internal_redirect_policy: a 302 by default, the second request, its log lines and numbers; a second one goes on',
    upstreams: { app: redirects },
    config: { accessLog: LOG, routes: [route()] },
    logLines: 9,
    steps: [
      { send: get('/go/302', { 'x-to': 'http://other.test:81/a?b=c#d', 'x-forwarded-for': '1.2.3.4' }) },
      { send: get('/go/302', { 'x-to': 'http://other.test/go/302' }) },
      { send: get('/go/301', { 'x-to': 'http://other.test/' }) },
      { send: get('/go/302') },
      { send: [get('/go/302', { 'x-to': 'http://other.test/' }) + get('/next')], answers: 2 },
    ],
  },
  {
    name: 'locations',
    covers: 'internal_redirect_policy: what is a location and what is none',
    upstreams: { app: redirects },
    config: { accessLog: LOG, routes: [route()] },
    logLines: 15,
    steps: [
      '/relative',
      'relative',
      '',
      'http://',
      'http://h',
      'http://h?x',
      'http://h#x',
      'HTTP://UPPER.test/Path',
      'ftp://h/',
      'http://user@h/',
      'http://[::1]:8/x',
      'http://h:/x',
      'http://h:99999/x',
      'http:///x',
      'http://a b/x',
    ].map(to => ({ send: get('/go/302', { 'x-to': to }) })),
  },
  {
    name: 'redirect_response_codes',
    covers: 'internal_redirect_policy: codes, max_internal_redirects, the method after a 303, bodies',
    upstreams: { app: redirects },
    config: {
      accessLog: LOG,
      routes: [route({ redirect_response_codes: [301, 303, 307, 308, 404], max_internal_redirects: 3 })],
    },
    logLines: 24,
    steps: [
      ...['301', '302', '303', '307', '404'].flatMap(code => [
        { send: request('POST', `/go/${code}`, { 'x-to': 'http://other.test/' }, 'a body') },
        { send: request('HEAD', `/go/${code}`, { 'x-to': 'http://other.test/' }) },
      ]),
      { send: get('/go/308', { 'x-to': 'http://other.test/go/308' }) },
      { send: request('POST', '/go/308', { 'x-to': 'http://other.test/go/308' }, 'a body') },
    ],
  },
  {
    name: 'a body that is too large to be kept',
    covers: 'internal_redirect_policy: request_body_buffer_limit; chunks and trailers',
    upstreams: { app: redirects },
    config: { accessLog: LOG, routes: [{ ...route(), request_body_buffer_limit: 10 }] },
    logLines: 5,
    steps: [
      { send: request('POST', '/go/302', { 'x-to': 'http://other.test/' }, 'longer than that') },
      { send: request('POST', '/go/302', { 'x-to': 'http://other.test/' }, 'short') },
      {
        send: request(
          'POST',
          '/go/302',
          { 'x-to': 'http://other.test/', 'transfer-encoding': 'chunked' },
          '3\r\nabc\r\n0\r\n\r\n',
        ),
      },
    ],
  },
  {
    name: 'a redirect before the request is complete',
    covers: 'internal_redirect_policy: what streams is not followed',
    upstreams: {
      app: Object.assign(() => {}, {
        atHead: (socket: import('node:net').Socket) =>
          void socket.write('HTTP/1.1 302 Elsewhere\r\ncontent-length: 0\r\nlocation: http://other.test/\r\n\r\n'),
      }) as Behaviour,
    },
    config: { accessLog: LOG, routes: [route()] },
    steps: [{ send: 'POST /go/302 HTTP/1.1\r\nhost: a.test\r\ncontent-length: 10\r\n\r\nabc' }],
  },
  {
    name: 'predicates of redirects',
    covers:
      'internal_redirect_policy: previous_routes, allow_listed_routes, a place without a route, its direct answer',
    upstreams: { app: redirects },
    config: {
      accessLog: LOG,
      virtualHosts: [
        {
          name: 'main',
          domains: ['example.test'],
          routes: [
            route({ max_internal_redirects: 5, predicates: [predicate('previous_routes')] }, 'previous', {
              prefix_rewrite: '/',
            }),
          ],
        },
        { name: 'other', domains: ['other.test'], routes: [route({}, 'other')] },
        {
          name: 'listed',
          domains: ['listed.test'],
          routes: [
            route({ predicates: [predicate('allow_listed_routes', { allowed_route_names: ['other'] })] }, 'listed'),
          ],
        },
        {
          name: 'direct',
          domains: ['direct.test'],
          routes: [
            {
              name: 'direct',
              match: { prefix: '/' },
              direct_response: { status: 200, body: { inline_string: 'here' } },
            },
          ],
        },
      ],
    },
    logLines: 11,
    steps: [
      { send: get('/go/302', { 'x-to': 'http://other.test/' }) },
      { send: get('/go/302', { 'x-to': 'http://example.test/go/302' }) },
      { send: get('/go/302', { 'x-to': 'http://nowhere.test/' }) },
      { send: get('/go/302', { 'x-to': 'http://direct.test/' }) },
      { send: get('/go/302', { 'x-to': 'http://other.test/', host: 'listed.test' }) },
      { send: get('/go/302', { 'x-to': 'http://listed.test/', host: 'listed.test' }) },
      { send: get('/go/302', { 'x-to': 'http://direct.test/', host: 'listed.test' }) },
    ],
  },
  {
    name: 'schemes of redirects',
    covers: 'internal_redirect_policy: allow_cross_scheme_redirect, safe_cross_scheme',
    upstreams: { app: redirects },
    config: {
      accessLog: LOG,
      routes: [
        {
          match: { prefix: '/go/302/safe' },
          route: {
            cluster: 'app',
            internal_redirect_policy: {
              allow_cross_scheme_redirect: true,
              predicates: [predicate('safe_cross_scheme')],
            },
          },
        },
        {
          match: { prefix: '/go/302/any' },
          route: { cluster: 'app', internal_redirect_policy: { allow_cross_scheme_redirect: true } },
        },
        route(),
      ],
    },
    logLines: 9,
    steps: ['safe', 'any', 'same'].flatMap(kind => [
      { send: get(`/go/302/${kind}`, { 'x-to': 'https://other.test/' }) },
      { send: get(`/go/302/${kind}`, { 'x-to': 'http://other.test/', 'x-forwarded-proto': 'https' }) },
    ]),
  },
  {
    name: 'response_headers_to_copy',
    covers:
      'internal_redirect_policy: copied headers, those that the answer lacks, x-envoy headers of the second request',
    upstreams: { app: redirects },
    config: {
      accessLog: LOG,
      virtualHosts: [
        {
          name: 'any',
          domains: ['*'],
          include_request_attempt_count: true,
          include_attempt_count_in_response: true,
          routes: [
            {
              ...route({ response_headers_to_copy: ['x-copied', 'X-Missing'] }, 'r', {
                host_rewrite_literal: 'inner.test',
                regex_rewrite: { pattern: { regex: '/start' }, substitution: '/go/302' },
                retry_policy: { retry_on: '5xx' },
              }),
              request_headers_to_add: [{ header: { key: 'x-added', value: '%REQ(:PATH)%' } }],
              response_headers_to_add: [{ header: { key: 'x-answered', value: '%ROUTE_NAME%' } }],
            },
          ],
        },
      ],
    },
    logLines: 2,
    steps: [
      {
        send: get('/start', { 'x-to': 'http://other.test/x', 'x-copied': 'old', 'x-missing': 'old', 'x-kept': 'old' }),
      },
    ],
  },
  {
    name: 'spans of a redirect',
    covers: 'internal_redirect_policy: spans of both requests',
    upstreams: { app: redirects },
    config: { accessLog: `${LOG.trim()} %REQ(x-request-id)%\n`, routes: [route()], tracing: {} },
    logLines: 4,
    spans: 2,
    steps: [
      { send: get('/go/302', { 'x-to': 'http://other.test/a' }) },
      {
        send: get('/go/302', {
          'x-to': 'http://other.test/a',
          'x-b3-traceid': '463ac35c9f6413ad48485a3953bb6124',
          'x-b3-spanid': 'a2fb4a1d1a96d312',
          'x-b3-sampled': '1',
        }),
      },
    ],
  },
  {
    name: 'filters and redirects',
    covers: 'internal_redirect_policy: filters see both requests',
    upstreams: { app: redirects },
    config: {
      accessLog: LOG,
      routes: [route()],
      filters: [
        {
          name: 'envoy.filters.http.header_mutation',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation',
            mutations: {
              request_mutations: [{ append: { header: { key: 'x-seen', value: '%REQ(:PATH)%' } } }],
              response_mutations: [{ append: { header: { key: 'x-seen', value: '%REQ(:PATH)%' } } }],
            },
          },
        },
        {
          name: 'envoy.filters.http.buffer',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer',
            max_request_bytes: 100,
          },
        },
      ],
    },
    logLines: 4,
    steps: [
      { send: get('/go/302', { 'x-to': 'http://other.test/a' }) },
      { send: request('POST', '/go/302', { 'x-to': 'http://other.test/a' }, 'a body') },
    ],
  },
]
