/** The framework's own words of zipkin-server, for a target that is no path or a query that is no query. */
export const INVALID_PATH = 'Status: 400\nDescription: Invalid request path\n'

export const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/
export const UPWARDS = /\/\.\.(\/|$)/

/** Whether a request's target is one that a route could have. */
export function isValidTarget(url: string): boolean {
  return !BAD_ESCAPE.test(url) && !UPWARDS.test(url.split('?')[0]!)
}
