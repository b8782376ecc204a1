import type { CsrfFilter } from '@hopscope/envoy-config'
import { FAILURES } from '../../errors.ts'
import type { RequestHeaders } from '../../http/headers.ts'
import { compileStringMatcher, type MatchText } from '../../match/string-matcher.ts'
import { respond } from '../../respond.ts'
import type { Runtime } from '../../runtime.ts'
import type { Stats } from '../../stats/stats.ts'
import { type CreateFilter, configOf } from '../http-filter.ts'
import { hostAndPort } from '../origin.ts'

export interface CsrfServices {
  stats: Stats
  runtime: Runtime
  /** Numbers in [0, 1). */
  random: () => number
}

/** The methods that change something. */
const MODIFYING: ReadonlySet<string> = new Set(['POST', 'PUT', 'DELETE', 'PATCH'])

/**
 * `envoy.filters.http.csrf`: what changes something must come from the host that it goes to, or from one that is named.
 * (Behaviour: Envoy 1.40)
 */
export function createCsrf(name: string, config: CsrfFilter, statPrefix: string, services: CsrfServices): CreateFilter {
  const { stats, runtime, random } = services
  const counter = (what: string) => stats.counter(`http.${statPrefix}.csrf.${what}`)
  const missing = counter('missing_source_origin')
  const invalid = counter('request_invalid')
  const valid = counter('request_valid')
  const compiled = new Map<CsrfFilter, MatchText[]>()
  const originsOf = (policy: CsrfFilter): MatchText[] => {
    let origins = compiled.get(policy)
    if (origins === undefined) {
      origins = policy.additionalOrigins.map(compileStringMatcher)
      compiled.set(policy, origins)
    }
    return origins
  }
  const isIn = (fraction: CsrfFilter['filterEnabled'] | undefined): boolean =>
    fraction !== undefined &&
    runtime.enabled(fraction.runtimeKey, fraction.defaultValue, Math.floor(random() * 1_000_000))

  return (exchange, answered) => {
    if (answered) return undefined
    const policy = configOf<CsrfFilter>(exchange, name, 'csrf') ?? config
    const enabled = isIn(policy.filterEnabled)
    if (!enabled && !isIn(policy.shadowEnabled)) return undefined
    const { headers } = exchange
    if (!MODIFYING.has(headers.method)) return undefined
    const source = sourceOrigin(headers)
    const target = hostAndPort(headers.authority)
    if (source !== '' && (source === target || originsOf(policy).some(matches => matches(source)))) {
      valid.add()
      return undefined
    }
    if (source === '') missing.add()
    else invalid.add()
    if (!enabled) return undefined
    return { decode: () => respond(exchange, FAILURES.csrf) }
  }
}

/** "": it is not said. */
function sourceOrigin(headers: RequestHeaders): string {
  const origin = hostAndPort(headers.get('origin') ?? '')
  // What a browser says when it does not want to tell.
  return origin !== '' && origin !== 'null' ? origin : hostAndPort(headers.get('referer') ?? '')
}
