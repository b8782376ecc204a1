import type { AccessLogOptions, HttpConnectionManager, ProxyStatusConfig, RequestIdConfig } from '../listener.ts'
import type { Message } from '../schema/message.ts'
import { parseCidrRanges } from './cidr-ranges.ts'
import type { ParseContext } from './context.ts'
import { parseHeaderMutationRule } from './http-filters/parse-header-mutation.ts'
import { parseHttpFilters } from './http-filters/parse-http-filters.ts'
import { parseAccessLog } from './parse-access-log.ts'
import { parseLocalReplyConfig } from './parse-local-reply-config.ts'
import { parseOriginalIpDetection } from './parse-original-ip-detection.ts'
import { parseRouteConfiguration } from './parse-route-configuration.ts'
import { parseTracing } from './parse-tracing.ts'

/** Of envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, with Envoy's defaults. */
export function parseHttpConnectionManager(message: Message, context: ParseContext): HttpConnectionManager {
  const tracing = message.message('tracing')
  const common = message.message('common_http_protocol_options')
  const http1 = message.message('http_protocol_options')
  const internal = message.message('internal_address_config')
  const localReply = message.message('local_reply_config')
  const routes = message.message('route_config')
  const proxyStatus = message.message('proxy_status_config')
  if (message.boolean('strip_matching_host_port') && message.boolean('strip_any_host_port')) {
    context.problems.add(
      'invalid',
      message.place('strip_any_host_port'),
      'cannot be set together with strip_matching_host_port',
    )
  }
  return {
    statPrefix: message.string('stat_prefix'),
    codecType: message.enum<HttpConnectionManager['codecType']>('codec_type', 'AUTO'),
    routeConfig: routes === undefined ? noRoutes : parseRouteConfiguration(routes, context),
    httpFilters: parseHttpFilters(message, context),
    ...(tracing === undefined ? {} : { tracing: parseTracing(tracing, context) }),
    accessLog: message.messages('access_log').flatMap(log => parseAccessLog(log, context) ?? []),
    accessLogOptions: parseAccessLogOptions(message, context),
    ...(localReply === undefined ? {} : { localReplyConfig: parseLocalReplyConfig(localReply, context) }),
    generateRequestId: message.boolean('generate_request_id', true),
    preserveExternalRequestId: message.boolean('preserve_external_request_id'),
    alwaysSetRequestIdInResponse: message.boolean('always_set_request_id_in_response'),
    useRemoteAddress: message.boolean('use_remote_address'),
    xffNumTrustedHops: message.number('xff_num_trusted_hops'),
    skipXffAppend: message.boolean('skip_xff_append'),
    originalIpDetection: parseOriginalIpDetection(message, context),
    ...(internal === undefined
      ? {}
      : {
          internalAddressConfig: {
            cidrRanges: parseInternalRanges(internal, context),
            ...(internal.boolean('unix_sockets') && { unixSockets: true }),
          },
        }),
    addUserAgent: message.boolean('add_user_agent'),
    via: message.string('via'),
    serverName: message.string('server_name') || 'envoy',
    serverHeaderTransformation: message.enum<HttpConnectionManager['serverHeaderTransformation']>(
      'server_header_transformation',
      'OVERWRITE',
    ),
    streamIdleTimeout: message.duration('stream_idle_timeout', 300_000),
    requestTimeout: message.duration('request_timeout', 0),
    requestHeadersTimeout: message.duration('request_headers_timeout', 0),
    delayedCloseTimeout: message.duration('delayed_close_timeout', 1000),
    idleTimeout: common?.duration('idle_timeout') ?? 3_600_000,
    maxStreamDuration: common?.duration('max_stream_duration') ?? 0,
    maxConnectionDuration: common?.duration('max_connection_duration') ?? 0,
    maxRequestsPerConnection: common?.number('max_requests_per_connection') ?? 0,
    drainTimeout: message.duration('drain_timeout', 5000),
    maxRequestHeadersKb: message.number('max_request_headers_kb', 60),
    maxHeadersCount: common?.number('max_headers_count', 100) ?? 100,
    acceptHttp10: http1?.boolean('accept_http_10') ?? false,
    defaultHostForHttp10: http1?.string('default_host_for_http_10') ?? '',
    enableTrailers: http1?.boolean('enable_trailers') ?? false,
    allowAbsoluteUrl: http1?.boolean('allow_absolute_url', true) ?? true,
    allowChunkedLength: http1?.boolean('allow_chunked_length') ?? false,
    proxy100Continue: message.boolean('proxy_100_continue'),
    properCaseHeaders: http1?.message('header_key_format')?.has('proper_case_words') ?? false,
    stripMatchingHostPort: message.boolean('strip_matching_host_port'),
    stripAnyHostPort: message.boolean('strip_any_host_port'),
    stripTrailingHostDot: message.boolean('strip_trailing_host_dot'),
    ...(message.has('normalize_path') ? { normalizePath: message.boolean('normalize_path') } : {}),
    mergeSlashes: message.boolean('merge_slashes'),
    pathWithEscapedSlashesAction: escapedSlashes(message),
    headersWithUnderscoresAction:
      common?.enum<HttpConnectionManager['headersWithUnderscoresAction']>('headers_with_underscores_action', 'ALLOW') ??
      'ALLOW',
    appendXForwardedPort: message.boolean('append_x_forwarded_port'),
    schemeToOverwrite: parseScheme(message.message('scheme_header_transformation')),
    streamErrorOnInvalidHttpMessage:
      http1?.has('override_stream_error_on_invalid_http_message') === true
        ? http1.boolean('override_stream_error_on_invalid_http_message')
        : message.boolean('stream_error_on_invalid_http_message'),
    earlyHeaderMutations: message
      .messages('early_header_mutation_extensions')
      .flatMap(extension => extension.message('typed_config')?.messages('mutations') ?? [])
      .map(mutation => parseHeaderMutationRule(mutation, context)),
    requestId: parseRequestId(message.message('request_id_extension')?.message('typed_config')),
    ...(proxyStatus && { proxyStatus: parseProxyStatus(proxyStatus) }),
    forwardClientCert: message.enum<string>('forward_client_cert_details', 'SANITIZE') === 'ALWAYS_FORWARD_ONLY',
  }
}

/** In a message of their own, or as Envoy had them before. */
function parseAccessLogOptions(message: Message, context: ParseContext): AccessLogOptions {
  const options = message.message('access_log_options')
  if (options !== undefined) {
    for (const older of ['flush_access_log_on_new_request', 'access_log_flush_interval']) {
      const isSet = older === 'access_log_flush_interval' ? message.has(older) : message.boolean(older)
      if (isSet) context.problems.add('invalid', message.place(older), 'cannot be set together with access_log_options')
    }
  }
  const from = options ?? message
  return {
    onNewRequest: from.boolean('flush_access_log_on_new_request'),
    flushInterval: from.duration('access_log_flush_interval', 0),
  }
}

function parseProxyStatus(message: Message): ProxyStatusConfig {
  return {
    removeDetails: message.boolean('remove_details'),
    removeResponseFlags: message.boolean('remove_response_flags'),
    setRecommendedResponseCode: message.boolean('set_recommended_response_code'),
    ...(message.has('literal_proxy_name')
      ? { proxyName: { type: 'literal', name: message.string('literal_proxy_name') } }
      : message.has('use_node_id')
        ? { proxyName: { type: 'node_id' } }
        : {}),
  }
}

/** What the file leaves to the runtime is left as it is. */
function escapedSlashes(message: Message): HttpConnectionManager['pathWithEscapedSlashesAction'] {
  const action = message.enum<
    HttpConnectionManager['pathWithEscapedSlashesAction'] | 'IMPLEMENTATION_SPECIFIC_DEFAULT'
  >('path_with_escaped_slashes_action', 'KEEP_UNCHANGED')
  return action === 'IMPLEMENTATION_SPECIFIC_DEFAULT' ? 'KEEP_UNCHANGED' : action
}

/** There is no TLS to an upstream, so that matching it is http. */
function parseScheme(message: Message | undefined): HttpConnectionManager['schemeToOverwrite'] {
  const scheme = message?.string('scheme_to_overwrite')
  if (scheme === 'http' || scheme === 'https') return scheme
  return message?.boolean('match_upstream') ? 'http' : ''
}

function parseRequestId(message: Message | undefined): RequestIdConfig {
  return {
    packTraceReason: message?.boolean('pack_trace_reason', true) ?? true,
    useForTraceSampling: message?.boolean('use_request_id_for_trace_sampling', true) ?? true,
  }
}

const noRoutes: HttpConnectionManager['routeConfig'] = {
  name: '',
  virtualHosts: [],
  internalOnlyHeaders: [],
  mostSpecificHeaderMutationsWins: false,
  ignorePortInHostMatching: false,
  perFilterConfig: new Map(),
  requestMirrorPolicies: [],
  vhostHeader: '',
  ignorePathParametersInPathMatching: false,
  metadata: new Map(),
  requestHeadersToAdd: [],
  requestHeadersToRemove: [],
  responseHeadersToAdd: [],
  responseHeadersToRemove: [],
}

/** What `internal_address_config: {}` means. (Envoy ≥ 1.33) */
const DEFAULT_INTERNAL_RANGES = ['10.0.0.0/8', '192.168.0.0/16', '172.16.0.0/12', '127.0.0.1/32', 'fd00::/8', '::1/128']

function parseInternalRanges(message: Message, context: ParseContext): string[] {
  const ranges = message.messages('cidr_ranges')
  if (ranges.length === 0) return DEFAULT_INTERNAL_RANGES
  return parseCidrRanges(ranges, context)
}
