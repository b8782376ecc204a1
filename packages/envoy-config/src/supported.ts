/**
 * What of Envoy's API Hopscope does, message by message, by proto names. A field of Envoy that is not here is an `unsupported`
 * problem, never ignored. The reference page of the subset is made from this table.
 *
 * - `yes`: as in Envoy.
 * - a text: as in Envoy, for the reason it gives (mostly: there is nothing to do).
 * - a list: only these values.
 *
 * A scalar that is written out with its default (`normalize_path: false`) is always accepted, for proto3 cannot tell it from an
 * absent one; a wrapper or duration is not, so those whose default we do are listed with that value.
 */
export type Support = 'yes' | string | readonly (string | number | boolean)[]
export type SupportTable = Readonly<Record<string, Readonly<Record<string, Support>>>>

const label = 'a label; the type of typed_config decides'
const headerMutations = {
  request_headers_to_add: 'yes',
  request_headers_to_remove: 'yes',
  response_headers_to_add: 'yes',
  response_headers_to_remove: 'yes',
} as const

export const supported: SupportTable = {
  'envoy.config.bootstrap.v3.Bootstrap': {
    node: 'yes',
    admin: 'yes',
    static_resources: 'yes',
    layered_runtime: 'yes',
    stats_flush_interval: 'there are no stats sinks to flush to',
  },
  'envoy.config.bootstrap.v3.Bootstrap.StaticResources': { listeners: 'yes', clusters: 'yes' },
  // A log that nobody keeps is a log that nobody can miss; another path is one.
  'envoy.config.bootstrap.v3.Admin': { address: 'yes', access_log_path: ['/dev/null'] },
  'envoy.config.bootstrap.v3.LayeredRuntime': { layers: 'yes' },
  'envoy.config.bootstrap.v3.RuntimeLayer': { name: 'yes', static_layer: 'yes', admin_layer: 'yes' },
  'envoy.config.bootstrap.v3.RuntimeLayer.AdminLayer': {},
  'envoy.config.core.v3.Node': { id: 'yes', cluster: 'yes', locality: 'yes', metadata: 'only xDS servers see it' },
  'envoy.config.core.v3.Locality': { region: 'yes', zone: 'yes', sub_zone: 'yes' },
  'envoy.config.core.v3.Address': { socket_address: 'yes' },
  'envoy.config.core.v3.SocketAddress': { protocol: ['TCP'], address: 'yes', port_value: 'yes' },
  'envoy.config.core.v3.DataSource': {
    filename: 'yes',
    inline_bytes: 'yes',
    inline_string: 'yes',
    environment_variable: 'yes',
  },
  'envoy.type.v3.Percent': { value: 'yes' },
  'envoy.type.v3.FractionalPercent': { numerator: 'yes', denominator: 'yes' },

  'envoy.config.listener.v3.Listener': {
    name: 'yes',
    address: 'yes',
    filter_chains: 'yes',
    traffic_direction: 'yes',
    per_connection_buffer_limit_bytes: 'yes',
    bind_to_port: [true],
    enable_reuse_port: 'one thread accepts: there is no other socket of this process to share the port with',
  },
  'envoy.config.listener.v3.FilterChain': {
    name: 'yes',
    filters: 'yes',
    filter_chain_match: 'an empty match, which is every connection',
    transport_socket: 'raw_buffer',
  },
  'envoy.config.listener.v3.FilterChainMatch': {},
  'envoy.config.listener.v3.Filter': { name: label, typed_config: 'yes' },
  'envoy.config.core.v3.TransportSocket': { name: label, typed_config: 'yes' },
  'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer': {},

  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager': {
    stat_prefix: 'yes',
    codec_type: ['AUTO', 'HTTP1'],
    route_config: 'yes',
    http_filters: 'yes',
    tracing: 'yes',
    access_log: 'yes',
    generate_request_id: 'yes',
    preserve_external_request_id: 'yes',
    always_set_request_id_in_response: 'yes',
    use_remote_address: 'yes',
    xff_num_trusted_hops: 'yes',
    skip_xff_append: 'yes',
    internal_address_config: 'yes',
    add_user_agent: 'yes',
    via: 'yes',
    server_name: 'yes',
    server_header_transformation: 'yes',
    stream_idle_timeout: 'yes',
    request_timeout: 'yes',
    request_headers_timeout: 'yes',
    delayed_close_timeout: 'yes',
    common_http_protocol_options: 'yes',
    http_protocol_options: 'yes',
    max_request_headers_kb: 'yes',
    strip_matching_host_port: 'yes',
    strip_any_host_port: 'yes',
    normalize_path: [false],
  },
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.InternalAddressConfig': {
    cidr_ranges: 'yes',
  },
  'envoy.config.core.v3.CidrRange': { address_prefix: 'yes', prefix_len: 'yes' },
  'envoy.config.core.v3.HttpProtocolOptions': {
    idle_timeout: 'yes',
    max_headers_count: 'of a listener; in a cluster unsupported',
    max_requests_per_connection: 'of a cluster; in a listener unsupported',
  },
  'envoy.config.core.v3.Http1ProtocolOptions': {
    accept_http_10: 'of a listener; in a cluster it has no effect',
    allow_absolute_url: [true],
  },
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter': { name: label, typed_config: 'yes' },
  'envoy.extensions.filters.http.router.v3.Router': {
    suppress_envoy_headers: 'yes',
    start_child_span: 'yes',
    respect_expected_rq_timeout: 'yes',
    dynamic_stats: [true],
  },

  'envoy.extensions.filters.http.fault.v3.HTTPFault': {
    delay: 'yes',
    abort: 'yes',
    response_rate_limit: 'yes',
    upstream_cluster: 'yes',
    headers: 'yes',
    downstream_nodes: 'yes',
    max_active_faults: 'yes',
    delay_percent_runtime: 'yes',
    abort_percent_runtime: 'yes',
    delay_duration_runtime: 'yes',
    abort_http_status_runtime: 'yes',
    abort_grpc_status_runtime: 'yes',
    max_active_faults_runtime: 'yes',
    response_rate_limit_percent_runtime: 'yes',
    disable_downstream_cluster_stats: 'yes',
  },
  'envoy.extensions.filters.http.fault.v3.FaultAbort': {
    http_status: 'yes',
    grpc_status: 'yes',
    header_abort: 'yes',
    percentage: 'yes',
  },
  'envoy.extensions.filters.http.fault.v3.FaultAbort.HeaderAbort': {},
  'envoy.extensions.filters.common.fault.v3.FaultDelay': {
    fixed_delay: 'yes',
    header_delay: 'yes',
    percentage: 'yes',
  },
  'envoy.extensions.filters.common.fault.v3.FaultDelay.HeaderDelay': {},
  'envoy.extensions.filters.common.fault.v3.FaultRateLimit': {
    fixed_limit: 'yes',
    header_limit: 'yes',
    percentage: 'yes',
  },
  'envoy.extensions.filters.common.fault.v3.FaultRateLimit.FixedLimit': { limit_kbps: 'yes' },
  'envoy.extensions.filters.common.fault.v3.FaultRateLimit.HeaderLimit': {},
  'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit': {
    stat_prefix: 'yes',
    status: 'yes',
    token_bucket: 'yes',
    filter_enabled: 'yes',
    filter_enforced: 'yes',
    request_headers_to_add_when_not_enforced: 'yes',
    response_headers_to_add: 'yes',
    local_rate_limit_per_downstream_connection: 'yes',
    rate_limited_as_resource_exhausted: 'yes',
  },
  'envoy.type.v3.HttpStatus': { code: 'yes' },
  'envoy.type.v3.TokenBucket': { max_tokens: 'yes', tokens_per_fill: 'yes', fill_interval: 'yes' },
  'envoy.config.core.v3.RuntimeFractionalPercent': { default_value: 'yes', runtime_key: 'yes' },

  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing': {
    client_sampling: 'yes',
    random_sampling: 'yes',
    overall_sampling: 'yes',
    verbose: 'yes',
    max_path_tag_length: 'yes',
    custom_tags: 'yes',
    provider: 'yes',
    spawn_upstream_span: 'yes',
  },
  'envoy.type.tracing.v3.CustomTag': { tag: 'yes', literal: 'yes', environment: 'yes', request_header: 'yes' },
  'envoy.type.tracing.v3.CustomTag.Literal': { value: 'yes' },
  'envoy.type.tracing.v3.CustomTag.Environment': { name: 'yes', default_value: 'yes' },
  'envoy.type.tracing.v3.CustomTag.Header': { name: 'yes', default_value: 'yes' },
  'envoy.config.trace.v3.Tracing.Http': { name: label, typed_config: 'yes' },
  'envoy.config.trace.v3.ZipkinConfig': {
    collector_cluster: 'yes',
    collector_endpoint: 'yes',
    collector_endpoint_version: ['HTTP_JSON'],
    collector_hostname: 'yes',
    trace_id_128bit: 'yes',
    shared_span_context: 'yes',
    trace_context_option: 'yes',
  },

  'envoy.config.accesslog.v3.AccessLog': { name: label, typed_config: 'yes' },
  'envoy.extensions.access_loggers.file.v3.FileAccessLog': { path: 'yes', log_format: 'yes', format: 'yes' },
  'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog': { log_format: 'yes' },
  'envoy.extensions.access_loggers.stream.v3.StderrAccessLog': { log_format: 'yes' },
  'envoy.config.core.v3.SubstitutionFormatString': {
    text_format: 'yes',
    text_format_source: 'yes',
    json_format: 'yes',
  },

  'envoy.config.route.v3.RouteConfiguration': {
    name: 'yes',
    virtual_hosts: 'yes',
    internal_only_headers: 'yes',
    ...headerMutations,
    most_specific_header_mutations_wins: 'yes',
    ignore_port_in_host_matching: 'yes',
    validate_clusters: 'yes',
    max_direct_response_body_size_bytes: 'yes',
  },
  'envoy.config.route.v3.VirtualHost': {
    name: 'yes',
    domains: 'yes',
    routes: 'yes',
    ...headerMutations,
    retry_policy: 'yes',
    include_request_attempt_count: 'yes',
    include_attempt_count_in_response: 'yes',
    typed_per_filter_config: 'yes',
  },
  'envoy.config.route.v3.Route': {
    name: 'yes',
    match: 'yes',
    route: 'yes',
    redirect: 'yes',
    direct_response: 'yes',
    decorator: 'yes',
    tracing: 'yes',
    typed_per_filter_config: 'yes',
    ...headerMutations,
  },
  'envoy.config.route.v3.Decorator': { operation: 'yes', propagate: 'yes' },
  'envoy.config.route.v3.Tracing': { client_sampling: 'yes', random_sampling: 'yes', overall_sampling: 'yes' },
  'envoy.config.route.v3.RouteMatch': { prefix: 'yes', path: 'yes', case_sensitive: 'yes', headers: 'yes' },
  'envoy.config.route.v3.HeaderMatcher': {
    name: 'yes',
    exact_match: 'yes',
    present_match: 'yes',
    string_match: 'yes',
    invert_match: 'yes',
  },
  'envoy.type.matcher.v3.StringMatcher': { exact: 'yes', ignore_case: 'yes' },
  'envoy.config.route.v3.RouteAction': {
    cluster: 'yes',
    weighted_clusters: 'yes',
    cluster_not_found_response_code: 'yes',
    prefix_rewrite: 'yes',
    host_rewrite_literal: 'yes',
    auto_host_rewrite: 'yes',
    append_x_forwarded_host: 'yes',
    timeout: 'yes',
    idle_timeout: 'yes',
    retry_policy: 'yes',
  },
  'envoy.config.route.v3.WeightedCluster': {
    clusters: 'yes',
    total_weight: 'deprecated: the sum of the weights counts, as in Envoy',
    runtime_key_prefix: 'yes',
  },
  'envoy.config.route.v3.WeightedCluster.ClusterWeight': {
    name: 'yes',
    weight: 'yes',
    typed_per_filter_config: 'yes',
    ...headerMutations,
  },
  'envoy.config.route.v3.RetryPolicy': {
    retry_on: 'yes',
    num_retries: 'yes',
    per_try_timeout: 'yes',
    retry_back_off: 'yes',
    retriable_status_codes: 'yes',
  },
  'envoy.config.route.v3.RetryPolicy.RetryBackOff': { base_interval: 'yes', max_interval: 'yes' },
  'envoy.config.route.v3.RedirectAction': {
    https_redirect: 'yes',
    scheme_redirect: 'yes',
    host_redirect: 'yes',
    port_redirect: 'yes',
    path_redirect: 'yes',
    prefix_rewrite: 'yes',
    response_code: 'yes',
    strip_query: 'yes',
  },
  'envoy.config.route.v3.DirectResponseAction': { status: 'yes', body: 'yes' },
  'envoy.config.core.v3.HeaderValueOption': {
    header: 'yes',
    append: 'yes',
    append_action: 'yes',
    keep_empty_value: 'yes',
  },
  'envoy.config.core.v3.HeaderValue': { key: 'yes', value: 'yes' },

  'envoy.config.cluster.v3.Cluster': {
    name: 'yes',
    alt_stat_name: 'yes',
    type: ['STATIC', 'STRICT_DNS'],
    connect_timeout: 'yes',
    lb_policy: ['ROUND_ROBIN'],
    load_assignment: 'yes',
    circuit_breakers: 'yes',
    common_lb_config: 'yes',
    dns_refresh_rate: 'yes',
    dns_lookup_family: 'yes',
    per_connection_buffer_limit_bytes: 'yes',
    common_http_protocol_options: 'yes',
    http_protocol_options: 'yes',
    max_requests_per_connection: 'yes',
    typed_extension_protocol_options: 'yes',
    transport_socket: 'raw_buffer',
  },
  'envoy.config.cluster.v3.Cluster.CommonLbConfig': { healthy_panic_threshold: 'yes', update_merge_window: 'yes' },
  'envoy.config.cluster.v3.CircuitBreakers': { thresholds: 'yes' },
  'envoy.config.cluster.v3.CircuitBreakers.Thresholds': {
    priority: 'yes',
    max_connections: 'yes',
    max_pending_requests: 'yes',
    max_requests: 'yes',
    max_retries: 'yes',
  },
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    common_http_protocol_options: 'yes',
    explicit_http_config: 'yes',
  },
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig': { http_protocol_options: 'yes' },
  'envoy.config.endpoint.v3.ClusterLoadAssignment': { cluster_name: 'yes', endpoints: 'yes' },
  'envoy.config.endpoint.v3.LocalityLbEndpoints': {
    priority: 'yes',
    locality: 'yes',
    lb_endpoints: 'yes',
    load_balancing_weight: 'Envoy looks at it only with locality_weighted_lb_config, which is unsupported',
  },
  'envoy.config.endpoint.v3.LbEndpoint': {
    endpoint: 'yes',
    load_balancing_weight: 'yes',
    health_status: ['UNKNOWN', 'HEALTHY'],
  },
  'envoy.config.endpoint.v3.Endpoint': { address: 'yes', hostname: 'yes' },
}

/** HTTP filters that a route can configure anew. */
const routableFilters = [
  'envoy.extensions.filters.http.fault.v3.HTTPFault',
  'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit',
]
const filterOfRoute = {
  what: 'HTTP filter of a route',
  packages: ['envoy.extensions.filters.http.', 'envoy.config.route.v3.FilterConfig'],
  types: routableFilters,
}

/** What each field of type Any takes: the package that Envoy looks in, and the messages of it that Hopscope has. */
export const extensionPoints: Readonly<
  Record<string, { what: string; packages: readonly string[]; types: readonly string[] }>
> = {
  'envoy.config.listener.v3.Filter.typed_config': {
    what: 'network filter',
    packages: ['envoy.extensions.filters.network.'],
    types: ['envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'],
  },
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter.typed_config': {
    what: 'HTTP filter',
    packages: ['envoy.extensions.filters.http.'],
    types: ['envoy.extensions.filters.http.router.v3.Router', ...routableFilters],
  },
  'envoy.config.route.v3.VirtualHost.typed_per_filter_config': filterOfRoute,
  'envoy.config.route.v3.Route.typed_per_filter_config': filterOfRoute,
  'envoy.config.route.v3.WeightedCluster.ClusterWeight.typed_per_filter_config': filterOfRoute,
  'envoy.config.trace.v3.Tracing.Http.typed_config': {
    what: 'tracer',
    packages: ['envoy.config.trace.', 'envoy.extensions.tracers.'],
    types: ['envoy.config.trace.v3.ZipkinConfig'],
  },
  'envoy.config.accesslog.v3.AccessLog.typed_config': {
    what: 'access logger',
    packages: ['envoy.extensions.access_loggers.'],
    types: [
      'envoy.extensions.access_loggers.file.v3.FileAccessLog',
      'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog',
      'envoy.extensions.access_loggers.stream.v3.StderrAccessLog',
    ],
  },
  'envoy.config.core.v3.TransportSocket.typed_config': {
    what: 'transport socket',
    packages: ['envoy.extensions.transport_sockets.'],
    types: ['envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer'],
  },
  'envoy.config.cluster.v3.Cluster.typed_extension_protocol_options': {
    what: 'protocol options',
    packages: ['envoy.extensions.upstreams.', 'envoy.extensions.filters.network.'],
    types: ['envoy.extensions.upstreams.http.v3.HttpProtocolOptions'],
  },
}
