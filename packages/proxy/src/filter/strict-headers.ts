import type { RequestHeaders } from '../http/headers.ts'

/** Words that Envoy knows in `x-envoy-retry-on`, those of other protocols included. */
const CONDITIONS: ReadonlySet<string> = new Set([
  '5xx',
  'gateway-error',
  'connect-failure',
  'envoy-ratelimited',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'reset',
  'reset-before-request',
  'http3-post-connect-failure',
])
const GRPC_CONDITIONS: ReadonlySet<string> = new Set([
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
])

const isNumber = (value: string): boolean => /^\s*[+]?\d+\s*$/.test(value)
const isListOf = (words: ReadonlySet<string>) => (value: string) =>
  value.split(',').every(word => words.has(word.trim()))

const RULES: Readonly<Record<string, (value: string) => boolean>> = {
  'x-envoy-upstream-rq-timeout-ms': isNumber,
  'x-envoy-upstream-rq-per-try-timeout-ms': isNumber,
  'x-envoy-max-retries': isNumber,
  'x-envoy-retry-on': isListOf(CONDITIONS),
  'x-envoy-retry-grpc-on': isListOf(GRPC_CONDITIONS),
}

/** `strict_check_headers`: the first of the named headers whose value says nothing. */
export function findInvalidHeader(
  headers: RequestHeaders,
  names: readonly string[],
): { name: string; value: string } | undefined {
  for (const name of names) {
    const value = headers.get(name)
    if (value !== undefined && RULES[name]?.(value) === false) return { name, value }
  }
  return undefined
}
