import { type Case, get, request } from '../harness/case.ts'
import { cluster, type Ports } from '../harness/config.ts'
import type { GrpcAnswer } from '../harness/grpc-collector.ts'
import { echo, ok, reset, sequence, status } from '../harness/upstream.ts'

const outbound = { listener: { traffic_direction: 'OUTBOUND' } }
const inbound = { listener: { traffic_direction: 'INBOUND' } }
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const parent = (flags: string) => ({ traceparent: `00-${TRACE}-b7ad6b7169203331-${flags}` })
const SAMPLERS = 'type.googleapis.com/envoy.extensions.tracers.opentelemetry.samplers.v3.'
const DETECTORS = 'type.googleapis.com/envoy.extensions.tracers.opentelemetry.resource_detectors.v3.'
const sampler = (type: string, fields: object = {}) => ({
  name: type,
  typed_config: { '@type': `${SAMPLERS}${type}SamplerConfig`, ...fields },
})

const HTTP2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
}
const overGrpc =
  (service: object, port: (ports: Ports) => number, options: Record<string, unknown> = HTTP2) =>
  (ports: Ports) => ({
    ...outbound,
    tracing: { otlp: { http_service: undefined, grpc_service: service } },
    clusters: [cluster('otlp', port(ports), options)],
  })
const toCollector = (ports: Ports) => ports.grpcCollector!
const grpcReports = (name: string, covers: string, rest: Partial<Case> & { service?: object }): Case => {
  const { service, ...fields } = rest
  return {
    name: `${name}, over gRPC`,
    covers,
    config: overGrpc(service ?? { envoy_grpc: { cluster_name: 'otlp' } }, toCollector),
    steps: [{ send: get('/1') }, { settled: 'stats' }, { send: get('/2') }],
    spans: 2,
    except: {
      why: 'the settings and window updates of another HTTP/2 library',
      drop({ stats }) {
        for (const name of ['rx_bytes_total', 'tx_bytes_total', 'rx_bytes_buffered'])
          delete stats[`cluster.otlp.upstream_cx_${name}`]
      },
    },
    ...fields,
  }
}
const failing = (name: string, answer: GrpcAnswer): Case =>
  grpcReports(`a report that ends with ${name}`, 'who counts what of it', { grpcCollector: answer })

/** Spans as the OpenTelemetry tracer reports them, and the W3C headers that go with them. */
export const openTelemetryCases: Case[] = [
  {
    name: 'egress: a root and a child',
    covers: 'CLIENT, egress HOST, traceparent and tracestate always injected, B3 passed on; %TRACE_ID% %SPAN_ID%',
    config: { ...outbound, tracing: { otlp: {} }, accessLog: '%TRACE_ID% %SPAN_ID%\n' },
    upstreams: { app: echo },
    steps: [
      { send: get('/a?b=c', { tracestate: 'a=b', 'x-b3-traceid': '463ac35c9f6413ad', 'user-agent': 'test' }) },
      { send: get('/x', { ...parent('01'), tracestate: 'k=v' }) },
    ],
    spans: 2,
  },
  {
    name: 'ingress: a root and a child',
    covers: 'SERVER, its name, never the incoming id; service_name left out',
    config: { ...inbound, tracing: { otlp: { service_name: undefined } } },
    upstreams: { app: echo },
    steps: [{ send: get('/') }, { send: get('/', parent('01')) }],
    spans: 2,
  },
  {
    name: 'spawned attempts with events',
    covers: 'SERVER and a CLIENT an attempt, status of each, retry.count, verbose events, flags of local parents',
    config: {
      ...outbound,
      tracing: { otlp: {}, verbose: true, spawn_upstream_span: true },
      routes: [
        { match: { prefix: '/' }, route: { cluster: 'app', retry_policy: { retry_on: '5xx', num_retries: 2 } } },
      ],
    },
    upstreams: { app: sequence(status(503), reset, status(404)) },
    steps: [{ send: request('POST', '/', {}, 'hi') }],
    spans: 4,
  },
  {
    name: 'statuses',
    covers: 'an error from 500 on, from 400 on for a CLIENT, with no answer at all',
    config: { ...outbound, tracing: { otlp: {} } },
    upstreams: { app: sequence(status(399), status(400), status(503), reset) },
    steps: [{ send: get('/1') }, { send: get('/2') }, { send: get('/3') }, { send: get('/4') }],
    spans: 4,
  },
  {
    name: 'statuses of a SERVER',
    covers: 'a 4xx is no error there',
    config: { ...inbound, tracing: { otlp: {} } },
    upstreams: { app: sequence(status(404), status(500)) },
    steps: [{ send: get('/1') }, { send: get('/2') }],
    spans: 2,
  },
  {
    name: 'a malformed traceparent',
    covers: 'no span, headers pass untouched, unlike Zipkin with W3C',
    config: { ...outbound, tracing: { otlp: {} } },
    upstreams: { app: echo },
    steps: [
      { send: get('/1', { traceparent: 'garbage', tracestate: 'a=b' }) },
      { send: get('/2', { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` }) },
      { send: get('/3', { traceparent: `00-${TRACE}-b7ad6b7169203331-01-more` }) },
      { send: get('/4', { traceparent: `00-${TRACE.toUpperCase()}-b7ad6b7169203331-01` }) },
      { send: get('/5', { traceparent: `ff-${TRACE}-b7ad6b7169203331-01` }) },
      { send: get('/6', { traceparent: '' }) },
    ],
  },
  {
    name: 'decisions',
    covers: 'sampled is the parent’s flag AND Envoy’s decision',
    config: { ...outbound, tracing: { otlp: {}, random_sampling: { value: 0 } } },
    upstreams: { app: echo },
    steps: [{ send: get('/1', parent('01')) }, { send: get('/2', parent('00')) }, { send: get('/3') }],
    spans: 0,
  },
  {
    name: 'decisions of a parent',
    covers: 'its no stands against random_sampling 100',
    config: { ...outbound, tracing: { otlp: {} } },
    upstreams: { app: echo },
    steps: [{ send: get('/1', parent('00')) }, { send: get('/2', parent('03')) }],
    spans: 1,
  },
  ...(['AlwaysOn', 'ParentBased', 'TraceIdRatioBased'] as const).map(
    (type): Case => ({
      name: `sampler ${type}`,
      covers: 'its word with and without a parent, and against the decision',
      config: {
        ...outbound,
        tracing: {
          otlp: {
            sampler: sampler(
              type,
              type === 'ParentBased'
                ? { wrapped_sampler: sampler('AlwaysOn') }
                : type === 'TraceIdRatioBased'
                  ? { sampling_percentage: { numerator: 0 } }
                  : {},
            ),
          },
        },
      },
      upstreams: { app: echo },
      steps: [
        { send: get('/1') },
        { send: get('/2', { ...parent('00'), tracestate: 'k=v' }) },
        { send: get('/3', { ...parent('01'), tracestate: 'k=v' }) },
        { send: get('/4', { 'x-request-id': '2af77ba2-cb90-4bd6-a5a0-3a5d7a9c1c1a' }) },
      ],
    }),
  ),
  {
    name: 'sampler AlwaysOn against the decision',
    covers: 'random_sampling 0 with a sampler',
    config: {
      ...outbound,
      tracing: { random_sampling: { value: 0 }, otlp: { sampler: sampler('AlwaysOn') } },
    },
    upstreams: { app: echo },
    steps: [{ send: get('/1') }, { send: get('/2', parent('00')) }, { send: get('/3', parent('01')) }],
  },
  {
    name: 'resource attributes',
    covers: 'detectors, what is switched off',
    config: {
      ...outbound,
      tracing: {
        otlp: {
          set_telemetry_sdk_resource_attributes: false,
          set_instrumentation_scope: false,
          resource_detectors: [
            {
              name: 'static',
              typed_config: {
                '@type': `${DETECTORS}StaticConfigResourceDetectorConfig`,
                attributes: { 'deployment.environment.name': 'test', 'service.name': 'theirs' },
              },
            },
          ],
        },
      },
    },
    steps: [{ send: get('/') }],
    spans: 1,
  },
  ...[
    'team=mesh, deployment.environment.name = test ,service.name=theirs,empty=,=none,bare,a=b=c,percent=%20,dup=1,dup=2',
    '',
  ].map(
    (text): Case => ({
      name: `resource attributes of the environment${text === '' ? ', which has none' : ''}`,
      covers: 'the environment detector: OTEL_RESOURCE_ATTRIBUTES, blanks, what is no pair, the service name',
      environment: { OTEL_RESOURCE_ATTRIBUTES: text },
      config: {
        ...outbound,
        tracing: {
          otlp: {
            resource_detectors: [
              {
                name: 'environment',
                typed_config: { '@type': `${DETECTORS}EnvironmentResourceDetectorConfig` },
              },
            ],
          },
        },
      },
      steps: [{ send: get('/') }],
      spans: 1,
    }),
  ),
  {
    name: 'headers of the reports',
    covers: 'request_headers_to_add of the HTTP service',
    config: {
      ...outbound,
      tracing: {
        otlp: {
          http_service: {
            http_uri: { uri: 'http://collector.test/v1/traces', cluster: 'zipkin', timeout: '2s' },
            request_headers_to_add: [{ header: { key: 'X-Token', value: 'secret' } }],
          },
        },
      },
    },
    steps: [{ send: get('/') }],
    spans: 1,
  },
  {
    name: 'tags of its own and a decorator',
    covers: 'custom tags, the decorator names the span, http.method of an unknown method',
    config: {
      ...outbound,
      tracing: {
        otlp: {},
        custom_tags: [
          { tag: 'fixed', literal: { value: 'text' } },
          { tag: 'header.absent', request_header: { name: 'x-none' } },
          { tag: 'component', literal: { value: 'mine' } },
        ],
      },
      routes: [{ match: { prefix: '/' }, decorator: { operation: 'getOrder' }, route: { cluster: 'app' } }],
    },
    steps: [{ send: get('/') }, { send: request('PROPFIND', '/') }],
    spans: 2,
  },
  {
    name: 'gRPC requests',
    covers: 'grpc.* attributes; which statuses are a failure of whom',
    upstreams: { app: (message, socket, index) => ok('', `grpc-status: ${index}\r\n`)(message, socket, index) },
    config: { tracing: { otlp: {}, spawn_upstream_span: true } },
    steps: [0, 1, 2, 3, 4, 5, 13].map(i => ({
      send: request('POST', `/pkg.Service/Method${i}`, { 'content-type': 'application/grpc' }, 'x'),
    })),
    spans: 14,
  },
  grpcReports('spans', 'the call’s head, its numbers', {}),
  grpcReports('authority and metadata', 'authority, initial_metadata (the last of a name), skip_envoy_headers', {
    service: {
      envoy_grpc: { cluster_name: 'otlp', authority: 'collector.test', skip_envoy_headers: true },
      initial_metadata: [
        { key: 'X-Token', value: 'first' },
        { key: 'x-token', value: 'last' },
        { key: 'a-b', value: 'c' },
      ],
      timeout: '0.25s',
    },
  }),
  failing('a status', { grpc: 8 }),
  failing('a status in its head', 'only trailers'),
  failing('HTTP alone', { http: 503 }),
  failing('a reset', 'reset'),
  grpcReports('a report that nobody answers', 'the timeout of the service is not used', {
    grpcCollector: 'never',
    service: { envoy_grpc: { cluster_name: 'otlp' }, timeout: '0.05s' },
  }),
  grpcReports('a collector that is away', 'no connection: 503, spans are lost', {
    config: overGrpc({ envoy_grpc: { cluster_name: 'otlp' } }, ports => ports.dead),
    spans: 0,
  }),
  grpcReports('a cluster’s own field', 'http2_protocol_options of the cluster', {
    config: overGrpc({ envoy_grpc: { cluster_name: 'otlp' } }, toCollector, { http2_protocol_options: {} }),
  }),
]
