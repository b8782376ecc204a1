const http = 'envoy.extensions.filters.http.'
const filterOfRoute = {
  what: 'HTTP filter of a route',
  packages: [http],
  types: [
    `${http}buffer.v3.BufferPerRoute`,
    `${http}compressor.v3.CompressorPerRoute`,
    `${http}cors.v3.CorsPolicy`,
    `${http}csrf.v3.CsrfPolicy`,
    `${http}ext_authz.v3.ExtAuthzPerRoute`,
    `${http}fault.v3.HTTPFault`,
    `${http}header_mutation.v3.HeaderMutationPerRoute`,
    `${http}local_ratelimit.v3.LocalRateLimit`,
    `${http}rbac.v3.RBACPerRoute`,
  ],
}
const filterOfRouteOrNot = {
  ...filterOfRoute,
  types: [...filterOfRoute.types, 'envoy.config.route.v3.FilterConfig'],
}

const network = 'envoy.extensions.matching.common_inputs.network.v3.'
const matchInputs = {
  what: 'input of a matcher',
  packages: ['envoy.type.matcher.', 'envoy.extensions.matching.', 'xds.type.matcher.'],
  types: [
    'envoy.type.matcher.v3.HttpRequestHeaderMatchInput',
    `${network}DestinationIPInput`,
    `${network}DestinationPortInput`,
    `${network}SourceIPInput`,
    `${network}DirectSourceIPInput`,
    `${network}SourcePortInput`,
  ],
}

const samplers = {
  what: 'sampler',
  packages: ['envoy.extensions.tracers.opentelemetry.samplers.'],
  types: [
    'envoy.extensions.tracers.opentelemetry.samplers.v3.AlwaysOnSamplerConfig',
    'envoy.extensions.tracers.opentelemetry.samplers.v3.ParentBasedSamplerConfig',
    'envoy.extensions.tracers.opentelemetry.samplers.v3.TraceIdRatioBasedSamplerConfig',
  ],
}

/** What each field of type Any takes: the package that Envoy looks in, and the messages of it that Hopscope has. */
export const extensionPoints: Readonly<
  Record<
    string,
    {
      what: string
      packages: readonly string[]
      types: readonly string[]
      /** One without typed_config is the default one. */
      isOptional?: boolean
    }
  >
> = {
  'envoy.config.listener.v3.Filter.typed_config': {
    what: 'network filter',
    packages: ['envoy.extensions.filters.network.'],
    types: ['envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'],
  },
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter.typed_config': {
    what: 'HTTP filter',
    packages: ['envoy.extensions.filters.http.'],
    types: [
      `${http}router.v3.Router`,
      `${http}buffer.v3.Buffer`,
      `${http}compressor.v3.Compressor`,
      `${http}cors.v3.Cors`,
      `${http}csrf.v3.CsrfPolicy`,
      `${http}decompressor.v3.Decompressor`,
      `${http}ext_authz.v3.ExtAuthz`,
      `${http}fault.v3.HTTPFault`,
      `${http}header_mutation.v3.HeaderMutation`,
      `${http}health_check.v3.HealthCheck`,
      `${http}local_ratelimit.v3.LocalRateLimit`,
      `${http}rbac.v3.RBAC`,
    ],
  },
  'envoy.config.route.v3.FilterConfig.config': filterOfRoute,
  'envoy.config.route.v3.RouteConfiguration.typed_per_filter_config': filterOfRouteOrNot,
  'envoy.config.route.v3.VirtualHost.typed_per_filter_config': filterOfRouteOrNot,
  'envoy.config.route.v3.Route.typed_per_filter_config': filterOfRouteOrNot,
  'envoy.config.route.v3.WeightedCluster.ClusterWeight.typed_per_filter_config': filterOfRouteOrNot,
  'envoy.config.route.v3.InternalRedirectPolicy.predicates': {
    what: 'predicate of internal redirects',
    packages: ['envoy.extensions.internal_redirect.'],
    types: [
      'envoy.extensions.internal_redirect.allow_listed_routes.v3.AllowListedRoutesConfig',
      'envoy.extensions.internal_redirect.previous_routes.v3.PreviousRoutesConfig',
      'envoy.extensions.internal_redirect.safe_cross_scheme.v3.SafeCrossSchemeConfig',
    ],
  },
  'envoy.config.trace.v3.Tracing.Http.typed_config': {
    what: 'tracer',
    packages: ['envoy.config.trace.', 'envoy.extensions.tracers.'],
    types: ['envoy.config.trace.v3.ZipkinConfig', 'envoy.config.trace.v3.OpenTelemetryConfig'],
  },
  'envoy.extensions.filters.http.compressor.v3.Compressor.compressor_library': {
    what: 'compressor library',
    packages: ['envoy.extensions.compression.'],
    types: [
      'envoy.extensions.compression.gzip.compressor.v3.Gzip',
      'envoy.extensions.compression.brotli.compressor.v3.Brotli',
      'envoy.extensions.compression.zstd.compressor.v3.Zstd',
    ],
  },
  'envoy.extensions.filters.http.decompressor.v3.Decompressor.decompressor_library': {
    what: 'decompressor library',
    packages: ['envoy.extensions.compression.'],
    types: [
      'envoy.extensions.compression.gzip.decompressor.v3.Gzip',
      'envoy.extensions.compression.brotli.decompressor.v3.Brotli',
      'envoy.extensions.compression.zstd.decompressor.v3.Zstd',
    ],
  },
  'xds.type.matcher.v3.Matcher.MatcherList.Predicate.SinglePredicate.input': matchInputs,
  'xds.type.matcher.v3.Matcher.MatcherTree.input': matchInputs,
  'xds.type.matcher.v3.Matcher.OnMatch.action': {
    what: 'action of a matcher',
    packages: ['envoy.config.rbac.'],
    types: ['envoy.config.rbac.v3.Action'],
  },
  'envoy.config.trace.v3.OpenTelemetryConfig.resource_detectors': {
    what: 'resource detector',
    packages: ['envoy.extensions.tracers.opentelemetry.resource_detectors.'],
    types: [
      'envoy.extensions.tracers.opentelemetry.resource_detectors.v3.EnvironmentResourceDetectorConfig',
      'envoy.extensions.tracers.opentelemetry.resource_detectors.v3.StaticConfigResourceDetectorConfig',
    ],
  },
  'envoy.config.trace.v3.OpenTelemetryConfig.sampler': samplers,
  'envoy.extensions.tracers.opentelemetry.samplers.v3.ParentBasedSamplerConfig.wrapped_sampler': samplers,
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.early_header_mutation_extensions':
    {
      what: 'early header mutation',
      packages: ['envoy.extensions.http.early_header_mutation.'],
      types: ['envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation'],
    },
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.original_ip_detection_extensions':
    {
      what: 'original IP detection',
      packages: ['envoy.extensions.http.original_ip_detection.'],
      types: [
        'envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig',
        'envoy.extensions.http.original_ip_detection.xff.v3.XffConfig',
      ],
    },
  'envoy.extensions.filters.network.http_connection_manager.v3.RequestIDExtension.typed_config': {
    what: 'request id extension',
    packages: ['envoy.extensions.request_id.'],
    types: ['envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig'],
    isOptional: true,
  },
  'envoy.config.bootstrap.v3.Bootstrap.default_regex_engine': {
    what: 'regex engine',
    packages: ['envoy.extensions.regex_engines.'],
    types: ['envoy.extensions.regex_engines.v3.GoogleRE2'],
  },
  'envoy.config.bootstrap.v3.Bootstrap.typed_dns_resolver_config': {
    what: 'DNS resolver',
    packages: ['envoy.extensions.network.dns_resolver.'],
    types: [
      'envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig',
      'envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig',
    ],
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
