/** The framework's own words of zipkin-server, for a target that is no path or a query that is no query. */
export const INVALID_PATH = 'Status: 400\nDescription: Invalid request path\n'

const BAD_ESCAPE = /%(?![0-9a-f]{2})/i
/** Control characters; what separates lines and words is let through, in a path only the tabulator. */
const CONTROL_IN_PATH = /%(0[0-8a-f]|1[0-9ab]|7f)/i
const CONTROL_IN_QUERY = /%(0[0-8bcef]|1[0-9ab]|7f)/i
const UPWARDS = /\/\.\.(\/|$)/

/** Whether a request's target is one that a route could have, as zipkin-server sees it. */
export function isValidTarget(url: string): boolean {
  if (url.includes('%') && BAD_ESCAPE.test(url)) return false
  const at = url.indexOf('?')
  const path = at === -1 ? url : url.slice(0, at)
  if (at !== -1 && CONTROL_IN_QUERY.test(url.slice(at))) return false
  if (!path.includes('%')) return !UPWARDS.test(path)
  return !CONTROL_IN_PATH.test(path) && !UPWARDS.test(path.replace(/%2e/gi, '.').replace(/%2f/gi, '/'))
}
