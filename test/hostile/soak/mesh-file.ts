import { bootstrap, cluster, endpoint } from '../../conformance/envoy/harness/config.ts'
import { KIND_NAMES, type KindName, UPSTREAM_KINDS } from './kinds.ts'

type Fields = Record<string, unknown>

export interface SoakPorts {
  /** One whose spans go to Zipkin, one whose spans go to OTLP. */
  listeners: readonly [number, number]
  admin: number
  collector: number
  upstream: Record<string, number>
  /** Where nobody listens. */
  dead: number
}

/** What the breakers of a cluster let through; the stats of what remains go back to it. */
export const BREAKERS = { max_connections: 1024, max_pending_requests: 1024, max_requests: 1024, max_retries: 100 }
export const TIGHT_BREAKERS = { max_connections: 2, max_pending_requests: 3, max_requests: 1024, max_retries: 1 }
/** Of the buffer filter, on the route of `buffered`. */
export const BUFFER_BYTES = 128 * 1024
/** So many of the requests of `mirrored` go to the other cluster, too. */
export const MIRRORED_PERCENT = 60

/** An internal redirect comes by twice. */
const OVER = { append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }
const ALWAYS = { numerator: 100, denominator: 'HUNDRED' }
const HTTP = 'type.googleapis.com/envoy.extensions.filters.http.'

/** Reports are bodies like others: some at a time, not one for each request. */
const FLUSH = { min_flush_spans: 100, flush_interval_ms: 300, request_timeout: 60_000 }

/** Access log fields by name, in the order of the line. */
export const LOG_FIELDS = {
  id: '%REQ(x-id)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  answered: '%RESP(x-id)%',
  mutated: '%RESP(x-mutated)%',
  status: '%RESPONSE_CODE%',
  flags: '%RESPONSE_FLAGS%',
  details: '%RESPONSE_CODE_DETAILS%',
  received: '%BYTES_RECEIVED%',
  sent: '%BYTES_SENT%',
  cluster: '%UPSTREAM_CLUSTER%',
  host: '%UPSTREAM_HOST%',
  attempts: '%UPSTREAM_REQUEST_ATTEMPT_COUNT%',
  text: '%REQ(x-text):24%',
  trailer: '%TRAILER(x-trailer)%',
  method: '%REQ(:METHOD)%',
  client: '%DOWNSTREAM_REMOTE_ADDRESS%',
  begin: '%START_TIME%',
  duration: '%DURATION%',
  upstream: '%RESP(x-envoy-upstream-service-time)%',
  headBytes: '%REQUEST_HEADERS_BYTES%',
  route: '%ROUTE_NAME%',
} as const
const LOG_LINE = `${Object.values(LOG_FIELDS).join('\t')}\n`

const RETRY_ON = '5xx,reset,connect-failure,refused-stream'
const MORE: Partial<Record<KindName, Fields>> = {
  // Bodies without a length end with their connection, as one that breaks does: a new request may meet one that is just closing.
  unsized: { retry_policy: { retry_on: RETRY_ON, num_retries: 3 } },
  once: { retry_policy: { retry_on: RETRY_ON, num_retries: 3 } },
  rude: { retry_policy: { retry_on: RETRY_ON, num_retries: 2, per_try_timeout: '0.4s' } },
  flaky: { retry_policy: { retry_on: '5xx', num_retries: 2, retry_back_off: { base_interval: '0.002s' } } },
  hedged: {
    retry_policy: { retry_on: '5xx', num_retries: 3, per_try_timeout: '0.025s' },
    hedge_policy: { hedge_on_per_try_timeout: true },
  },
  mirrored: {
    request_mirror_policies: [
      { cluster: 'copy', runtime_fraction: { default_value: { numerator: 0 }, runtime_key: 'soak.mirrored' } },
    ],
  },
  moved: { internal_redirect_policy: { max_internal_redirects: 2 } },
}

/** Everything at once, on two listeners that differ in their tracer. */
export function meshFile(ports: SoakPorts, logFile: string): Fields {
  // A report that a busy collector answers late would be lost, and OTLP's are lost without a count.
  const uri = { uri: `http://127.0.0.1:${ports.collector}/v1/traces`, cluster: 'zipkin', timeout: '60s' }
  const options = (otlp: boolean) => ({
    routes: [...KIND_NAMES.map(routeOf), { match: { prefix: '/there/' }, name: 'there', route: routed('plain') }],
    routeConfig: {
      response_headers_to_add: [{ header: { key: 'x-echoed', value: '%REQ(x-id)%' }, ...OVER }],
      request_headers_to_remove: ['x-drop'],
      request_headers_to_add: [{ header: { key: 'x-forwarded-id', value: '%REQ(x-id)%' }, ...OVER }],
    },
    filters: FILTERS,
    clusters: clusters(ports),
    runtime: { soak: { mirrored: MIRRORED_PERCENT }, tracing: { zipkin: FLUSH, opentelemetry: FLUSH } },
    hcm: {
      stat_prefix: otlp ? 'otlp' : 'zipkin',
      delayed_close_timeout: '1s',
      http_protocol_options: { enable_trailers: true },
      local_reply_config: {
        body_format: {
          text_format_source: { inline_string: 'local %RESPONSE_CODE% of %REQ(x-id)% %LOCAL_REPLY_BODY%' },
        },
      },
    },
    tracing: {
      ...(otlp ? { otlp: { http_service: { http_uri: uri } } } : { zipkin: {} }),
      custom_tags: [{ tag: 'soak.id', request_header: { name: 'x-id' } }],
    },
    accessLog: LOG_LINE,
  })
  const of = (listener: number, otlp: boolean) =>
    bootstrap(
      options(otlp),
      { listener, admin: ports.admin, collector: ports.collector, dead: ports.dead, upstream: {} },
      logFile,
    )
  const file = of(ports.listeners[0], false) as { static_resources: { listeners: Fields[] } }
  const other = of(ports.listeners[1], true) as typeof file
  file.static_resources.listeners.push({ ...other.static_resources.listeners[0], name: 'otlp' })
  return file
}

const FILTERS = [
  {
    name: 'envoy.filters.http.header_mutation',
    typed_config: {
      '@type': `${HTTP}header_mutation.v3.HeaderMutation`,
      mutations: {
        request_mutations: [{ append: { header: { key: 'x-mutated', value: '%REQ(x-id)%' }, ...OVER } }],
        response_mutations: [{ append: { header: { key: 'x-mutated', value: '%REQ(x-id)%' }, ...OVER } }],
      },
    },
  },
  {
    name: 'envoy.filters.http.fault',
    typed_config: {
      '@type': `${HTTP}fault.v3.HTTPFault`,
      max_active_faults: 1_000,
      delay: { header_delay: {}, percentage: ALWAYS },
    },
  },
  {
    name: 'envoy.filters.http.buffer',
    disabled: true,
    typed_config: { '@type': `${HTTP}buffer.v3.Buffer`, max_request_bytes: BUFFER_BYTES },
  },
  {
    name: 'envoy.filters.http.compressor',
    typed_config: {
      '@type': `${HTTP}compressor.v3.Compressor`,
      compressor_library: {
        name: 'text',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip' },
      },
    },
  },
]

function routed(kind: KindName): Fields {
  return { cluster: kind, timeout: '60s', ...MORE[kind] }
}

function routeOf(kind: KindName): Fields {
  const route = { name: kind, match: { prefix: `/${kind}/` } }
  if (kind === 'direct') return { ...route, direct_response: { status: 200, body: { inline_string: 'direct' } } }
  if (kind === 'absent') return { ...route, direct_response: { status: 404 } }
  const buffered = {
    typed_per_filter_config: {
      'envoy.filters.http.buffer': {
        '@type': `${HTTP}buffer.v3.BufferPerRoute`,
        buffer: { max_request_bytes: BUFFER_BYTES },
      },
    },
  }
  return { ...route, route: routed(kind), ...(kind === 'buffered' ? buffered : {}) }
}

function clusters(ports: SoakPorts): Fields[] {
  return [...UPSTREAM_KINDS, 'copy', 'dead'].map(name =>
    cluster(name, ports.upstream[name] ?? ports.dead, {
      connect_timeout: '20s',
      http_protocol_options: { enable_trailers: true },
      circuit_breakers: {
        thresholds: [{ ...(name === 'tight' ? TIGHT_BREAKERS : BREAKERS), track_remaining: true }],
      },
      // Two hosts that are one: to be balanced over, and to be hedged over.
      load_assignment: {
        cluster_name: name,
        endpoints: [
          {
            lb_endpoints: [
              endpoint(ports.upstream[name] ?? ports.dead),
              ...(name in ports.upstream ? [endpoint(ports.upstream[name]!, '127.0.0.2')] : []),
            ],
          },
        ],
      },
    }),
  )
}
