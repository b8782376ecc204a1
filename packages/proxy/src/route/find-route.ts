import type { RequestHeaders } from '../http/headers.ts'
import { stripPort } from '../http/strip-host.ts'
import type { CompiledRoute, CompiledVirtualHost, RouteTable } from './compile-routes.ts'
import type { MatchedRequest } from './match-route.ts'

const nothing = {
  requestHeadersToAdd: [],
  requestHeadersToRemove: [],
  responseHeadersToAdd: [],
  responseHeadersToRemove: [],
  perFilterConfig: new Map<never, never>(),
  metadata: new Map<never, never>(),
}

/** Where `require_tls` sends a request in place of its routes: the same host and path, ports and all. */
export const TO_HTTPS: CompiledRoute = {
  route: {
    name: '',
    statPrefix: '',
    match: {
      path: { type: 'prefix', value: '' },
      caseSensitive: true,
      headers: [],
      queryParameters: [],
      cookies: [],
      dynamicMetadata: [],
      filterState: [],
      grpc: false,
    },
    action: { type: 'redirect', httpsRedirect: true, responseCode: 301, stripQuery: false },
    ...nothing,
  },
  virtualHost: {
    name: '',
    domains: [],
    routes: [],
    requireTls: 'ALL',
    includeRequestAttemptCount: false,
    includeAttemptCountInResponse: false,
    includeIsTimeoutRetryHeader: false,
    requestMirrorPolicies: [],
    virtualClusters: [],
    rateLimits: [],
    ...nothing,
  },
  perFilterConfigs: [],
  matches: () => true,
  mutations: { request: undefined, response: undefined },
  formatBody: undefined,
  rewritePath: undefined,
  rewriteHost: undefined,
  weighted: new Map(),
  requestBodyBufferLimit: undefined,
  retryPolicy: undefined,
  mirrorPolicies: [],
  metadataMatch: undefined,
  weightedMatches: new Map(),
  hash: undefined,
  virtualCluster: undefined,
  numbers: undefined,
}

/** The first route of the one virtual host that the request's Host chooses. */
export function findRoute(
  table: RouteTable,
  headers: RequestHeaders,
  request: MatchedRequest,
): CompiledRoute | undefined {
  const { vhostHeader } = table
  const host = vhostHeader === '' ? headers.authority : headers.get(vhostHeader)
  const virtualHost = host === undefined ? undefined : findVirtualHost(table, host)
  if (virtualHost === undefined) return undefined
  if (virtualHost.requireTls !== 'NONE' && headers.get('x-forwarded-proto') !== 'https') {
    if (virtualHost.requireTls === 'ALL' || headers.get('x-envoy-internal') !== 'true') return TO_HTTPS
  }
  const path = pathOnly(headers.path)
  for (const route of virtualHost.routes) if (route.matches(path, headers, request)) return route
  return undefined
}

/** exact → longest `*.suffix` → longest `prefix.*` → `*`; a wildcard stands for at least one character. */
export function findVirtualHost(table: RouteTable, authority: string): CompiledVirtualHost | undefined {
  if (table.exact.size === 0 && table.suffixes.length === 0 && table.prefixes.length === 0) return table.any
  let host = authority.toLowerCase()
  if (table.ignorePort) host = stripPort(host)
  const exact = table.exact.get(host)
  if (exact !== undefined) return exact
  for (const [suffix, virtualHost] of table.suffixes) {
    if (host.length > suffix.length && host.endsWith(suffix)) return virtualHost
  }
  for (const [prefix, virtualHost] of table.prefixes) {
    if (host.length > prefix.length && host.startsWith(prefix)) return virtualHost
  }
  return table.any
}

/** Without query and fragment. */
function pathOnly(path: string): string {
  for (let i = 0; i < path.length; i++) {
    const c = path.charCodeAt(i)
    if (c === 63 /* ? */ || c === 35 /* # */) return path.slice(0, i)
  }
  return path
}
