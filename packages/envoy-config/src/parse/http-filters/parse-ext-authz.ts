import type { ExtAuthzBody, ExtAuthzFilter, ExtAuthzOfRoute, ExtAuthzService } from '../../http-filters/ext-authz.ts'
import type { StringMatcher } from '../../matchers.ts'
import type { Fraction } from '../../quantities.ts'
import type { Message } from '../../schema/message.ts'
import type { ParseContext } from '../context.ts'
import { parseStringMatcher } from '../matchers.ts'
import { parseMetadataMatcher } from '../metadata-matcher.ts'
import { parseHttpUri } from '../parse-http-service.ts'
import { parseRuntimeFlag, parseRuntimeFraction } from '../percent.ts'
import { parseStatus } from '../status.ts'

const ALWAYS: Fraction = { numerator: 100, denominator: 100 }

/** Of an envoy.extensions.filters.http.ext_authz.v3.ExtAuthz. */
export function parseExtAuthz(message: Message, context: ParseContext): ExtAuthzFilter {
  const service = message.message('http_service')
  if (service === undefined && !message.has('grpc_service') && !message.broken.has('http_service')) {
    context.problems.add('invalid', message, 'a service is required; Hopscope supports http_service')
  }
  const body = message.message('with_request_body')
  const enabled = message.message('filter_enabled')
  const metadata = message.message('filter_enabled_metadata')
  const deny = message.message('deny_at_disable')
  const older = service?.message('authorization_request')?.message('allowed_headers')
  return {
    type: 'ext_authz',
    service: parseService(service, context),
    failureModeAllow: message.boolean('failure_mode_allow'),
    failureModeAllowHeaderAdd: message.boolean('failure_mode_allow_header_add'),
    ...(body && { withRequestBody: parseBody(body) }),
    statusOnError: parseStatus(message.message('status_on_error')) ?? 403,
    allowedHeaders: parseMatchers(message.message('allowed_headers') ?? older, context),
    disallowedHeaders: parseMatchers(message.message('disallowed_headers'), context),
    ...(enabled && { filterEnabled: parseRuntimeFraction(enabled, ALWAYS) }),
    ...(metadata && { filterEnabledMetadata: parseMetadataMatcher(metadata, context) }),
    ...(deny && { denyAtDisable: parseRuntimeFlag(deny, false) }),
    statPrefix: message.string('stat_prefix'),
    chargeClusterResponseStats: message.boolean('charge_cluster_response_stats', true),
    clearRouteCache: message.boolean('clear_route_cache'),
    shadowMode: message.boolean('shadow_mode'),
    maxDeniedResponseBodyBytes: message.number('max_denied_response_body_bytes'),
  }
}

/** Of an ExtAuthzPerRoute. */
export function parseExtAuthzOfRoute(message: Message, context: ParseContext): ExtAuthzOfRoute {
  const settings = message.message('check_settings')
  const body = settings?.message('with_request_body')
  const service = settings?.message('http_service')
  return {
    type: 'ext_authz_of_route',
    disabled: message.boolean('disabled'),
    disableRequestBodyBuffering: settings?.boolean('disable_request_body_buffering') ?? false,
    ...(body && { withRequestBody: parseBody(body) }),
    ...(service && { service: parseService(service, context) }),
  }
}

function parseBody(message: Message): ExtAuthzBody {
  return {
    maxRequestBytes: message.number('max_request_bytes'),
    allowPartialMessage: message.boolean('allow_partial_message'),
  }
}

function parseService(message: Message | undefined, context: ParseContext): ExtAuthzService {
  const { cluster, timeout } = parseHttpUri(message?.message('server_uri'), 'envoy.filters.http.ext_authz', context)
  const request = message?.message('authorization_request')
  const response = message?.message('authorization_response')
  if (message?.string('path_prefix') && message.string('path_override'))
    context.problems.add('invalid', message, 'only one of path_prefix or path_override may be set, not both')
  for (const field of ['path_prefix', 'path_override']) {
    const path = message?.string(field) ?? ''
    if (path !== '' && !path.startsWith('/'))
      context.problems.add('invalid', message!.valuePlace(field), `${field} should start with "/"`)
  }
  return {
    cluster,
    timeout,
    pathPrefix: message?.string('path_prefix') ?? '',
    pathOverride: message?.string('path_override') ?? '',
    headersToAdd: (request?.messages('headers_to_add') ?? []).map(
      header => [header.string('key').toLowerCase(), header.string('value')] as const,
    ),
    allowedUpstreamHeaders: parseMatchers(response?.message('allowed_upstream_headers'), context),
    allowedUpstreamHeadersToAppend: parseMatchers(response?.message('allowed_upstream_headers_to_append'), context),
    allowedClientHeaders: parseMatchers(response?.message('allowed_client_headers'), context),
    allowedClientHeadersOnSuccess: parseMatchers(response?.message('allowed_client_headers_on_success'), context),
    metadataFromHeaders: parseMatchers(response?.message('dynamic_metadata_from_headers'), context),
  }
}

/** Of an envoy.type.matcher.v3.ListStringMatcher. */
function parseMatchers(message: Message | undefined, context: ParseContext): StringMatcher[] {
  return (message?.messages('patterns') ?? []).map(pattern => parseStringMatcher(pattern, context))
}
