import type { RedirectAction } from '@hopscope/envoy-config'
import type { RequestHeaders } from '../http/headers.ts'
import { stripPort } from '../http/strip-host.ts'

/** The `location` of a redirect. `path` is the request's, rewritten, with its query. */
export function redirectLocation(action: RedirectAction, path: string, headers: RequestHeaders): string {
  const from = headers.get('x-forwarded-proto') ?? headers.scheme
  const scheme = action.schemeRedirect ?? (action.httpsRedirect ? 'https' : from)
  return `${scheme}://${redirectHost(action, headers.authority, from, scheme)}${redirectPath(action, path)}`
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

function redirectPath({ pathRedirect, stripQuery }: RedirectAction, path: string): string {
  if (pathRedirect?.includes('?')) return pathRedirect
  const mark = path.indexOf('?')
  const query = mark === -1 || stripQuery ? '' : path.slice(mark)
  return (pathRedirect ?? (mark === -1 ? path : path.slice(0, mark))) + query
}
