import type { Route, Tracing } from '@hopscope/envoy-config'
import { compileFormat } from '../format/compile-format.ts'
import type { Formatter } from '../format/formatter.ts'

/** How the spans of a request are named by formats. */
export interface Names {
  request: Formatter | undefined
  attempt: Formatter | undefined
  /** A name by format leaves decorators without a word: none is told, taken or returned. */
  withoutDecorators: boolean
}

/** `operation` and `upstream_operation` of a connection manager and, in their place, of a route. */
export class SpanNames {
  readonly #general: Names
  readonly #ofRoute = new WeakMap<object, Names>()

  constructor(tracing: Tracing) {
    this.#general = compile(tracing.operation, tracing.upstreamOperation)
  }

  of(route: Route | undefined): Names {
    const tracing = route?.tracing
    if (tracing === undefined || (tracing.operation === '' && tracing.upstreamOperation === '')) return this.#general
    let names = this.#ofRoute.get(tracing)
    if (names === undefined) {
      const own = compile(tracing.operation, tracing.upstreamOperation)
      const request = own.request ?? this.#general.request
      names = {
        request,
        attempt: own.attempt ?? this.#general.attempt,
        withoutDecorators: request !== undefined,
      }
      this.#ofRoute.set(tracing, names)
    }
    return names
  }
}

function compile(operation: string, upstreamOperation: string): Names {
  const formatter = (format: string) => (format === '' ? undefined : compileFormat(format, { absent: '' }))
  return {
    request: formatter(operation),
    attempt: formatter(upstreamOperation),
    withoutDecorators: operation !== '',
  }
}
