import type { ValidateCase } from './cases.ts'

const type = (name: string, fields: object = {}) => ({ '@type': `type.googleapis.com/${name}`, ...fields })
const named = (name: string, typed: string, fields: object = {}) => ({ name, typed_config: type(typed, fields) })
const http = (name: string, typed: string, fields: object = {}) =>
  named(`envoy.filters.http.${name}`, `envoy.extensions.filters.http.${name}.v3.${typed}`, fields)
const address = (port_value: number) => ({ socket_address: { address: '127.0.0.1', port_value } })
const share = (runtime_key: string) => ({ default_value: { numerator: 100, denominator: 'HUNDRED' }, runtime_key })
const percentage = { numerator: 50, denominator: 'HUNDRED' }
const origins = [{ safe_regex: { regex: '.*\\.example\\.test' } }]
const onPolicy = { filter_enabled: share('on'), shadow_enabled: share('shadow') }
const compression = 'envoy.extensions.compression.'
const compressor = (coding: string, typed: string, fields: object) =>
  http('compressor', 'Compressor', {
    response_direction_config: {
      common_config: { min_content_length: 100, content_type: ['text/html', 'application/json'] },
      disable_on_etag_header: true,
    },
    compressor_library: named('library', `${compression}${coding}.compressor.v3.${typed}`, fields),
  })
const action = (name: string, verdict: string) => ({
  action: named(name, 'envoy.config.rbac.v3.Action', { name, action: verdict }),
})
const input = named('envoy.matching.inputs.request_headers', 'envoy.type.matcher.v3.HttpRequestHeaderMatchInput', {
  header_name: 'user-agent',
})

const filters = [
  http('fault', 'HTTPFault', {
    abort: { http_status: 503, percentage },
    delay: { fixed_delay: '3s', percentage },
  }),
  http('cors', 'Cors'),
  http('csrf', 'CsrfPolicy', { ...onPolicy, additional_origins: origins }),
  http('rbac', 'RBAC', {
    matcher: {
      matcher_list: {
        matchers: [
          {
            predicate: {
              not_matcher: {
                single_predicate: { input, value_match: { safe_regex: { google_re2: {}, regex: '.*curl.*' } } },
              },
            },
            on_match: action('deny', 'DENY'),
          },
        ],
      },
      on_no_match: action('allow', 'ALLOW'),
    },
  }),
  http('ext_authz', 'ExtAuthz', {
    http_service: {
      server_uri: { uri: 'http://authz.test', cluster: 'app', timeout: '0.25s' },
      authorization_response: { allowed_upstream_headers: { patterns: [{ exact: 'x-current-user' }] } },
    },
  }),
  http('local_ratelimit', 'LocalRateLimit', {
    stat_prefix: 'limiter',
    token_bucket: { max_tokens: 4, tokens_per_fill: 4, fill_interval: '60s' },
    filter_enabled: share('limit.enabled'),
    filter_enforced: share('limit.enforced'),
    response_headers_to_add: [
      { append_action: 'OVERWRITE_IF_EXISTS_OR_ADD', header: { key: 'x-local-rate-limit', value: 'true' } },
    ],
    local_rate_limit_per_downstream_connection: true,
  }),
  compressor('gzip', 'Gzip', { memory_level: 3, window_bits: 10 }),
  compressor('brotli', 'Brotli', { window_bits: 10 }),
  compressor('zstd', 'Zstd', { compression_level: 3 }),
  http('decompressor', 'Decompressor', {
    decompressor_library: named('library', `${compression}gzip.decompressor.v3.Gzip`, {
      chunk_size: 4096,
      max_inflate_ratio: 100,
      window_bits: 15,
    }),
    response_direction_config: { common_config: { enabled: { default_value: true, runtime_key: 'decompress' } } },
  }),
  http('router', 'Router'),
]

const routes = [
  { match: { prefix: '/grpc', grpc: {} }, route: { cluster: 'app' } },
  { match: { prefix: '/direct' }, direct_response: { status: 200, body: { inline_string: 'here' } } },
  {
    match: { prefix: '/' },
    decorator: { operation: 'checkStock' },
    route: { cluster: 'app', request_mirror_policies: [{ cluster: 'app' }, { cluster_header: 'x-mirror-cluster' }] },
    typed_per_filter_config: {
      'envoy.filters.http.cors': type('envoy.extensions.filters.http.cors.v3.CorsPolicy', {
        allow_origin_string_match: origins,
        allow_methods: 'GET',
        ...onPolicy,
      }),
    },
  },
]

const zipkin = named('envoy.tracers.zipkin', 'envoy.config.trace.v3.ZipkinConfig', {
  collector_cluster: 'app',
  collector_endpoint: '/api/v2/spans',
  collector_endpoint_version: 'HTTP_JSON',
  shared_span_context: false,
})

const manager = {
  stat_prefix: 'ingress_http',
  codec_type: 'AUTO',
  generate_request_id: true,
  use_remote_address: true,
  add_user_agent: true,
  common_http_protocol_options: { idle_timeout: '10s' },
  tracing: { provider: zipkin },
  access_log: [named('envoy.access_loggers.stdout', 'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog')],
  route_config: {
    name: 'local_route',
    virtual_hosts: [
      {
        name: 'backend',
        domains: ['*'],
        response_headers_to_add: [{ header: { key: 'x-served-by', value: 'edge' } }],
        routes,
      },
    ],
  },
  http_filters: filters,
}

const locality = {
  locality: { region: 'local', zone: 'zone-1' },
  load_balancing_weight: 1,
  priority: 0,
  lb_endpoints: [
    { endpoint: { address: address(8000), hostname: 'app-1', health_check_config: { port_value: 8080 } } },
  ],
}

/** Every field that the published sandboxes of an HTTP/1.1 mesh use; `../envoy/published-fields.ts` says what shows each. */
export const inTheWildFile = {
  admin: { address: address(9901) },
  node: { id: 'edge-1', cluster: 'edge' },
  layered_runtime: {
    layers: [
      {
        name: 'limits',
        static_layer: {
          envoy: { resource_limits: { listener: { listener: { connection_limit: 10_000 } } } },
        },
      },
      { name: 'disk', disk_layer: { symlink_root: '/tmp', subdirectory: 'no-runtime-here' } },
    ],
  },
  static_resources: {
    listeners: [
      {
        name: 'listener',
        address: address(10_000),
        traffic_direction: 'OUTBOUND',
        filter_chains: [
          {
            filter_chain_match: {},
            filters: [
              named(
                'envoy.filters.network.http_connection_manager',
                'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                manager,
              ),
            ],
          },
        ],
      },
    ],
    clusters: [
      {
        name: 'app',
        type: 'STRICT_DNS',
        connect_timeout: '0.25s',
        dns_lookup_family: 'V4_ONLY',
        lb_policy: 'ROUND_ROBIN',
        common_lb_config: { locality_weighted_lb_config: {} },
        health_checks: [
          {
            http_health_check: { path: '/' },
            timeout: '1s',
            interval: '1s',
            unhealthy_threshold: 1,
            healthy_threshold: 1,
            no_traffic_interval: '1s',
            no_traffic_healthy_interval: '1s',
          },
        ],
        typed_extension_protocol_options: {
          'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': type(
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
            { explicit_http_config: { http_protocol_options: {} } },
          ),
        },
        load_assignment: { cluster_name: 'app', endpoints: [locality] },
      },
    ],
  },
}

export const inTheWild: ValidateCase[] = [
  {
    name: 'every field of published files',
    text: JSON.stringify(inTheWildFile),
    extension: 'json',
    expected: 'accepted',
  },
]
