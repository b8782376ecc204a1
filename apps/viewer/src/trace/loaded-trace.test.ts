import type { Span } from '@hopscope/model'
import { generateTrace, seededRandom } from '@hopscope/model/testing'
import { describe, expect, it } from 'vitest'
import { FLAG, SEGMENT } from './columns.ts'
import { LoadedTrace } from './loaded-trace.ts'
import { minimapRaster } from './minimap.ts'
import { nextFlagged, positionOf, reveal, rowOfSpan, visibleRows, withAncestors } from './rows.ts'

const T = 1_700_000_000_000_000
const span = (id: number, parent: number | undefined, from: number, to: number, more: Partial<Span> = {}): Span => ({
  traceId: '463ac35c9f6413ad',
  id: id.toString(16).padStart(16, '0'),
  ...(parent === undefined ? {} : { parentId: parent.toString(16).padStart(16, '0') }),
  name: `s${id}`,
  timestamp: T + from,
  duration: to - from,
  localEndpoint: { serviceName: 'a' },
  ...more,
})
const load = (...spans: Span[]) => new LoadedTrace(spans)

/**
 *     1
 *       2
 *         3
 *       4  error
 */
const small = () =>
  load(span(1, undefined, 0, 100), span(4, 1, 60, 90, { tags: { error: '' } }), span(2, 1, 10, 50), span(3, 2, 20, 30))

describe('columns of a trace', () => {
  it('are in reading order, with depth and subtree ends', () => {
    const { spans, strings, duration } = small().columns
    expect(Array.from(spans.name, name => strings[name])).toEqual(['s1', 's2', 's3', 's4'])
    expect([...spans.parent]).toEqual([-1, 0, 1, 0])
    expect([...spans.depth]).toEqual([0, 1, 2, 1])
    expect([...spans.subtreeEnd]).toEqual([4, 3, 3, 4])
    expect([...spans.start]).toEqual([0, 10, 20, 60])
    expect(duration).toBe(100)
  })
  it('keep orphans and circles, and count them', () => {
    const { spans, counts } = load(
      span(1, undefined, 0, 100),
      span(5, 99, 5, 6),
      span(7, 8, 20, 30),
      span(8, 7, 10, 40),
    ).columns
    expect(spans.count).toBe(4)
    expect(counts).toMatchObject({ spans: 4, missingParents: 1, cycles: 1 })
  })
  it('take a chain of 50,000 spans', () => {
    const chain = Array.from({ length: 50_000 }, (_, i) => span(i + 1, i === 0 ? undefined : i, i, 100_000))
    expect(new LoadedTrace(chain).columns.counts.depth).toBe(50_000)
  })
  it('of nothing that has a time still have an axis', () => {
    expect(load({ traceId: '1', id: '2' }).columns.duration).toBe(1)
  })
  it('say by how much a span was moved', () => {
    const { spans, counts } = load(
      span(1, undefined, 0, 100, { kind: 'CLIENT', localEndpoint: { serviceName: 'a', ipv4: '10.0.0.1' } }),
      span(2, 1, -500, -420, { kind: 'SERVER', localEndpoint: { serviceName: 'b', ipv4: '10.0.0.2' } }),
    ).columns
    expect(counts.moved).toBe(1)
    expect(spans.shift[1]).toBe(510)
    expect(spans.start[1]! - spans.start[0]!).toBe(10)
  })
  it('hold every span of a mesh exactly once, in either view', () => {
    for (const shared of [true, false]) {
      const { columns } = new LoadedTrace(
        generateTrace({ spans: 500, shared, verbose: true, timestamp: T }, seededRandom(5)),
      )
      for (const rows of [columns.spans, columns.hops!]) {
        expect([...rows.spanIndex].sort((a, b) => a - b)).toEqual(Array.from(columns.spanIds.low, (_, i) => i))
      }
    }
  })
})

describe('a call', () => {
  const annotations = (sent: number, received: number) => [
    { timestamp: T + sent, value: 'first_upstream_tx_byte_sent' },
    { timestamp: T + received, value: 'last_upstream_rx_byte_received' },
  ]
  it('is one row of its parts', () => {
    const { hops, strings } = load(
      span(1, undefined, 0, 100, {
        kind: 'CLIENT',
        tags: { 'upstream_cluster.name': 'b' },
        annotations: annotations(5, 95),
      }),
      span(1, undefined, 20, 80, {
        kind: 'SERVER',
        shared: true,
        localEndpoint: { serviceName: 'b' },
        annotations: annotations(25, 75),
      }),
    ).columns
    expect(hops?.count).toBe(1)
    expect([strings[hops!.service[0]!], strings[hops!.peer[0]!]]).toEqual(['a', 'b'])
    expect(Array.from(hops!.segmentKind, (kind, i) => [hops!.segmentFrom[i], hops!.segmentTo[i], kind])).toEqual([
      [0, 5, SEGMENT.egressProxy],
      [95, 100, SEGMENT.egressProxy],
      [5, 20, SEGMENT.wire],
      [80, 95, SEGMENT.wire],
      [20, 25, SEGMENT.ingressProxy],
      [25, 75, SEGMENT.app],
      [75, 80, SEGMENT.ingressProxy],
    ])
  })
  it('to a silent service is hatched for as long as was waited', () => {
    const { hops, counts } = load(
      span(1, undefined, 0, 100, {
        kind: 'CLIENT',
        tags: { 'upstream_cluster.name': 'b' },
        annotations: annotations(5, 95),
      }),
    ).columns
    expect(counts.untraced).toBe(1)
    expect(hops!.flags[0]! & FLAG.untraced).toBeTruthy()
    const unknown = hops!.segmentKind.indexOf(SEGMENT.unknown)
    expect([hops!.segmentFrom[unknown], hops!.segmentTo[unknown]]).toEqual([5, 95])
  })
  it('is not made of local work', () => {
    expect(small().columns).toMatchObject({ noHops: expect.stringContaining('No span') })
  })
})

describe('rows on screen', () => {
  const { spans } = small().columns
  it('leave out what is below a collapsed row', () => {
    expect([...visibleRows(spans, new Set())]).toEqual([0, 1, 2, 3])
    expect([...visibleRows(spans, new Set([1]))]).toEqual([0, 1, 3])
    expect([...visibleRows(spans, new Set([0, 1]))]).toEqual([0])
  })
  it('are, of a filter, those that were found and what is above them', () => {
    const kept = (...rows: number[]) =>
      withAncestors(
        spans,
        Uint8Array.from([0, 1, 2, 3], row => Number(rows.includes(row))),
      )
    expect([...visibleRows(spans, new Set(), kept(2))]).toEqual([0, 1, 2])
    expect([...visibleRows(spans, new Set(), kept(3))]).toEqual([0, 3])
    expect([...visibleRows(spans, new Set([1]), kept(2))]).toEqual([0, 1])
    expect([...visibleRows(spans, new Set(), kept())]).toEqual([])
  })
  it('are found again', () => {
    const visible = visibleRows(spans, new Set([1]))
    expect([0, 1, 2, 3].map(row => positionOf(visible, row))).toEqual([0, 1, -1, 2])
    expect(rowOfSpan(spans, spans.spanIndex[2]!)).toBe(2)
  })
  it('come back when one below is wanted', () => {
    const collapsed = new Set([0, 1, 3])
    expect(reveal(spans, collapsed, 2)).toBe(true)
    expect([...collapsed]).toEqual([3])
  })
  it('are walked by mark, around the end', () => {
    expect(nextFlagged(spans, 0, FLAG.error, 1)).toBe(3)
    expect(nextFlagged(spans, 3, FLAG.error, 1)).toBe(3)
    expect(nextFlagged(spans, 0, FLAG.cycle, 1)).toBe(-1)
  })
})

it('finds by names, tags and annotations, all words', () => {
  const trace = load(
    span(1, undefined, 0, 1, { tags: { 'http.status_code': '503' }, annotations: [{ timestamp: T, value: 'Reset' }] }),
    span(2, 1, 0, 1),
  )
  expect(trace.find('code=503 reset')).toEqual([0])
  expect(trace.find('S2')).toEqual([1])
  expect(trace.find('503 s2')).toEqual([])
  expect(trace.find(' ')).toEqual([])
})

it('draws the minimap from starts and ends', () => {
  const { coverage, errors } = minimapRaster(small().columns.spans, 100, 10, 4)
  expect(Array.from(coverage.subarray(0, 10))).toEqual(Array(10).fill(1))
  expect(Array.from(coverage.subarray(10, 20))).toEqual([0, 1, 1, 1, 1, 0, 0, 0, 0, 0])
  expect(Array.from(errors.subarray(30, 40))).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 0])
})
