import type { RequestHeaders } from '../http/headers.ts'
import type { CompiledRoute, CompiledVirtualHost, RouteTable } from './compile-routes.ts'
import type { Drawing } from './match-route.ts'

/** The first route of the one virtual host that the request's Host chooses. */
export function findRoute(table: RouteTable, headers: RequestHeaders, request: Drawing): CompiledRoute | undefined {
  const virtualHost = findVirtualHost(table, headers.authority)
  if (virtualHost === undefined) return undefined
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

/** `a:80` → `a`, `[::1]:80` → `[::1]`. */
export function stripPort(host: string): string {
  const colon = host.lastIndexOf(':')
  if (colon === -1 || host.indexOf(']', colon) !== -1) return host
  return host.slice(0, colon)
}
