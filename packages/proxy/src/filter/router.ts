import type { RedirectAction, RouterFilter } from '@hopscope/envoy-config'
import type { ActiveCluster } from '../cluster/active-cluster.ts'
import { FAILURES, type Failure, untold } from '../errors.ts'
import type { Exchange } from '../http/exchange.ts'
import type { HttpStats } from '../http/http-stats.ts'
import { respond, respondWith } from '../respond.ts'
import type { CompiledRoute } from '../route/compile-routes.ts'
import { TO_HTTPS } from '../route/find-route.ts'
import { redirectLocation } from '../route/redirect.ts'
import type { RouteNumbers } from '../route/route-numbers.ts'
import type { Router } from './chain.ts'
import { chooseCluster } from './choose-cluster.ts'
import { finaliseRequest, rewritePath } from './finalise-request.ts'
import { createMirrors } from './mirrors.ts'
import { RetryState } from './retry-state.ts'
import { RoutedRequest } from './routed-request.ts'
import type { RouterServices } from './router-services.ts'
import { findInvalidHeader } from './strict-headers.ts'
import { setExpectedTimeout, takeNumber, takeTimeouts } from './timeouts.ts'

/** The terminal filter: answers by the route, or sends the request to a host of its cluster. */
export function createRouter(
  config: RouterFilter,
  http: HttpStats,
  bufferLimit: number,
  services: RouterServices,
): Router {
  return exchange => {
    http.rq_total.add()
    const { route, info } = exchange
    if (route === undefined) {
      http.no_route.add()
      return respond(exchange, FAILURES.no_route)
    }
    const { action } = route.route
    if (action.type === 'direct_response') {
      http.rq_direct_response.add()
      info.responseCodeDetails = 'direct_response'
      const formatted = route.formatBody?.(action.body, info)
      return respondWith(exchange, action.status, formatted?.bytes ?? action.body, headers => {
        if (hasLocation(action.status))
          headers.append('location', redirectLocation(ITSELF, exchange.headers.path, exchange.headers))
        if (formatted?.contentType !== undefined) headers.set('content-type', formatted.contentType)
      })
    }
    if (action.type === 'redirect') {
      // Envoy 1.40 counts a redirect of the route here too, not in rq_redirect.
      http.rq_direct_response.add()
      info.responseCodeDetails = 'direct_response'
      const location = redirectTo(exchange, route, action, config.suppressEnvoyHeaders)
      return respondWith(exchange, action.responseCode, EMPTY, headers => headers.append('location', location))
    }

    const { name, mutations, weighted } = chooseCluster(exchange, route, action, services)
    const cluster = services.clusters.get(name)
    if (cluster === undefined) {
      http.no_cluster.add()
      return respond(exchange, { ...FAILURES.no_cluster, status: action.clusterNotFoundResponseCode })
    }
    const { headers } = exchange
    const numbers = numbersOf(route, exchange)
    const invalid = findInvalidHeader(headers, config.strictCheckHeaders)
    if (invalid !== undefined) return respond(exchange, invalidHeader(invalid))
    const altStatName = headers.get('x-envoy-upstream-alt-stat-name')
    headers.remove('x-envoy-upstream-alt-stat-name')
    if (services.runtime.enabled(cluster.maintenanceKey, NEVER, Math.floor(services.random() * 10_000))) {
      cluster.stats.upstream_rq_maintenance_mode.add()
      return refuse(exchange, told(FAILURES.maintenance, config), cluster, altStatName, numbers)
    }
    const { dropOverload: drop } = cluster.config
    if (drop !== undefined && services.random() * drop.denominator < drop.numerator) {
      const failure = drop.numerator === drop.denominator ? FAILURES.drop_all : FAILURES.drop
      return refuse(exchange, told(failure, config), cluster, altStatName, numbers)
    }

    const timeouts = takeTimeouts(headers, action, route, config)
    const { timeout, perTryTimeout } = timeouts
    if (!config.suppressEnvoyHeaders) setExpectedTimeout(headers, timeouts, 0)
    const { includeRequestAttemptCount, includeAttemptCountInResponse } = route.virtualHost
    if (includeRequestAttemptCount) headers.set('x-envoy-attempt-count', '1')
    info.upstreamAttemptCount = 1
    finaliseRequest(exchange, route, action, mutations, config.suppressEnvoyHeaders)

    const metadataMatch = (weighted && route.weightedMatches.get(weighted)) ?? route.metadataMatch
    const routed = new RoutedRequest(
      exchange,
      {
        cluster,
        action,
        timeout,
        perTryTimeout,
        perTryIdleTimeout: route.retryPolicy?.perTryIdleTimeout ?? 0,
        hedge: timeouts.hedge,
        maxStreamDuration:
          takeNumber(headers, 'x-envoy-upstream-stream-duration-ms') ?? cluster.config.maxStreamDuration,
        tellTimeoutRetries: route.virtualHost.includeIsTimeoutRetryHeader,
        retry: RetryState.create(route.retryPolicy, headers, cluster, action.priority, services, numbers),
        suppressEnvoyHeaders: config.suppressEnvoyHeaders,
        countAttempts: { request: includeRequestAttemptCount, response: includeAttemptCountInResponse },
        timeoutIsNoContent: timeouts.noContent,
        priority: action.priority,
        hash: route.hash,
        metadataMatch,
        altStatName,
        mirrors:
          route.mirrorPolicies.length === 0
            ? undefined
            : createMirrors(route.mirrorPolicies, exchange, timeout, metadataMatch, services),
        numbers,
        redirects: action.internalRedirectPolicy,
        http,
        bufferLimit: route.requestBodyBufferLimit ?? bufferLimit,
      },
      services,
    )
    exchange.handler = routed
    routed.start()
  }
}

const NONE: readonly RouteNumbers[] = []

/** Where the request is counted besides its cluster; mostly nowhere. */
function numbersOf({ virtualCluster, numbers }: CompiledRoute, { headers, info }: Exchange): readonly RouteNumbers[] {
  if (virtualCluster === undefined) return numbers === undefined ? NONE : [numbers]
  const counted = virtualCluster(headers)
  info.virtualClusterName = counted.name
  return numbers === undefined ? [counted.numbers] : [counted.numbers, numbers]
}

function told(failure: Failure, config: RouterFilter): Failure {
  return config.suppressEnvoyHeaders ? untold(failure) : failure
}

/** Charges the cluster with an answer that none of its hosts was asked for. */
function refuse(
  exchange: Exchange,
  failure: Failure,
  cluster: ActiveCluster,
  altStatName: string | undefined,
  numbers: readonly RouteNumbers[],
): void {
  cluster.countStatus(failure.status, exchange.internal, { altStatName })
  for (const one of numbers) one.countStatus(failure.status)
  respond(exchange, failure)
}

function invalidHeader({ name, value }: { name: string; value: string }): Failure {
  const details = `request_headers_failed_strict_check{${name}}`
  return { status: 400, flag: 'IH', details, close: true, body: `invalid header '${name}' with value '${value}'` }
}

/** Codes that name a place (RFC 9110 §10.2.2): a direct response of them names the request's own. */
function hasLocation(status: number): boolean {
  return status === 201 || (status >= 300 && status < 400)
}

const ITSELF: RedirectAction = { type: 'redirect', httpsRedirect: false, responseCode: 301, stripQuery: false }

/** The location; a rewritten path is the request's from then on. */
function redirectTo(exchange: Exchange, route: CompiledRoute, action: RedirectAction, suppressEnvoyHeaders: boolean) {
  const { headers, info } = exchange
  if (route === TO_HTTPS) return `https://${headers.authority}${headers.path}`
  const path = route.rewritePath?.(headers, info)
  const location = redirectLocation(action, path ?? headers.path, headers)
  // Not so by a format string, as in Envoy.
  if (path !== undefined && action.pathRewrite === undefined) rewritePath(exchange, path, suppressEnvoyHeaders)
  return location
}

const EMPTY = new Uint8Array(0)
const NEVER = { numerator: 0, denominator: 100 } as const
