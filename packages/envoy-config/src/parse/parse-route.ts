import type { DirectResponseAction, RedirectAction, Route, RouteAction, RouteMatch, WeightedCluster } from '../route.ts'
import type { Message } from '../schema/message.ts'
import { checkCluster, checkFormat, type ParseContext } from './context.ts'
import { readDataSource } from './data-source.ts'
import { parseHeaderMutations } from './header-mutations.ts'
import { parseCorsPolicy } from './http-filters/parse-cors.ts'
import { parsePerFilterConfig } from './http-filters/parse-http-filters.ts'
import {
  parseCookieMatcher,
  parseHeaderMatcher,
  parseQueryParameterMatcher,
  parseRegex,
  parseRegexRewrite,
} from './matchers.ts'
import { parseMetadata } from './metadata.ts'
import { parseMetadataMatcher } from './metadata-matcher.ts'
import { parseHashPolicies } from './parse-hash-policy.ts'
import { parseHedgePolicy } from './parse-hedge-policy.ts'
import { parseInternalRedirectPolicy } from './parse-internal-redirect.ts'
import { parseMirrorPolicies } from './parse-mirror-policies.ts'
import { parseRateLimits } from './parse-rate-limits.ts'
import { parseRetryPolicy } from './parse-retry-policy.ts'
import { parseMetadataMatch } from './parse-subsets.ts'
import { parseSpanNaming } from './parse-tracing.ts'
import { parseFractionalPercent, parseRuntimeFraction } from './percent.ts'
import { parseSubstitutionFormat } from './substitution-format.ts'

export interface RouteLimits {
  validateClusters: boolean
  maxDirectResponseBodyBytes: number
}

/** Of an envoy.config.route.v3.Route. */
export function parseRoute(message: Message, limits: RouteLimits, context: ParseContext): Route {
  const decorator = message.message('decorator')
  const tracing = message.message('tracing')
  return {
    name: message.string('name'),
    statPrefix: message.string('stat_prefix'),
    match: parseMatch(message.message('match'), context),
    action: parseAction(message, limits, context),
    metadata: parseMetadata(message.message('metadata')),
    ...parseBodyBufferLimit(message),
    ...(decorator && {
      decorator: { operation: decorator.string('operation'), propagate: decorator.boolean('propagate', true) },
    }),
    ...(tracing && {
      tracing: {
        clientSampling: parseFractionalPercent(tracing.message('client_sampling'), 100),
        randomSampling: parseFractionalPercent(tracing.message('random_sampling'), 100),
        overallSampling: parseFractionalPercent(tracing.message('overall_sampling'), 100),
        ...parseSpanNaming(tracing, context),
      },
    }),
    perFilterConfig: parsePerFilterConfig(message, context),
    ...parseHeaderMutations(message, context),
  }
}

/** The newer of two fields counts. */
export function parseBodyBufferLimit(message: Message): Pick<Route, 'requestBodyBufferLimit'> {
  for (const field of ['request_body_buffer_limit', 'per_request_buffer_limit_bytes']) {
    if (message.has(field)) return { requestBodyBufferLimit: message.number(field) }
  }
  return {}
}

const pathTypes = { path: 'path', path_separated_prefix: 'separated', safe_regex: 'regex', prefix: 'prefix' } as const

function parseMatch(message: Message | undefined, context: ParseContext): RouteMatch {
  const matches = <T>(field: string, parse: (matcher: Message, context: ParseContext) => T): T[] =>
    (message?.messages(field) ?? []).map(matcher => parse(matcher, context))
  const runtimeFraction = message?.message('runtime_fraction')
  return {
    path: parsePath(message, context),
    caseSensitive: message?.boolean('case_sensitive', true) ?? true,
    ...(runtimeFraction && {
      runtimeFraction: parseRuntimeFraction(runtimeFraction, { numerator: 0, denominator: 100 }),
    }),
    headers: matches('headers', parseHeaderMatcher),
    queryParameters: matches('query_parameters', parseQueryParameterMatcher),
    cookies: matches('cookies', parseCookieMatcher),
    dynamicMetadata: matches('dynamic_metadata', parseMetadataMatcher),
    filterState: matches('filter_state', matcher => matcher.string('key')),
    grpc: message?.has('grpc') ?? false,
  }
}

function parsePath(message: Message | undefined, context: ParseContext): RouteMatch['path'] {
  for (const [field, type] of Object.entries(pathTypes)) {
    if (!message?.has(field)) continue
    return { type, value: type === 'regex' ? parseRegex(message.message(field), context) : message.string(field) }
  }
  return { type: 'prefix', value: '' }
}

function parseAction(route: Message, limits: RouteLimits, context: ParseContext): Route['action'] {
  const redirect = route.message('redirect')
  if (redirect !== undefined) return parseRedirect(redirect, context)
  const direct = route.message('direct_response')
  if (direct !== undefined) return parseDirectResponse(direct, limits, context)
  return parseRouteAction(route.message('route'), limits, context)
}

const notFoundCodes = { SERVICE_UNAVAILABLE: 503, NOT_FOUND: 404, INTERNAL_SERVER_ERROR: 500 } as const

function parseRouteAction(message: Message | undefined, limits: RouteLimits, context: ParseContext): RouteAction {
  const retry = message?.message('retry_policy')
  const redirects = message?.message('internal_redirect_policy')
  const cors = message?.message('cors')
  const idleTimeout = message?.duration('idle_timeout')
  const code = message?.enum<keyof typeof notFoundCodes>('cluster_not_found_response_code', 'SERVICE_UNAVAILABLE')
  return {
    type: 'route',
    cluster: parseClusterSpecifier(message, limits, context),
    ...parseMetadataMatch(message),
    clusterNotFoundResponseCode: notFoundCodes[code ?? 'SERVICE_UNAVAILABLE'],
    ...parsePathRewrite(message, context),
    ...parseHostRewrite(message, context),
    autoHostRewrite: message?.boolean('auto_host_rewrite') ?? false,
    appendXForwardedHost: message?.boolean('append_x_forwarded_host') ?? false,
    // Who limits the whole stream is not asked for a limit of its parts, as in Envoy.
    timeout: message?.has('max_stream_duration') ? 0 : (message?.duration('timeout') ?? 15_000),
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
    ...parseMaxStreamDuration(message?.message('max_stream_duration')),
    ...(retry === undefined ? {} : { retryPolicy: parseRetryPolicy(retry, context) }),
    ...(cors === undefined ? {} : { cors: parseCorsPolicy(cors, context) }),
    requestMirrorPolicies: parseMirrorPolicies(message, limits, context),
    priority: message?.enum<string>('priority', 'DEFAULT') === 'HIGH' ? 'high' : 'default',
    hashPolicies: parseHashPolicies(message, context),
    rateLimits: parseRateLimits(message, context),
    includeVhRateLimits: message?.boolean('include_vh_rate_limits') ?? false,
    ...parseHedgePolicy(message),
    ...(redirects === undefined ? {} : { internalRedirectPolicy: parseInternalRedirectPolicy(redirects, context) }),
  }
}

function parsePathRewrite(
  message: Message | undefined,
  context: ParseContext,
): Pick<RouteAction, 'prefixRewrite' | 'regexRewrite' | 'pathRewrite'> {
  const regex = message?.message('regex_rewrite')
  const fields = ['prefix_rewrite', 'regex_rewrite', 'path_rewrite'].filter(
    field => message?.message(field) !== undefined || message?.string(field),
  )
  if (fields.length > 1) {
    const what = `cannot be set together with ${fields[0]}: a path is rewritten in one way`
    context.problems.add('invalid', message!.place(fields[1]!), what)
  }
  if (regex !== undefined) return { regexRewrite: parseRegexRewrite(regex, context) }
  if (message?.string('path_rewrite')) {
    checkFormat(message.string('path_rewrite'), message.valuePlace('path_rewrite'), context)
    return { pathRewrite: message.string('path_rewrite') }
  }
  return message?.string('prefix_rewrite') ? { prefixRewrite: message.string('prefix_rewrite') } : {}
}

function parseHostRewrite(message: Message | undefined, context: ParseContext): Pick<RouteAction, 'hostRewrite'> {
  if (message?.has('host_rewrite_literal')) {
    return { hostRewrite: { type: 'literal', host: message.string('host_rewrite_literal') } }
  }
  if (message?.has('host_rewrite_header')) {
    return { hostRewrite: { type: 'header', name: message.string('host_rewrite_header').toLowerCase() } }
  }
  const regex = message?.message('host_rewrite_path_regex')
  if (regex !== undefined) return { hostRewrite: { type: 'path_regex', rewrite: parseRegexRewrite(regex, context) } }
  if (message?.has('host_rewrite')) {
    const format = message.string('host_rewrite')
    checkFormat(format, message.valuePlace('host_rewrite'), context)
    return { hostRewrite: { type: 'format', format } }
  }
  return {}
}

function parseMaxStreamDuration(message: Message | undefined): Pick<RouteAction, 'maxStreamDuration'> {
  if (message === undefined) return {}
  const duration = message.duration('max_stream_duration')
  const most = message.duration('grpc_timeout_header_max')
  return {
    maxStreamDuration: {
      ...(duration === undefined ? {} : { duration }),
      ...(most === undefined ? {} : { grpcTimeoutHeaderMax: most }),
      grpcTimeoutHeaderOffset: message.duration('grpc_timeout_header_offset', 0),
    },
  }
}

function parseClusterSpecifier(
  message: Message | undefined,
  limits: RouteLimits,
  context: ParseContext,
): RouteAction['cluster'] {
  const weighted = message?.message('weighted_clusters')
  if (message?.has('cluster_header')) return { type: 'header', header: message.string('cluster_header').toLowerCase() }
  if (weighted === undefined) {
    const name = message?.string('cluster') ?? ''
    if (message?.has('cluster') && name !== '' && limits.validateClusters)
      checkCluster(name, message.valuePlace('cluster'), 'route', context)
    return { type: 'cluster', name }
  }
  const clusters = weighted.messages('clusters').map((entry): WeightedCluster => {
    const name = entry.string('name')
    if (name === '' && !entry.has('cluster_header') && !entry.broken.has('name')) {
      context.problems.add('invalid', entry, 'a weighted cluster needs a name')
    }
    if (name !== '' && entry.string('cluster_header') !== '') {
      context.problems.add(
        'invalid',
        entry.place('cluster_header'),
        'only one of name or cluster_header can be specified',
      )
    }
    if (name !== '' && limits.validateClusters) checkCluster(name, entry.valuePlace('name'), 'route', context)
    const literal = entry.string('host_rewrite_literal')
    return {
      name,
      clusterHeader: entry.string('cluster_header').toLowerCase(),
      ...(literal === '' ? {} : { hostRewriteLiteral: literal }),
      weight: entry.number('weight'),
      ...parseMetadataMatch(entry),
      perFilterConfig: parsePerFilterConfig(entry, context),
      ...parseHeaderMutations(entry, context),
    }
  })
  const totalWeight = clusters.reduce((sum, cluster) => sum + cluster.weight, 0)
  if (clusters.length > 0 && totalWeight === 0) {
    context.problems.add('invalid', weighted, 'the sum of the weights must be greater than 0')
  }
  if (totalWeight > 0xffff_ffff)
    context.problems.add('invalid', weighted, 'the sum of the weights must be at most 4294967295')
  return {
    type: 'weighted',
    clusters,
    totalWeight,
    runtimeKeyPrefix: weighted.string('runtime_key_prefix'),
    headerName: weighted.string('header_name').toLowerCase(),
    useHashPolicy: weighted.boolean('use_hash_policy'),
  }
}

const redirectCodes = {
  MOVED_PERMANENTLY: 301,
  FOUND: 302,
  SEE_OTHER: 303,
  TEMPORARY_REDIRECT: 307,
  PERMANENT_REDIRECT: 308,
} as const

function parseRedirect(message: Message, context: ParseContext): RedirectAction {
  const optional = <K extends string>(key: K, field: string): { [key in K]?: string } =>
    (message.string(field) === '' ? {} : { [key]: message.string(field) }) as { [key in K]?: string }
  const regex = message.message('regex_rewrite')
  const path = message.string('path_rewrite')
  checkFormat(path, message.valuePlace('path_rewrite'), context)
  const code = message.enum<keyof typeof redirectCodes>('response_code', 'MOVED_PERMANENTLY')
  return {
    type: 'redirect',
    httpsRedirect: message.boolean('https_redirect'),
    ...optional('schemeRedirect', 'scheme_redirect'),
    ...optional('hostRedirect', 'host_redirect'),
    ...(message.number('port_redirect') === 0 ? {} : { portRedirect: message.number('port_redirect') }),
    ...optional('pathRedirect', 'path_redirect'),
    ...optional('prefixRewrite', 'prefix_rewrite'),
    ...(regex === undefined ? {} : { regexRewrite: parseRegexRewrite(regex, context) }),
    ...(path === '' ? {} : { pathRewrite: path }),
    responseCode: redirectCodes[code] ?? 301,
    stripQuery: message.boolean('strip_query'),
  }
}

function parseDirectResponse(message: Message, limits: RouteLimits, context: ParseContext): DirectResponseAction {
  const source = message.message('body')
  const body = (source && readDataSource(source, context)) ?? new Uint8Array()
  if (body.length > limits.maxDirectResponseBodyBytes) {
    const what = `response body size is ${body.length} bytes; maximum is ${limits.maxDirectResponseBodyBytes} (max_direct_response_body_size_bytes)`
    context.problems.add('invalid', message.place('body'), what)
  }
  const format = message.message('body_format')
  const bodyFormat = format && parseSubstitutionFormat(format, context)
  return {
    type: 'direct_response',
    status: message.number('status'),
    body,
    ...(bodyFormat === undefined ? {} : { bodyFormat }),
  }
}
