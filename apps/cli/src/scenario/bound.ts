import type { Bound } from './scenario.ts'

const FORM = /^(?:(>=|<=)\s*(\d+)|(\d+)\.\.(\d+))$/

/** What may stand for a {@link Bound} in a scenario.yaml. */
export const BOUND_FORMS = 'a number, ">= N", "<= N" or "N..M"'

export function isBound(value: unknown): value is Bound {
  return (typeof value === 'number' && value >= 0) || (typeof value === 'string' && FORM.test(value))
}

/** Whether a value is within a bound; both ends of `3..5` are. */
export function holds(bound: Bound, value: number): boolean {
  if (typeof bound === 'number') return value === bound
  const [, sign, limit, low, high] = FORM.exec(bound)!
  if (sign === '>=') return value >= Number(limit)
  if (sign === '<=') return value <= Number(limit)
  return value >= Number(low) && value <= Number(high)
}
