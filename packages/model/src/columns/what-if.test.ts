import { expect, test } from 'vitest'
import type { Span } from '../span.ts'
import { generateTrace } from '../testing/generate-trace.ts'
import { seededRandom } from '../testing/random.ts'
import { traceFromText } from '../text.ts'
import { findCriticalPath, findShifts, placeSpans, tableSpans, whatIfFaster } from './index.ts'

/** What is gained at most by a faster span of that service, in ms, and who is waited for then. */
function whatIf(text: string, service: string): [ms: number, heldBy: string | undefined] {
  const { table } = tableSpans(traceFromText(text))
  const placement = placeSpans(table)
  const nameOf = (span: number) => table.strings[table.service[span]!]
  const span = placement.order.findLast(each => nameOf(each) === service)!
  const { most, heldBy } = whatIfFaster(table, placement, findShifts(table, placement), span)
  return [most / 1_000, heldBy < 0 ? undefined : nameOf(heldBy)]
}

const FORK = `
root  x  0..100  server
  b  x  10..60
  c  x  10..40
  d  x  60..90
`

test('what is waited for gains, until something at the same time is waited for', () => {
  expect(whatIf(FORK, 'b')).toEqual([20, 'c'])
  expect(whatIf(FORK, 'c')).toEqual([0, 'b'])
  expect(whatIf(FORK, 'd')).toEqual([30, undefined])
  expect(whatIf(FORK, 'root')).toEqual([100, undefined])
})

test('through the levels above, and with the pause between two attempts', () => {
  const chain = `
edge  x  0..100  client  ->shop
  shop  x  1..99  server
    shop  try1  10..30  client  ->b
    shop  try2  55..95  client  ->b
      b  x  56..94  server
`
  expect(whatIf(chain, 'b')).toEqual([38, undefined])
  const retried = chain.replace('    shop  try1', '    first  try1')
  expect(whatIf(retried, 'first')).toEqual([20, undefined])
})

test('nobody waits for what outlives the one who asked', () => {
  expect(whatIf('root  x  0..50  server\n  log  x  10..90\n', 'log')).toEqual([0, undefined])
})

/** Ten thousand times as long: then the millisecond that clocks may be off decides nothing. */
function slowly({ timestamp, duration, annotations: _, ...span }: Span): Span {
  const epoch = Date.UTC(2024, 0, 1) * 1_000
  return {
    ...span,
    ...(timestamp === undefined ? {} : { timestamp: epoch + (timestamp - epoch) * 10_000 }),
    ...(duration === undefined ? {} : { duration: duration * 10_000 }),
  }
}

test('no more than the span takes, nothing where it takes no part in the critical path, in any trace', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const spans = generateTrace({ spans: 60, services: 6, shared: seed % 2 === 0 }, seededRandom(seed))
    const { table } = tableSpans(spans.map(slowly))
    const placement = placeSpans(table)
    const shifts = findShifts(table, placement)
    const path = findCriticalPath(table, placement, shifts)
    const below = new Float64Array(table.count)
    for (let i = 0; i < path.count; i++) below[path.span[i]!]! += path.to[i]! - path.from[i]!
    for (const span of placement.order.toReversed()) {
      if (placement.parent[span]! >= 0) below[placement.parent[span]!]! += below[span]!
    }
    for (let span = 0; span < table.count; span++) {
      const { most } = whatIfFaster(table, placement, shifts, span)
      expect(most).toBeGreaterThanOrEqual(0)
      expect(most).toBeLessThanOrEqual((table.duration[span]! || 0) + 1e-6)
      if (below[span] === 0 && most > 0) throw new Error(`seed ${seed}, span ${span}: ${most} off the critical path`)
    }
  }
})
