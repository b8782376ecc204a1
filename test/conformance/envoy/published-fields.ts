import { BOOTSTRAP } from './harness/fields.ts'

/**
 * How a field is shown to work: by a case whose comparison would come out otherwise without it. That it would is tried on Envoy, with
 * the field left out or with another value.
 */
export type Shown =
  | string
  /** `instead`: the other value (or what is made of the first), where leaving it out would change nothing or be refused. */
  | { case: string; instead: unknown }
  /** Nothing comes of it in Envoy either: why. */
  | { case: string; instead?: unknown; nothing: string }
  /** No case could run without it. */
  | { case: string; everywhere: string }
  /** Neither program takes the case's file without it. */
  | { case: string; required: true }

const HCM = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'
const http = 'envoy.extensions.filters.http.'
const compression = 'envoy.extensions.compression.'
const renamed = (name: unknown): unknown => `${name}-2`
/** A share of a percent in place of all. */
const SMALL = 'MILLION'
const LABEL = 'a label: the type of its configuration decides'

/** Those of a share: how much of what, and the key that changes it. */
const share = (field: string, name: string, byRuntime = name): Record<string, Shown> => ({
  [`${field}.default_value.numerator`]: { case: name, instead: 0 },
  [`${field}.default_value.denominator`]: { case: name, instead: SMALL },
  [`${field}.runtime_key`]: { case: byRuntime, instead: 'another.key' },
})

/** Every field of `../envoy-config/in-the-wild.ts`, by message. */
export const PUBLISHED_FIELDS: Readonly<Record<string, Readonly<Record<string, Shown>>>> = {
  [BOOTSTRAP]: {
    'admin.address.socket_address.address': {
      case: 'clusters',
      everywhere: 'cases ask there whether the program is ready',
    },
    'admin.address.socket_address.port_value': {
      case: 'clusters',
      everywhere: 'cases ask there whether the program is ready',
    },
    'node.id': { case: 'proxy-status by the node', instead: 'node-2' },
    'node.cluster': 'egress root',
    'layered_runtime.layers.name': { case: 'values of a directory', instead: renamed },
    'layered_runtime.layers.static_layer.envoy.resource_limits.listener.listener.connection_limit':
      'a limit of connections in the runtime',
    'layered_runtime.layers.disk_layer.symlink_root': { case: 'values of a directory', instead: '/nowhere' },
    'layered_runtime.layers.disk_layer.subdirectory': 'values of a directory',
    'static_resources.listeners.name': { case: 'names', instead: renamed },
    'static_resources.listeners.address.socket_address.address': { case: 'names', instead: '127.0.0.2' },
    'static_resources.listeners.address.socket_address.port_value': { case: 'clusters', instead: 0 },
    'static_resources.listeners.traffic_direction': 'egress root',
    'static_resources.listeners.filter_chains.filter_chain_match': 'no chain',
    'static_resources.listeners.filter_chains.filters.name': { case: 'names', instead: renamed },
    'static_resources.clusters.name': { case: 'a cluster that a request names', instead: renamed },
    'static_resources.clusters.type': { case: 'every address is a host', instead: 'LOGICAL_DNS' },
    'static_resources.clusters.connect_timeout': 'connect timeout',
    'static_resources.clusters.dns_lookup_family': 'a name that resolves',
    'static_resources.clusters.lb_policy': 'a cookie of the session',
    'static_resources.clusters.common_lb_config.locality_weighted_lb_config': 'localities by weight',
    'static_resources.clusters.health_checks.http_health_check.path': {
      case: 'a host that fails from the start',
      instead: '/fine',
    },
    'static_resources.clusters.health_checks.timeout': { case: 'no answer in time', instead: '60s' },
    'static_resources.clusters.health_checks.interval': { case: 'checks between requests', instead: '60s' },
    'static_resources.clusters.health_checks.unhealthy_threshold': { case: 'closed without an answer', instead: 1000 },
    'static_resources.clusters.health_checks.healthy_threshold': { case: 'it comes back', instead: 1000 },
    'static_resources.clusters.health_checks.no_traffic_interval': 'checks of what nobody asks for',
    'static_resources.clusters.health_checks.no_traffic_healthy_interval':
      'checks of what is well, and nobody asks for',
    'static_resources.clusters.load_assignment.cluster_name': {
      case: 'values as protobuf writes them',
      instead: 'another',
    },
    'static_resources.clusters.load_assignment.endpoints.priority': 'another priority after two tries',
    'static_resources.clusters.load_assignment.endpoints.locality.region': 'a file of checks of Unix sockets',
    'static_resources.clusters.load_assignment.endpoints.locality.zone': 'the own zone first',
    'static_resources.clusters.load_assignment.endpoints.load_balancing_weight': 'localities by weight',
    'static_resources.clusters.load_assignment.endpoints.lb_endpoints.endpoint.address.socket_address.address': {
      case: 'clusters',
      instead: '127.0.0.2',
    },
    'static_resources.clusters.load_assignment.endpoints.lb_endpoints.endpoint.address.socket_address.port_value': {
      case: 'clusters',
      instead: 1,
    },
    'static_resources.clusters.load_assignment.endpoints.lb_endpoints.endpoint.hostname': 'the name of a Unix socket',
    'static_resources.clusters.load_assignment.endpoints.lb_endpoints.endpoint.health_check_config.port_value':
      'its own port and name',
  },
  [HCM]: {
    stat_prefix: { case: 'two filters', instead: 'other' },
    codec_type: { case: 'HTTP/1 and nothing else', instead: 'AUTO' },
    generate_request_id: 'no request id wanted',
    use_remote_address: 'x-forwarded-port of a trusted hop',
    add_user_agent: 'via and user agent',
    'common_http_protocol_options.idle_timeout': 'an idle connection is closed',
    'tracing.provider.name': { case: 'names', instead: renamed },
    'access_log.name': { case: 'names', instead: renamed },
    'http_filters.name': { case: 'filters by name', instead: renamed },
    'route_config.name': { case: 'names', instead: renamed },
    'route_config.virtual_hosts.name': { case: 'virtual clusters of a virtual host', instead: renamed },
    'route_config.virtual_hosts.domains': { case: 'a plain GET', instead: ['other.test'] },
    'route_config.virtual_hosts.response_headers_to_add.header.key': {
      case: 'header mutations at every level',
      instead: 'x-other',
    },
    'route_config.virtual_hosts.response_headers_to_add.header.value': 'header mutations at every level',
    'route_config.virtual_hosts.routes.match.prefix': { case: 'a plain GET', instead: '/other' },
    'route_config.virtual_hosts.routes.match.grpc': 'gRPC requests alone',
    'route_config.virtual_hosts.routes.decorator.operation': { case: 'decorators on egress', instead: 'another' },
    'route_config.virtual_hosts.routes.route.cluster': { case: 'a copy of each request', instead: 'copy' },
    'route_config.virtual_hosts.routes.route.request_mirror_policies.cluster': {
      case: 'a copy of each request',
      instead: 'app',
    },
    'route_config.virtual_hosts.routes.route.request_mirror_policies.cluster_header': {
      case: 'the request names the cluster',
      instead: 'x-other',
    },
    'route_config.virtual_hosts.routes.direct_response.status': { case: 'compressor: local answers', instead: 418 },
    'route_config.virtual_hosts.routes.direct_response.body.inline_string': {
      case: 'compressor: local answers',
      instead: 'another',
    },
  },
  'envoy.config.trace.v3.ZipkinConfig': {
    collector_cluster: { case: 'egress root', instead: 'app' },
    collector_endpoint: { case: 'egress root', instead: '/other' },
    collector_endpoint_version: { case: 'egress root', instead: 'HTTP_PROTO' },
    shared_span_context: 'ingress with its own id',
  },
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    'explicit_http_config.http_protocol_options': { case: 'headers with capitals, in checks too', required: true },
  },
  [`${http}cors.v3.CorsPolicy`]: {
    'allow_origin_string_match.safe_regex.regex': { case: 'cors: nothing but an origin', instead: 'other' },
    allow_methods: 'cors: a policy in two levels',
    ...share('filter_enabled', 'cors: a policy in two levels', 'cors: switched off, and in the shadow'),
    ...share('shadow_enabled', 'cors: switched off, and in the shadow'),
  },
  [`${http}csrf.v3.CsrfPolicy`]: {
    'additional_origins.safe_regex.regex': { case: 'csrf: other origins that may', instead: 'other' },
    ...share('filter_enabled', 'csrf: other origins that may', 'csrf: off, in the shadow, of routes'),
    ...share('shadow_enabled', 'csrf in the shadow by the runtime'),
  },
  [`${http}rbac.v3.RBAC`]: {
    'matcher.matcher_list.matchers.predicate.not_matcher.single_predicate.input.name': {
      case: 'rbac: a matcher',
      instead: 'another',
      nothing: LABEL,
    },
    'matcher.matcher_list.matchers.predicate.not_matcher.single_predicate.value_match.safe_regex.google_re2': {
      case: 'rbac: a matcher',
      required: true,
    },
    'matcher.matcher_list.matchers.predicate.not_matcher.single_predicate.value_match.safe_regex.regex': {
      case: 'rbac: a matcher',
      instead: 'other',
    },
    'matcher.matcher_list.matchers.on_match.action.name': {
      case: 'rbac: a matcher',
      instead: 'another',
      nothing: LABEL,
    },
    'matcher.on_no_match.action.name': { case: 'rbac: a matcher', instead: 'another', nothing: LABEL },
  },
  'envoy.config.rbac.v3.Action': {
    name: { case: 'what a matcher of rbac leaves: DENY', instead: renamed },
    action: { case: 'rbac: a matcher', instead: 'LOG' },
  },
  'envoy.type.matcher.v3.HttpRequestHeaderMatchInput': { header_name: { case: 'rbac: a matcher', instead: 'x-other' } },
  [`${http}ext_authz.v3.ExtAuthz`]: {
    'http_service.server_uri.uri': {
      case: 'ext_authz: yes, with headers',
      instead: 'http://other.test',
      nothing: 'its cluster is asked, with the Host of the request',
    },
    'http_service.server_uri.cluster': { case: 'ext_authz: yes, with headers', instead: 'app' },
    'http_service.server_uri.timeout': { case: 'ext_authz: yes, with headers', instead: '5s' },
    'http_service.authorization_response.allowed_upstream_headers.patterns.exact': {
      case: 'ext_authz: yes, with headers',
      instead: 'x-other',
    },
  },
  [`${http}fault.v3.HTTPFault`]: {
    'abort.http_status': { case: 'fault: abort', instead: 418 },
    'abort.percentage.numerator': { case: 'fault: abort', instead: 0 },
    'abort.percentage.denominator': { case: 'fault: abort', instead: SMALL },
    'delay.fixed_delay': { case: 'fault: delay', instead: '5s' },
    'delay.percentage.numerator': { case: 'fault: delay', instead: 0 },
    'delay.percentage.denominator': { case: 'fault: delay', instead: SMALL },
  },
  [`${http}local_ratelimit.v3.LocalRateLimit`]: {
    stat_prefix: { case: 'local rate limit: two, and no more', instead: 'other' },
    'token_bucket.max_tokens': { case: 'local rate limit: two, and no more', instead: 9 },
    'token_bucket.tokens_per_fill': { case: 'local rate limit: tokens come back steadily', instead: 1000 },
    'token_bucket.fill_interval': { case: 'local rate limit: tokens come back steadily', instead: '6000s' },
    local_rate_limit_per_downstream_connection: 'local rate limit: a bucket for each connection',
    ...share('filter_enabled', 'local rate limit: switched by the runtime'),
    ...share('filter_enforced', 'local rate limit: switched by the runtime'),
    'response_headers_to_add.append_action': 'a header of a limited answer, once',
    'response_headers_to_add.header.key': {
      case: 'local rate limit: status and headers of its own',
      instead: 'x-other',
    },
    'response_headers_to_add.header.value': {
      case: 'local rate limit: status and headers of its own',
      instead: 'another',
    },
  },
  [`${http}compressor.v3.Compressor`]: {
    'compressor_library.name': { case: 'compressor: gzip', instead: 'another' },
    'response_direction_config.common_config.min_content_length': { case: 'compressor: settings', instead: 5000 },
    'response_direction_config.common_config.content_type': 'bodies of some types',
    'response_direction_config.disable_on_etag_header': 'compressor: settings',
  },
  [`${compression}gzip.compressor.v3.Gzip`]: {
    window_bits: 'what gzip may remember',
    memory_level: { case: 'what gzip may remember', nothing: 'how well it is squeezed is not compared' },
  },
  [`${compression}brotli.compressor.v3.Brotli`]: { window_bits: 'what br may remember' },
  [`${compression}zstd.compressor.v3.Zstd`]: {
    compression_level: { case: 'what zstd may remember', nothing: 'how well it is squeezed is not compared' },
  },
  [`${http}decompressor.v3.Decompressor`]: {
    'decompressor_library.name': { case: 'decompressor: a gzip response', instead: 'another' },
    'response_direction_config.common_config.enabled.default_value': {
      case: 'a decompressor that is on',
      instead: false,
    },
    'response_direction_config.common_config.enabled.runtime_key': {
      case: 'a decompressor that is on',
      instead: 'another',
    },
  },
  [`${compression}gzip.decompressor.v3.Gzip`]: {
    window_bits: 'more than the window of a decompressor',
    chunk_size: 'more than may come of gzip',
    max_inflate_ratio: 'more than may come of gzip',
  },
}
