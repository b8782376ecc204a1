import type { Milliseconds, RouteAction, RouterFilter } from '@hopscope/envoy-config'
import type { RequestHeaders } from '../http/headers.ts'
import type { CompiledRoute } from '../route/compile-routes.ts'

/** How long a request may take, by its route and its headers. 0: no limit. */
export interface RequestTimeouts {
  /** From the end of the request to the end of the response, over all tries. */
  timeout: Milliseconds
  perTryTimeout: Milliseconds
  /** A try that takes too long goes on beside the next. */
  hedge: boolean
  /** The global timeout answers 204. */
  noContent: boolean
}

/** The headers that set them go no further. */
export function takeTimeouts(
  headers: RequestHeaders,
  action: RouteAction,
  { retryPolicy, virtualHost }: CompiledRoute,
  config: RouterFilter,
): RequestTimeouts {
  let timeout = action.timeout
  let perTryTimeout = retryPolicy?.perTryTimeout ?? 0
  if (config.respectExpectedRqTimeout) timeout = takeNumber(headers, EXPECTED) ?? timeout
  timeout = takeNumber(headers, 'x-envoy-upstream-rq-timeout-ms') ?? timeout
  perTryTimeout = takeNumber(headers, 'x-envoy-upstream-rq-per-try-timeout-ms') ?? perTryTimeout
  if (timeout !== 0 && perTryTimeout >= timeout) perTryTimeout = 0
  const noContent = headers.remove('x-envoy-upstream-rq-timeout-alt-response')
  const asked = headers.get('x-envoy-hedge-on-per-try-timeout')
  headers.remove('x-envoy-hedge-on-per-try-timeout')
  const policy = action.hedgePolicy ?? virtualHost.hedgePolicy
  const hedge = asked === 'true' || (asked !== 'false' && policy?.hedgeOnPerTryTimeout === true)
  return { timeout, perTryTimeout, noContent, hedge }
}

/** Tells the upstream how long its try may take; what is left of the global timeout after `elapsed` bounds it. */
export function setExpectedTimeout(
  headers: RequestHeaders,
  { timeout, perTryTimeout, hedge }: Pick<RequestTimeouts, 'timeout' | 'perTryTimeout' | 'hedge'>,
  elapsed: Milliseconds,
): void {
  let expected = perTryTimeout === 0 || hedge ? timeout : perTryTimeout
  if (expected > 0 && timeout > 0) expected = elapsed >= timeout ? 1 : Math.min(expected, timeout - elapsed)
  if (expected > 0) headers.set(EXPECTED, String(expected))
  else headers.remove(EXPECTED)
}

/** Undefined: it is not there, or no number. */
export function takeNumber(headers: RequestHeaders, name: string): number | undefined {
  const value = headers.get(name)
  if (value === undefined) return undefined
  headers.remove(name)
  return /^\d+$/.test(value) ? Number(value) : undefined
}

const EXPECTED = 'x-envoy-expected-rq-timeout-ms'
