import type { RedirectAction, RouteMatch } from '@hopscope/envoy-config'
import type { RequestHeaders } from '../http/headers.ts'
import { stripPort } from './find-route.ts'

/** The `location` of a redirect. */
export function redirectLocation(action: RedirectAction, match: RouteMatch, headers: RequestHeaders): string {
  const from = headers.get('x-forwarded-proto') ?? headers.scheme
  const scheme = action.schemeRedirect ?? (action.httpsRedirect ? 'https' : from)
  return `${scheme}://${redirectHost(action, headers.authority, from, scheme)}${redirectPath(action, match, headers.path)}`
}

/** The port stays, but for the default one of the scheme that is left. */
function redirectHost(action: RedirectAction, authority: string, from: string, scheme: string): string {
  const changed = from !== scheme
  const isDefault =
    changed && ((from === 'http' && authority.endsWith(':80')) || (from === 'https' && authority.endsWith(':443')))
  let host = action.hostRedirect ?? (isDefault ? stripPort(authority) : authority)
  if (action.portRedirect !== undefined) host = `${stripPort(host)}:${action.portRedirect}`
  return host
}

function redirectPath(action: RedirectAction, match: RouteMatch, path: string): string {
  const mark = path.indexOf('?')
  const query = mark === -1 || action.stripQuery ? '' : path.slice(mark)
  const plain = mark === -1 ? path : path.slice(0, mark)
  if (action.pathRedirect !== undefined) {
    return action.pathRedirect.includes('?') ? action.pathRedirect : action.pathRedirect + query
  }
  if (action.prefixRewrite !== undefined) return rewritePrefix(match, plain, action.prefixRewrite) + query
  return plain + query
}

/** What matched is replaced: the prefix of a prefix match, all of an exact one. `path` may have a query; it is kept. */
export function rewritePrefix(match: RouteMatch, path: string, replacement: string): string {
  return replacement + path.slice(Buffer.byteLength(match.path.value))
}
