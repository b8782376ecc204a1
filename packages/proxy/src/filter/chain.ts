import type { Exchange } from '../http/exchange.ts'

/** Sees a request before those after it; goes on by calling `next`, now or later, or answers by itself. */
export type Filter = (exchange: Exchange, next: () => void) => void

/** The filters as one function. The last is terminal: what it calls as `next` does nothing. */
export function composeFilters(filters: readonly Filter[]): (exchange: Exchange) => void {
  const only = filters[0]
  if (filters.length === 1 && only !== undefined) return exchange => only(exchange, end)
  return exchange => {
    const from = (i: number): void => filters[i]?.(exchange, () => from(i + 1))
    from(0)
  }
}

function end(): void {}
