import { describe, expect, test } from 'vitest'
import { correctClockSkew } from '../clock-skew.ts'
import type { Kind, Span } from '../span.ts'
import { generateTrace } from '../testing/generate-trace.ts'
import { pick, type Random, randomInteger, seededRandom } from '../testing/random.ts'
import { TEXT_EPOCH, traceFromText } from '../text.ts'
import { buildTree, depthFirst } from '../tree.ts'
import { findCriticalPath, findDeadlines, findShifts, foldHops, placeSpans, tableSpans } from './index.ts'

function read(reported: readonly Span[]) {
  const { table, spans } = tableSpans(reported)
  const placement = placeSpans(table)
  return { table, spans, placement, shifts: findShifts(table, placement) }
}

/** `service from..to` in ms, the critical path from left to right. */
function criticalPath(text: string): string[] {
  const { table, placement, shifts } = read(traceFromText(text))
  const path = findCriticalPath(table, placement, shifts)
  const ms = (time: number) => (time - TEXT_EPOCH) / 1_000
  return Array.from(path.span, (span, i) => {
    return `${table.strings[table.service[span]!]} ${ms(path.from[i]!)}..${ms(path.to[i]!)}`
  })
}

function randomTrace(random: Random): Span[] {
  const spans: Span[] = []
  const count = 1 + randomInteger(random, 10)
  const kinds: (Kind | undefined)[] = [undefined, 'CLIENT', 'SERVER', 'SERVER', 'CLIENT']
  for (let i = 0; i < count; i++) {
    const kind = pick(random, kinds)
    const span: Span = {
      traceId: '1',
      id: (i * 7 + 1).toString(16).padStart(16, '0'),
      ...(i > 0 && { parentId: (randomInteger(random, i) * 7 + 1).toString(16).padStart(16, '0') }),
      ...(kind && { kind }),
      timestamp: 1_000 + i * 10 - randomInteger(random, 30),
      duration: 1 + randomInteger(random, 50),
      localEndpoint: { serviceName: `s${randomInteger(random, 3)}`, ipv4: `10.0.0.${randomInteger(random, 3)}` },
    }
    spans.push(span)
    if (kind !== 'CLIENT' || random() < 0.5) continue
    spans.push({ ...span, kind: 'SERVER', shared: true, localEndpoint: { serviceName: 't', ipv4: '10.0.1.1' } })
  }
  return spans
}

test('spans stand, and are moved, where the tree of a trace has them', () => {
  const random = seededRandom(11)
  for (let round = 0; round < 500; round++) {
    const reported = randomTrace(random)
    const { spans, placement, shifts } = read(reported)
    const root = buildTree(reported)
    const { root: corrected, moved } = correctClockSkew(root)
    const after = [...depthFirst(corrected)]
    const expected = [...depthFirst(root)].map(({ span }, i) => [span.id, span.kind, moved.get(after[i]!.span) ?? 0])
    expect(Array.from(placement.order, i => [spans[i]!.id, spans[i]!.kind, shifts[i]])).toEqual(expected)
  }
})

describe('damaged traces', () => {
  const span = (id: string, parentId?: string): Span => ({
    traceId: '1',
    id,
    ...(parentId && { parentId }),
    timestamp: 1,
  })
  test('circles are cut, ids that are taken twice are kept', () => {
    const { spans, placement } = read([
      span('a'),
      span('b', 'c'),
      span('c', 'b'),
      { ...span('d', 'a'), localEndpoint: { serviceName: 'x' } },
      { ...span('d', 'a'), localEndpoint: { serviceName: 'y' } },
    ])
    expect(Array.from(placement.order, i => spans[i]!.id)).toEqual(['a', 'd', 'b', 'c', 'd'])
    expect(Array.from(placement.isCut).reduce((a, b) => a + b)).toBe(2)
  })
  test('attempts under one id stay apart', () => {
    const half = (timestamp: number): Span => ({
      ...span('b'),
      kind: 'SERVER',
      shared: true,
      timestamp,
      duration: 5,
      localEndpoint: { serviceName: 'y' },
    })
    const { spans } = read([{ ...span('b'), kind: 'CLIENT', duration: 90 }, half(10), half(30)])
    expect(spans).toHaveLength(3)
  })
  test.each(['chain', 'fan'])('100,000 spans as a %s', shape => {
    const id = (n: number) => n.toString(16).padStart(16, '0')
    const spans = Array.from({ length: 100_000 }, (_, i) => ({
      ...span(id(i + 1), i === 0 ? undefined : shape === 'chain' ? id(i) : id(1)),
      kind: i === 0 ? ('SERVER' as const) : ('CLIENT' as const),
      duration: 200_000 - i,
      tags: { component: 'proxy', ...(i === 0 && { node_id: 'n' }) },
    }))
    const { table, placement, shifts } = read(spans)
    expect(placement.order).toHaveLength(100_000)
    expect(foldHops(table, placement).hopOf.every(hop => hop >= 0)).toBe(true)
    const path = findCriticalPath(table, placement, shifts)
    expect(path.to.reduce((sum, to, i) => sum + to - path.from[i]!, 0)).toBe(200_000)
  })
})

describe('the critical path', () => {
  test('goes back from the end, over the child that ended last', () => {
    const text = `
      a  x  0..100
        b  x  10..30
        c  x  20..35
        d  x  40..90
    `
    expect(criticalPath(text)).toEqual(['a 0..20', 'c 20..35', 'a 35..40', 'd 40..90', 'a 90..100'])
  })
  test('passes over what outlives its parent', () => {
    expect(criticalPath('a  x  0..100\n  b  x  10..300\n  c  x  10..60')).toEqual(['a 0..10', 'c 10..60', 'a 60..100'])
  })
  test('has abandoned attempts, and the back-off between them', () => {
    const text = `
      a  x  0..100  client
        b  x  5..30  server  error=503
        b  x  55..95  server
    `
    expect(criticalPath(text)).toEqual(['a 0..5', 'b 5..30', 'a 30..55', 'b 55..95', 'a 95..100'])
  })
  test.each([true, false])('sums to the root of a mesh (shared: %s)', shared => {
    const { table, placement, shifts } = read(generateTrace({ spans: 3_000, shared }, seededRandom(4)))
    const path = findCriticalPath(table, placement, shifts)
    expect(path.to.reduce((sum, to, i) => sum + to - path.from[i]!, 0)).toBe(table.duration[placement.tops[0]!])
  })
})

test('a deadline is inherited, and one below it that is clearly longer is over budget', () => {
  const { table, spans, placement, shifts } = read(
    traceFromText(`
      a  x  0..100  client  expected_rq_timeout_ms=50
        b  x  5..95  server
          b  y  6..94  client  expected_rq_timeout_ms=200
          b  z  6..20  client  expected_rq_timeout_ms=10
          b  same  7..90  client  expected_rq_timeout_ms=47
          b  late  30..90  client  expected_rq_timeout_ms=30
          b  gone  6..40  client  response_flags=UT
            c  x  7..90  server
    `),
  )
  const { until, isOverBudget } = findDeadlines(table, placement, shifts)
  const of = (name: string) => spans.findIndex(span => span.name === name)
  const ms = (span: number) => (until[span]! - TEXT_EPOCH) / 1_000
  expect([of('y'), of('z'), of('gone'), spans.length - 1].map(ms)).toEqual([50, 16, 40, 40])
  expect(Array.from(isOverBudget).flatMap((over, i) => (over ? [spans[i]!.name] : []))).toEqual(['y', 'late'])
})
