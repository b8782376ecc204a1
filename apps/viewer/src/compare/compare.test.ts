import { traceFromText } from '@hopscope/model'
import { generateTrace, seededRandom } from '@hopscope/model/testing'
import { describe, expect, it } from 'vitest'
import { alignTraces, culpritOf, isChanged } from './align-traces.ts'
import { compareCohorts, verdictOf } from './compare-cohorts.ts'
import { outlineTrace, pairOf } from './hop-outline.ts'
import { medianDifference, quantile, shareLarger } from './statistics.ts'

const outline = (text: string) => outlineTrace(traceFromText(text))
const A = outline(`
edge  GET /  0..100  client  ->shop
  shop  GET /  1..99  server
    shop  p  10..40  client  ->price  http.url=http://price/1
      price  p  11..39  server
    shop  p  10..50  client  ->price  http.url=http://price/3
      price  p  11..49  server
    shop  pay  60..90  client  ->pay
`)
const B = outline(`
edge  GET /  0..160  client  ->shop
  shop  GET /  1..159  server
    shop  p  10..110  client  ->price  http.url=http://price/2  error=true
      price  p  11..109  server
    shop  p  20..50  client  ->price  http.url=http://price/1
      price  p  21..49  server
    shop  s  120..125  client  ->stock
`)

describe('the outline of a trace', () => {
  it('has calls below calls, with the time that is their own', () => {
    const [head] = A.heads
    expect([A.duration, A.heads.length, head!.children.map(pairOf)]).toEqual([
      100_000,
      1,
      ['shop→price', 'shop→price', 'shop→pay'],
    ])
    // 100 ms less 10..50 and 60..90
    expect(head!.own).toBe(30_000)
    expect(head!.children[2]).toMatchObject({ isUntraced: true, own: 30_000, request: 'pay' })
  })
})

describe('two traces', () => {
  const rows = alignTraces(A, B)
  it('pairs calls that ask the same, then those of the same services, and names what is left', () => {
    expect(
      rows.map(({ depth, a, b, delta }) => [depth, pairOf((a ?? b)!), a?.request, b?.request, delta / 1_000]),
    ).toEqual([
      [0, 'edge→shop', 'get /', 'get /', 60],
      [1, 'shop→price', '/1', '/1', 0],
      [1, 'shop→price', '/3', '/2', 60],
      [1, 'shop→pay', 'pay', undefined, -30],
      [1, 'shop→stock', undefined, 's', 5],
    ])
  })
  it('finds the call whose own time makes the difference', () => {
    expect(culpritOf(rows, B.duration - A.duration)?.a?.request).toBe('/3')
    expect(culpritOf(alignTraces(A, A), 0)).toBeUndefined()
  })
  it('tells changes from noise', () => {
    expect(rows.map(isChanged)).toEqual([true, false, true, true, true])
  })
  it('nothing differs from itself', () => {
    const spans = generateTrace({ spans: 2_000 }, seededRandom(5))
    const same = alignTraces(outlineTrace(spans), outlineTrace(spans))
    expect(same.every(({ a, b, delta }) => a && b && a.spanId === b.spanId && delta === 0)).toBe(true)
    expect(same.length).toBeGreaterThan(500)
  })
  it('a chain of 20,000 calls does not recurse', () => {
    const deep = outlineTrace(
      Array.from({ length: 20_000 }, (_, i) => ({
        traceId: '1',
        id: (i + 1).toString(16).padStart(16, '0'),
        ...(i === 0 ? {} : { parentId: i.toString(16).padStart(16, '0') }),
        kind: 'CLIENT' as const,
        timestamp: 1 + i,
        duration: 100_000 - i,
        localEndpoint: { serviceName: `s${i}` },
        remoteEndpoint: { serviceName: `s${i + 1}` },
      })),
    )
    expect(alignTraces(deep, deep).length).toBeGreaterThan(9_000)
  })
})

describe('statistics', () => {
  const near = (middle: number, n: number, seed: number) => {
    const random = seededRandom(seed)
    return Array.from({ length: n }, () => middle + random() * 20 - 10)
  }
  it('quantiles', () => {
    expect([0, 0.25, 0.5, 1].map(share => quantile([1, 2, 3, 5], share))).toEqual([1, 1.75, 2.5, 5])
    expect(quantile([], 0.5)).toBeNaN()
  })
  it('an interval around a true difference, the same each time', () => {
    const a = near(100, 80, 1)
    const b = near(110, 80, 2)
    const interval = medianDifference(a, b)!
    expect(interval).toEqual(medianDifference(a, b))
    expect(interval.low).toBeGreaterThan(0)
    expect(interval.low).toBeLessThan(10)
    expect(interval.high).toBeGreaterThan(10)
    expect(interval.value).toBeCloseTo(
      quantile(
        b.toSorted((x, y) => x - y),
        0.5,
      ) -
        quantile(
          a.toSorted((x, y) => x - y),
          0.5,
        ),
    )
  })
  it('holds the truth about as often as it says', () => {
    let held = 0
    for (let i = 0; i < 100; i++) {
      const { low, high } = medianDifference(near(50, 40, i), near(53, 40, 1_000 + i))!
      if (low <= 3 && high >= 3) held++
    }
    expect(held).toBeGreaterThanOrEqual(88)
  })
  it('a few values say nothing', () => {
    expect(medianDifference([1, 2, 3, 4], [5, 6, 7, 8, 9])).toBeUndefined()
  })
  it('how often one is larger', () => {
    expect(shareLarger([1, 2, 3], [4, 5])).toBe(1)
    expect(shareLarger([1, 2], [1, 2])).toBe(0.5)
    expect(shareLarger([5], [1, 9])).toBe(0.5)
  })
})

describe('cohorts', () => {
  const fast = Array.from({ length: 6 }, () => A)
  const slow = Array.from({ length: 6 }, () => B)
  const { total, paths } = compareCohorts(fast, slow)
  it('compares way by way, each below its caller', () => {
    expect(paths.map(({ path }) => path.join(' › '))).toEqual([
      'edge→shop',
      'edge→shop › shop→price',
      'edge→shop › shop→stock',
      'edge→shop › shop→pay',
    ])
    expect(paths[1]).toMatchObject({
      a: { calls: 12, failed: 0, traces: 6, median: 35_000 },
      b: { calls: 12, failed: 6, traces: 6, median: 65_000 },
      difference: { value: 30_000, low: 30_000, high: 30_000 },
      slower: 1,
    })
    expect(total.difference?.value).toBe(60_000)
  })
  it('says so in one word', () => {
    expect(paths.map(verdictOf)).toEqual(['slower', 'slower', 'unknown', 'unknown'])
    expect(verdictOf(compareCohorts(fast, fast).total)).toBe('same')
    expect(verdictOf(compareCohorts(slow, fast).total)).toBe('faster')
  })
})
