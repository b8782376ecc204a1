import type { RequestIdConfig, Route, Tracing } from '@hopscope/envoy-config'
import type { RequestHeaders } from '../http/headers.ts'
import { type Runtime, type Share, shareOf } from '../runtime.ts'
import type { Counter, Stats } from '../stats/stats.ts'

/** Why a request is traced, or that it is not. */
export type TraceReason = 'not traceable' | 'sampled' | 'service forced' | 'client forced'

/** A UUID's version digit, where Envoy keeps the reason: `xxxxxxxx-xxxx-Rxxx-…`. */
const REASON_AT = 14
const UUID_LENGTH = 36
const letterOf: Readonly<Record<TraceReason, string>> = {
  'not traceable': '4',
  sampled: '9',
  'service forced': 'a',
  'client forced': 'b',
}

interface Sampling {
  client: Share
  random: Share
  overall: Share
}

/** Decides for each request whether Envoy would trace it, and leaves the reason in `x-request-id`. */
export class TraceDecision {
  readonly #sampling: Sampling
  readonly #runtime: Runtime
  readonly #random: () => number
  readonly #counters: Readonly<Record<TraceReason, Counter>>
  readonly #requestId: RequestIdConfig
  readonly #ofRoute = new WeakMap<object, Sampling>()

  /** `random` gives numbers in [0, 1). */
  constructor(
    tracing: Tracing,
    statPrefix: string,
    stats: Stats,
    runtime: Runtime,
    random: () => number,
    requestId: RequestIdConfig = { packTraceReason: true, useForTraceSampling: true },
  ) {
    this.#requestId = requestId
    // The connection manager's percentages: client sampling in whole percents, the two others in hundredths.
    this.#sampling = {
      client: { numerator: Math.floor(tracing.clientSampling), denominator: 100 },
      random: { numerator: Math.round(tracing.randomSampling * 100), denominator: 10_000 },
      overall: { numerator: Math.round(tracing.overallSampling * 100), denominator: 10_000 },
    }
    this.#runtime = runtime
    this.#random = random
    const counter = (name: string) => stats.counter(`http.${statPrefix}.tracing.${name}`)
    this.#counters = {
      'not traceable': counter('not_traceable'),
      sampled: counter('random_sampling'),
      'service forced': counter('service_forced'),
      'client forced': counter('client_enabled'),
    }
  }

  decide(headers: RequestHeaders, route: Route | undefined): TraceReason {
    const reason = this.#reason(headers, route)
    this.#counters[reason].add()
    return reason
  }

  /** For a request that has another route than before: the reason so far does not count. */
  decideAgain(before: TraceReason, headers: RequestHeaders, route: Route | undefined): TraceReason {
    this.#counters[before].add(-1)
    return this.decide(headers, route)
  }

  /** It was a health check: it counts as one without a decision. */
  leaveOut(reason: TraceReason): void {
    this.#counters[reason].add(-1)
    this.#counters['not traceable'].add()
  }

  refused(): void {
    this.#counters['not traceable'].add()
  }

  #reason(headers: RequestHeaders, route: Route | undefined): TraceReason {
    const { packTraceReason, useForTraceSampling } = this.#requestId
    if (!useForTraceSampling) return 'sampled'
    const id = headers.get('x-request-id')
    if (id === undefined) return 'not traceable'
    const draw = stableDraw(id)
    if (draw === undefined) return 'not traceable'
    const sampling = route?.tracing === undefined ? this.#sampling : this.#samplingOf(route.tracing)
    const runtime = this.#runtime

    const given = packTraceReason ? reasonIn(id) : 'not traceable'
    let reason = given
    if (reason === 'not traceable') {
      if (
        headers.has('x-client-trace-id') &&
        runtime.enabled('tracing.client_enabled', sampling.client, Math.floor(this.#random() * 10_000))
      ) {
        reason = 'client forced'
      } else if (headers.has('x-envoy-force-trace')) reason = 'service forced'
      else if (runtime.enabled('tracing.random_sampling', sampling.random, draw)) reason = 'sampled'
    }
    if (reason !== 'not traceable' && !runtime.enabled('tracing.global_enabled', sampling.overall, draw)) {
      reason = 'not traceable'
    }
    if (packTraceReason && reason !== given && id.length === UUID_LENGTH) {
      headers.set('x-request-id', id.slice(0, REASON_AT) + letterOf[reason] + id.slice(REASON_AT + 1))
    }
    return reason
  }

  #samplingOf(tracing: NonNullable<Route['tracing']>): Sampling {
    let sampling = this.#ofRoute.get(tracing)
    if (sampling === undefined) {
      sampling = {
        client: shareOf(tracing.clientSampling),
        random: shareOf(tracing.randomSampling),
        overall: shareOf(tracing.overallSampling),
      }
      this.#ofRoute.set(tracing, sampling)
    }
    return sampling
  }
}

/** The same number on every hop: the id's first eight hex digits, modulo 10 000. */
function stableDraw(id: string): number | undefined {
  if (id.length < 8) return undefined
  let value = 0
  for (let i = 0; i < 8; i++) {
    const digit = hexDigit(id.charCodeAt(i))
    if (digit < 0) return undefined
    value = value * 16 + digit
  }
  return value % 10_000
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

function reasonIn(id: string): TraceReason {
  if (id.length !== UUID_LENGTH) return 'not traceable'
  const letter = id[REASON_AT]
  if (letter === '9') return 'sampled'
  if (letter === 'a') return 'service forced'
  if (letter === 'b') return 'client forced'
  return 'not traceable'
}
