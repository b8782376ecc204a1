import type { RouteConfiguration, VirtualHost } from '../route.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { parseHeaderMutations } from './header-mutations.ts'
import { parseCorsPolicy } from './http-filters/parse-cors.ts'
import { parsePerFilterConfig } from './http-filters/parse-http-filters.ts'
import { parseHeaderMatcher } from './matchers.ts'
import { parseMetadata } from './metadata.ts'
import { parseHedgePolicy } from './parse-hedge-policy.ts'
import { parseMirrorPolicies } from './parse-mirror-policies.ts'
import { parseRateLimits } from './parse-rate-limits.ts'
import { parseRetryPolicy } from './parse-retry-policy.ts'
import { parseBodyBufferLimit, parseRoute, type RouteLimits } from './parse-route.ts'

/** Of an inline envoy.config.route.v3.RouteConfiguration. */
export function parseRouteConfiguration(message: Message, context: ParseContext): RouteConfiguration {
  const limits: RouteLimits = {
    // An inline configuration checks its clusters unless told otherwise; one from RDS does not.
    validateClusters: message.boolean('validate_clusters', true),
    maxDirectResponseBodyBytes: message.number('max_direct_response_body_size_bytes', 4096),
  }
  const virtualHosts = message.messages('virtual_hosts')
  checkDomains(message.string('name'), virtualHosts, context)
  return {
    name: message.string('name'),
    virtualHosts: virtualHosts.map(virtualHost => parseVirtualHost(virtualHost, limits, context)),
    internalOnlyHeaders: message.strings('internal_only_headers').map(name => name.toLowerCase()),
    mostSpecificHeaderMutationsWins: message.boolean('most_specific_header_mutations_wins'),
    ignorePortInHostMatching: message.boolean('ignore_port_in_host_matching'),
    perFilterConfig: parsePerFilterConfig(message, context),
    requestMirrorPolicies: parseMirrorPolicies(message, limits, context),
    vhostHeader: message.string('vhost_header').toLowerCase(),
    ignorePathParametersInPathMatching: message.boolean('ignore_path_parameters_in_path_matching'),
    metadata: parseMetadata(message.message('metadata')),
    ...parseHeaderMutations(message, context),
  }
}

function parseVirtualHost(message: Message, limits: RouteLimits, context: ParseContext): VirtualHost {
  const retry = message.message('retry_policy')
  const cors = message.message('cors')
  return {
    name: message.string('name'),
    domains: message.strings('domains').map(domain => domain.toLowerCase()),
    routes: message.messages('routes').map(route => parseRoute(route, limits, context)),
    ...(retry === undefined ? {} : { retryPolicy: parseRetryPolicy(retry, context) }),
    ...(cors === undefined ? {} : { cors: parseCorsPolicy(cors, context) }),
    requireTls: message.enum<VirtualHost['requireTls']>('require_tls', 'NONE'),
    metadata: parseMetadata(message.message('metadata')),
    ...parseBodyBufferLimit(message),
    includeRequestAttemptCount: message.boolean('include_request_attempt_count'),
    includeAttemptCountInResponse: message.boolean('include_attempt_count_in_response'),
    ...parseHedgePolicy(message),
    includeIsTimeoutRetryHeader: message.boolean('include_is_timeout_retry_header'),
    requestMirrorPolicies: parseMirrorPolicies(message, limits, context),
    virtualClusters: message.messages('virtual_clusters').map(cluster => parseVirtualCluster(cluster, context)),
    rateLimits: parseRateLimits(message, context),
    perFilterConfig: parsePerFilterConfig(message, context),
    ...parseHeaderMutations(message, context),
  }
}

function parseVirtualCluster(message: Message, context: ParseContext): VirtualHost['virtualClusters'][number] {
  const headers = message.messages('headers')
  if (headers.length === 0 && !message.broken.has('headers')) {
    context.problems.add('invalid', message, "virtual clusters must define 'headers'")
  }
  return { name: message.string('name'), headers: headers.map(matcher => parseHeaderMatcher(matcher, context)) }
}

/** A domain leads to one virtual host. */
function checkDomains(routeName: string, virtualHosts: readonly Message[], context: ParseContext): void {
  const owners = new Map<string, string>()
  for (const virtualHost of virtualHosts) {
    const name = virtualHost.string('name')
    for (const item of virtualHost.scalars('domains')) {
      const domain = String(item.value).toLowerCase()
      const owner = owners.get(domain)
      if (owner === undefined) owners.set(domain, name)
      else if (domain === '*') {
        context.problems.add(
          'invalid',
          item,
          `only a single wildcard domain is permitted in route '${routeName}': virtual host '${owner}' has '*' as well`,
        )
      } else {
        context.problems.add(
          'invalid',
          item,
          `domains must be unique in route '${routeName}': virtual host '${owner}' has '${domain}' as well`,
        )
      }
    }
  }
}
