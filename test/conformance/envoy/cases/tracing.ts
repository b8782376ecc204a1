import { type Case, get, request } from '../harness/case.ts'
import { echo, hang, ok, reset, sequence, status } from '../harness/upstream.ts'

const b3 = { 'x-b3-traceid': '463ac35c9f6413ad', 'x-b3-spanid': 'a2fb4a1d1a96d312', 'x-b3-sampled': '1' }
const outbound = { listener: { traffic_direction: 'OUTBOUND' } }
const inbound = { listener: { traffic_direction: 'INBOUND' } }

const SPAN_IDS: NonNullable<Case['except']> = {
  why: 'Envoy writes the bytes of span ids (not of trace ids) the wrong way round in protobuf; docs/differences.md',
  drop({ spans }) {
    for (const span of spans) {
      delete span.id
      delete span.parentId
    }
  },
}

/** Sequences that end too early or never begin, that are longer than they need be, beyond Unicode, halves of pairs; the last two are characters. */
const NO_UTF8 = [
  ...['\xe9"\\z', 'a\xe9', '\xe9\x80a', '\xe9\xe9a', '\xc3\xc3\xa9', '\x80a', '\xf0\x9f\x98a', '\xf8abcde', '\xffa'],
  ...['\xc0\xafa', '\xf4\x90\x80\x80a', '\xed\xa0\x80a', '\xe2\x82\xc3\xa9', '\xef\xbf\xbd', '\xf0\x9f\x98\x80'],
]

/** Spans as the Zipkin tracer reports them, and the headers that go with them. */
export const tracingCases: Case[] = [
  {
    name: 'egress root',
    covers: 'CLIENT root: trace id = span id, tags, x-b3 headers',
    config: { ...outbound, tracing: {} },
    upstreams: { app: echo },
    steps: [{ send: get('/a?b=c', { 'user-agent': 'test' }) }],
    spans: 1,
  },
  {
    name: 'ingress root',
    covers: 'SERVER root carries shared: true',
    config: { ...inbound, tracing: {} },
    upstreams: { app: echo },
    steps: [{ send: get('/') }],
    spans: 1,
  },
  {
    name: 'ingress joins',
    covers: 'SERVER with the incoming ids, shared',
    config: { ...inbound, tracing: {} },
    upstreams: { app: echo },
    steps: [{ send: get('/', { ...b3, 'x-b3-parentspanid': '0020000000000001' }) }],
    spans: 1,
  },
  {
    name: 'ingress with its own id',
    covers: 'shared_span_context: false',
    config: { ...inbound, tracing: { zipkin: { shared_span_context: false } } },
    upstreams: { app: echo },
    steps: [{ send: get('/', b3) }],
    spans: 1,
  },
  {
    name: 'egress child',
    covers: 'CLIENT is a child of the incoming span',
    config: { ...outbound, tracing: {} },
    upstreams: { app: echo },
    steps: [{ send: get('/', b3) }],
    spans: 1,
  },
  {
    name: '128-bit trace ids',
    covers: 'trace_id_128bit for roots; an incoming width is kept',
    config: { ...outbound, tracing: { zipkin: { trace_id_128bit: true } } },
    upstreams: { app: echo },
    steps: [{ send: get('/') }, { send: get('/', b3) }],
    spans: 2,
  },
  ...[true, false].map(
    (wide): Case => ({
      name: `trace ids with the time, ${wide ? 128 : 64} bits`,
      covers: `timestamp_trace_ids: an id begins with the seconds; a narrow one is then no span’s`,
      config: {
        ...outbound,
        tracing: { zipkin: { trace_id_128bit: wide, timestamp_trace_ids: true } },
        routeConfig: {
          response_headers_to_add: [
            // Of eight digits the last three change while the case runs.
            { header: { key: 'x-time', value: '%REQ(x-b3-traceid):5%' } },
          ],
        },
      },
      steps: [{ send: get('/') }, { send: get('/', b3) }],
      spans: 2,
      sane({ answers }) {
        const times = answers.flat().flatMap(({ head }) => head.filter(line => line.startsWith('x-time: ')))
        const now = Math.floor(Date.now() / 1000)
          .toString(16)
          .slice(0, 5)
        if (times[0] !== `x-time: ${now}`) throw new Error(`${times[0]} is not the time, ${now}`)
      },
    }),
  ),
  {
    name: 'incoming decisions',
    covers: 'x-b3-sampled beats local sampling both ways; garbage means no',
    config: { ...outbound, tracing: { random_sampling: { value: 0 } } },
    upstreams: { app: echo },
    steps: [
      { send: get('/1', b3) },
      { send: get('/2', { ...b3, 'x-b3-sampled': '0' }) },
      { send: get('/3', { ...b3, 'x-b3-sampled': 'd' }) },
      { send: get('/4') },
      { send: get('/5', { 'x-b3-sampled': '1' }) },
      { send: get('/6', { 'x-b3-flags': '1' }) },
    ],
    spans: 2,
  },
  {
    name: 'malformed B3',
    covers: 'no span, headers pass untouched',
    config: { ...outbound, tracing: {} },
    upstreams: { app: echo },
    steps: [
      { send: get('/1', { ...b3, 'x-b3-traceid': 'not-hex' }) },
      { send: get('/2', { ...b3, 'x-b3-spanid': '12345678901234567' }) },
      { send: get('/3', { b3: 'what-ever' }) },
    ],
    spans: 0,
  },
  {
    name: 'odd but good B3',
    covers: 'short ids are padded, upper case is lowered, one id alone is a root, stale parent',
    config: { ...outbound, tracing: {} },
    upstreams: { app: echo },
    steps: [
      { send: get('/1', { 'x-b3-traceid': 'ABC', 'x-b3-spanid': 'DEF' }) },
      { send: get('/2', { 'x-b3-traceid': '463ac35c9f6413ad' }) },
      { send: get('/3', { 'x-b3-parentspanid': '0020000000000001' }) },
    ],
    spans: 3,
  },
  {
    name: 'single B3 header',
    covers: 'only b3 is written back when the caller used it',
    config: { ...outbound, tracing: {} },
    upstreams: { app: echo },
    steps: [
      { send: get('/1', { b3: '463ac35c9f6413ad-a2fb4a1d1a96d312-1' }) },
      { send: get('/2', { b3: '0' }) },
      { send: get('/3', { b3: '1' }) },
      { send: get('/4', { b3: '463ac35c9f6413ad-a2fb4a1d1a96d312-d-0020000000000001' }) },
      { send: get('/5', { b3: '463ac35c9f6413ad-a2fb4a1d1a96d312', 'x-b3-traceid': '0000000000000001' }) },
    ],
    spans: 4,
  },
  {
    name: 'W3C propagation',
    covers: 'traceparent used when there is no B3; both written; malformed starts anew',
    config: { ...outbound, tracing: { zipkin: { trace_context_option: 'USE_B3_WITH_W3C_PROPAGATION' } } },
    upstreams: { app: echo },
    steps: [
      {
        send: get('/1', { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=b' }),
      },
      { send: get('/2', { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' }) },
      { send: get('/3', { traceparent: 'garbage' }) },
      { send: get('/4', { ...b3, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' }) },
    ],
    spans: 3,
  },
  {
    name: 'spawned attempts',
    covers: 'spawn_upstream_span: SERVER and a CLIENT an attempt, retry.count, error of each',
    config: {
      ...outbound,
      tracing: { spawn_upstream_span: true },
      routes: [
        { match: { prefix: '/' }, route: { cluster: 'app', retry_policy: { retry_on: '5xx', num_retries: 2 } } },
      ],
    },
    upstreams: { app: sequence(status(503), reset, echo) },
    steps: [{ send: get('/', b3) }],
    spans: 4,
  },
  {
    name: 'spawned attempt that times out',
    covers: 'canceled and error, flag of the attempt and of the request',
    config: {
      ...outbound,
      tracing: { spawn_upstream_span: true },
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0.15s' } }],
    },
    upstreams: { app: hang },
    steps: [{ send: get('/') }],
    spans: 2,
  },
  {
    name: 'spawned attempt that cannot connect',
    covers: 'error.reason, UF',
    config: { ...outbound, tracing: { spawn_upstream_span: true } },
    upstreams: {},
    steps: [{ send: get('/') }],
    spans: 2,
  },
  {
    name: 'answers of the proxy itself',
    covers: 'no route, direct response, redirect: one span, no child; codec refusals: none',
    config: {
      ...outbound,
      tracing: { spawn_upstream_span: true },
      routes: [
        { match: { prefix: '/direct' }, direct_response: { status: 500, body: { inline_string: 'no' } } },
        { match: { prefix: '/redirect' }, redirect: { path_redirect: '/' } },
        { match: { path: '/ok' }, route: { cluster: 'app' } },
      ],
    },
    steps: [
      { send: get('/direct') },
      { send: get('/redirect') },
      { send: get('/nowhere') },
      { send: 'GET / HTTP/1.1\r\n\r\n' },
    ],
    spans: 3,
  },
  {
    name: 'a gRPC request',
    covers: 'tags grpc.*, and error by status',
    upstreams: { app: ok('', 'grpc-status: 13\r\ngrpc-message: broken\r\n') },
    config: { tracing: {} },
    steps: [
      {
        send: request('POST', '/pkg.Service/Method', { 'content-type': 'application/grpc', 'grpc-timeout': '5S' }, 'x'),
      },
    ],
    spans: 1,
  },
  {
    name: 'verbose annotations',
    covers: 'their names and order, ss and cr last',
    config: { ...outbound, tracing: { verbose: true, spawn_upstream_span: true } },
    steps: [{ send: request('POST', '/', {}, 'hi') }],
    spans: 2,
  },
  {
    name: 'custom tags',
    covers: 'literal, environment, request header with default; long paths are cut',
    config: {
      ...outbound,
      tracing: {
        max_path_tag_length: 12,
        custom_tags: [
          { tag: 'fixed', literal: { value: 'text' } },
          { tag: 'env', environment: { name: 'HOPSCOPE_TEST', default_value: 'x' } },
          { tag: 'env.absent', environment: { name: 'HOPSCOPE_ABSENT', default_value: 'fallback' } },
          { tag: 'header', request_header: { name: 'x-team' } },
          { tag: 'header.default', request_header: { name: 'x-none', default_value: 'none' } },
          { tag: 'header.absent', request_header: { name: 'x-none' } },
          { tag: 'component', literal: { value: 'mine' } },
        ],
      },
    },
    steps: [{ send: get('/a/long/path/indeed?q=1', { 'x-team': 'blue' }) }],
    spans: 1,
  },
  {
    name: 'request id and trace reason',
    covers: 'nibble 9 sampled, 4 not, a kept 9/a/b forces, counters',
    config: { ...outbound, tracing: { random_sampling: { value: 0 } } },
    upstreams: { app: echo },
    steps: [
      { send: get('/1', { 'x-request-id': '2af77ba2-cb90-4bd6-a5a0-3a5d7a9c1c1a' }) },
      { send: get('/2', { 'x-request-id': '2af77ba2-cb90-9bd6-a5a0-3a5d7a9c1c1a' }) },
      { send: get('/3', { 'x-request-id': '2af77ba2-cb90-abd6-a5a0-3a5d7a9c1c1a' }) },
      { send: get('/4', { 'x-request-id': 'not-a-uuid' }) },
      { send: get('/5', { 'x-client-trace-id': 'mine' }) },
    ],
    spans: 3,
  },
  {
    name: 'overall sampling vetoes',
    covers: 'overall_sampling 0 beats every reason',
    config: { ...outbound, tracing: { overall_sampling: { value: 0 } } },
    upstreams: { app: echo },
    steps: [{ send: get('/1') }, { send: get('/2', { 'x-client-trace-id': 'mine' }) }],
    spans: 0,
  },
  {
    name: 'sampling by the runtime',
    covers: 'tracing.random_sampling in hundredths of a percent',
    config: { ...outbound, tracing: {}, runtime: { tracing: { random_sampling: 0 } } },
    upstreams: { app: echo },
    steps: [{ send: get('/') }],
    spans: 0,
  },
  {
    name: 'decorators on egress',
    covers: 'name, x-envoy-decorator-operation upstream, taken from the answer',
    config: {
      ...outbound,
      tracing: {},
      routes: [
        { match: { prefix: '/a' }, decorator: { operation: 'getOrder' }, route: { cluster: 'app' } },
        { match: { prefix: '/b' }, decorator: { operation: 'quiet', propagate: false }, route: { cluster: 'app' } },
      ],
    },
    upstreams: {
      app: (message, socket, index) =>
        ok(
          message.head.join('\n'),
          message.head[0]!.includes('renamed') ? 'x-envoy-decorator-operation: byUpstream\r\n' : '',
        )(message, socket, index),
    },
    steps: [
      { send: get('/a') },
      { send: get('/a/renamed') },
      { send: get('/b') },
      { send: get('/b', { 'x-envoy-decorator-operation': 'incoming' }) },
    ],
    spans: 4,
  },
  {
    name: 'decorators on ingress',
    covers: 'request header renames and is consumed; own decorator goes back',
    config: {
      ...inbound,
      tracing: {},
      routes: [{ match: { prefix: '/a' }, decorator: { operation: 'getOrder' }, route: { cluster: 'app' } }],
    },
    upstreams: { app: echo },
    steps: [{ send: get('/a') }, { send: get('/a', { 'x-envoy-decorator-operation': 'incoming' }) }],
    spans: 2,
  },
  {
    name: 'an unsampled request',
    covers: 'headers are injected, nothing reported',
    config: { ...outbound, tracing: { random_sampling: { value: 0 } }, accessLog: '%TRACE_ID% %REQ(x-b3-traceid)%\n' },
    upstreams: { app: echo },
    steps: [{ send: get('/') }],
    spans: 0,
  },
  {
    name: 'tracing without a provider',
    covers: 'the request id is rewritten all the same',
    config: { ...outbound, hcm: { tracing: {} } },
    upstreams: { app: echo },
    steps: [{ send: get('/', { 'x-request-id': '2af77ba2-cb90-4bd6-a5a0-3a5d7a9c1c1a' }) }],
    spans: 0,
  },
  {
    name: 'a service without a name',
    covers: 'serviceName omitted; zone and node tags',
    config: { ...outbound, tracing: {}, node: { id: 'n', cluster: '', locality: { zone: 'z1' } } },
    steps: [{ send: get('/') }],
    spans: 1,
  },
  {
    name: 'names by formats',
    covers:
      'operation, upstream_operation: they switch decorators off; of a route in their place; unknown values are empty',
    config: {
      ...outbound,
      tracing: {
        spawn_upstream_span: true,
        operation: 'op-%REQ(x-op)%-%REQ(:METHOD)%',
        upstream_operation: 'up-%UPSTREAM_CLUSTER%-%REQ(x-op)%-%RESPONSE_CODE%',
      },
      routes: [
        {
          match: { prefix: '/route' },
          route: { cluster: 'app' },
          tracing: { operation: 'route %RESPONSE_CODE%' },
        },
        { match: { prefix: '/' }, decorator: { operation: 'getOrder' }, route: { cluster: 'app' } },
      ],
    },
    upstreams: { app: ok('ok', 'x-envoy-decorator-operation: theirs\r\n') },
    steps: [
      { send: get('/', { 'x-op': 'a' }) },
      { send: get('/', { 'x-envoy-decorator-operation': 'incoming' }) },
      { send: get('/route', { 'x-op': 'b' }) },
    ],
    spans: 6,
  },
  {
    name: 'an operation of the attempts alone',
    covers: 'upstream_operation without operation: decorators stay on',
    config: {
      ...outbound,
      tracing: { spawn_upstream_span: true, upstream_operation: 'up' },
      routes: [{ match: { prefix: '/' }, decorator: { operation: 'getOrder' }, route: { cluster: 'app' } }],
    },
    upstreams: { app: echo },
    steps: [{ send: get('/') }],
    spans: 2,
  },
  {
    name: 'custom tags of a route, and by formats',
    covers: 'those of the route win; value; written on the attempts, too',
    config: {
      ...outbound,
      tracing: {
        spawn_upstream_span: true,
        custom_tags: [
          { tag: 'both', literal: { value: 'general' } },
          { tag: 'code', value: '%RESPONSE_CODE%' },
          { tag: 'nothing', value: '%REQ(x-none)%' },
          { tag: 'mixed', value: 'a-%REQ(x-none)%-%REQ(:METHOD)%' },
        ],
      },
      routes: [
        {
          match: { prefix: '/' },
          route: { cluster: 'app' },
          tracing: {
            custom_tags: [
              { tag: 'both', literal: { value: 'of the route' } },
              { tag: 'own', request_header: { name: 'x-team' } },
            ],
          },
        },
      ],
    },
    steps: [{ send: get('/', { 'x-team': 'blue' }) }],
    spans: 2,
  },
  {
    name: 'sampling of a route',
    covers: 'Route.tracing replaces all three percentages; what is unset there is 100 %',
    config: {
      ...outbound,
      tracing: { random_sampling: { value: 0 }, overall_sampling: { value: 0 } },
      routes: [
        { match: { prefix: '/all' }, route: { cluster: 'app' }, tracing: {} },
        {
          match: { prefix: '/none' },
          route: { cluster: 'app' },
          tracing: { random_sampling: { numerator: 0 }, client_sampling: { numerator: 0 } },
        },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
    },
    upstreams: { app: echo },
    steps: [
      { send: get('/all') },
      { send: get('/none') },
      { send: get('/none', { 'x-client-trace-id': 'me' }) },
      { send: get('/') },
    ],
    spans: 1,
  },
  {
    name: 'force-trace of an internal caller, and of another',
    covers: 'trap: stripped unless the caller is internal; nibble a, x-request-id in the response',
    config: {
      ...outbound,
      tracing: { random_sampling: { value: 0 } },
      hcm: { internal_address_config: { cidr_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] } },
    },
    upstreams: { app: echo },
    steps: [
      { send: get('/1', { 'x-forwarded-for': '10.1.2.3', 'x-envoy-force-trace': '1' }) },
      { send: get('/2', { 'x-forwarded-for': '192.0.2.1', 'x-envoy-force-trace': '1' }) },
      { send: get('/3', { 'x-envoy-force-trace': '1' }) },
    ],
    spans: 1,
  },
  {
    name: 'sampling by the runtime, all keys',
    covers: 'tracing.client_enabled, tracing.global_enabled, changed while running',
    config: { ...outbound, tracing: { random_sampling: { value: 0 } } },
    upstreams: { app: echo },
    steps: [
      { send: get('/1', { 'x-client-trace-id': 'me' }) },
      { admin: '/runtime_modify?tracing.client_enabled=0', method: 'POST' },
      { send: get('/2', { 'x-client-trace-id': 'me' }) },
      { admin: '/runtime_modify?tracing.random_sampling=10000', method: 'POST' },
      { send: get('/3') },
      { admin: '/runtime_modify?tracing.global_enabled=0', method: 'POST' },
      { send: get('/4') },
    ],
    spans: 2,
  },
  {
    name: 'nothing is propagated',
    covers: 'no_context_propagation: a span, no headers',
    config: { ...outbound, tracing: { no_context_propagation: true } },
    upstreams: { app: echo },
    steps: [{ send: get('/') }, { send: get('/', b3) }],
    spans: 2,
  },
  {
    name: 'Zipkin in protobuf',
    covers: 'HTTP_PROTO: content type, every field of a span',
    except: SPAN_IDS,
    config: {
      ...outbound,
      tracing: {
        spawn_upstream_span: true,
        verbose: true,
        zipkin: { collector_endpoint_version: 'HTTP_PROTO' },
      },
    },
    upstreams: { app: echo },
    steps: [{ send: get('/a', { 'user-agent': 'test' }) }, { send: get('/b', b3) }],
    spans: 4,
  },
  {
    name: 'Zipkin with a host name of its own',
    covers: 'collector_hostname; split_spans_for_request makes a SERVER and no more',
    config: {
      ...outbound,
      tracing: { zipkin: { collector_hostname: 'zipkin.test', split_spans_for_request: true } },
    },
    upstreams: { app: echo },
    steps: [{ send: get('/') }],
    spans: 1,
  },
  {
    name: 'Zipkin as a service',
    covers: 'collector_service: URI, timeout, headers',
    config: {
      ...outbound,
      tracing: {
        zipkin: {
          collector_cluster: undefined,
          collector_endpoint: undefined,
          collector_service: {
            http_uri: { uri: 'http://collector.test/api/v2/spans', cluster: 'zipkin', timeout: '2s' },
            request_headers_to_add: [{ header: { key: 'x-token', value: 'secret' } }],
          },
        },
      },
    },
    upstreams: { app: echo },
    steps: [{ send: get('/') }],
    spans: 1,
  },
  {
    name: 'methods that nobody knows',
    covers: 'http.method as it came',
    config: { ...outbound, tracing: {} },
    steps: [{ send: request('PROPFIND', '/') }],
    spans: 1,
  },
  {
    name: 'custom tags of metadata',
    covers: 'of route and cluster: texts, numbers, booleans, objects, what is not there, its default; of the request',
    config: {
      ...outbound,
      tracing: {
        custom_tags: [
          { tag: 'text', metadata: { kind: { route: {} }, metadata_key: { key: 'ns', path: [{ key: 'text' }] } } },
          { tag: 'number', metadata: { kind: { route: {} }, metadata_key: { key: 'ns', path: [{ key: 'number' }] } } },
          { tag: 'half', metadata: { kind: { route: {} }, metadata_key: { key: 'ns', path: [{ key: 'half' }] } } },
          { tag: 'flag', metadata: { kind: { route: {} }, metadata_key: { key: 'ns', path: [{ key: 'flag' }] } } },
          { tag: 'object', metadata: { kind: { route: {} }, metadata_key: { key: 'ns', path: [{ key: 'object' }] } } },
          {
            tag: 'deep',
            metadata: { kind: { route: {} }, metadata_key: { key: 'ns', path: [{ key: 'object' }, { key: 'a' }] } },
          },
          { tag: 'none', metadata: { kind: { route: {} }, metadata_key: { key: 'ns', path: [{ key: 'none' }] } } },
          {
            tag: 'default',
            metadata: {
              kind: { route: {} },
              metadata_key: { key: 'ns', path: [{ key: 'none' }] },
              default_value: 'fallback',
            },
          },
          {
            tag: 'of cluster',
            metadata: { kind: { cluster: {} }, metadata_key: { key: 'ns', path: [{ key: 'team' }] } },
          },
          {
            tag: 'of request',
            metadata: {
              kind: { request: {} },
              metadata_key: { key: 'ns', path: [{ key: 'team' }] },
              default_value: 'nobody',
            },
          },
        ],
      },
      app: { metadata: { filter_metadata: { ns: { team: 'blue' } } } },
      routes: [
        {
          match: { prefix: '/' },
          route: { cluster: 'app' },
          metadata: {
            filter_metadata: { ns: { text: 'größe', number: 3, half: 1.5, flag: true, object: { a: 1 } } },
          },
        },
      ],
    },
    steps: [{ send: get('/') }],
    spans: 1,
  },
  {
    name: 'tags that are no UTF-8',
    covers: 'custom tags of bytes that begin a character and do not end it',
    config: { tracing: { custom_tags: [{ tag: 'a', request_header: { name: 'x-a' } }] } },
    steps: NO_UTF8.map(value => ({ send: get('/', { 'x-a': `<${value}>` }) })),
    spans: NO_UTF8.length,
  },
  {
    name: 'tags that are no UTF-8, in protobuf',
    covers: 'custom tags of HTTP_PROTO reports',
    except: SPAN_IDS,
    config: {
      tracing: {
        zipkin: { collector_endpoint_version: 'HTTP_PROTO' },
        custom_tags: [{ tag: 'a', request_header: { name: 'x-a' } }],
      },
    },
    steps: NO_UTF8.map(value => ({ send: get('/', { 'x-a': `<${value}>` }) })),
    spans: NO_UTF8.length,
  },
]
