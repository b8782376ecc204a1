import { traceFromText } from '@hopscope/model'
import { describe, expect, it } from 'vitest'
import { FLAG } from './columns.ts'
import { flameLines, rowAt } from './flame-layout.ts'
import { LoadedTrace } from './loaded-trace.ts'
import { idAt, indexOfSelection, packIds, selectionOf } from './packed-ids.ts'
import { sequenceOf } from './sequence.ts'
import { criticalTimes, selfTimes, sortRows } from './table-rows.ts'

const load = (text: string) => new LoadedTrace(traceFromText(text)).columns

const PARALLEL = `
  a  a  0..100
    b  b  10..50
      c  c  15..30
    d  d  40..90
    e  e  95..99
`

describe('a flame graph', () => {
  const { spans } = load(PARALLEL)
  it('puts what runs at the same time below, with room for all that is below the other', () => {
    expect([...flameLines(spans).line]).toEqual([0, 1, 2, 3, 1])
    expect(flameLines(spans).lines).toBe(4)
  })
  it('knows the row under the pointer', () => {
    const { line } = flameLines(spans)
    expect(rowAt(spans, line, 1, 97_000, 0)).toBe(4)
    expect(rowAt(spans, line, 1, 70_000, 0)).toBe(-1)
  })
})

it('a sequence has calls and replies in order of time', () => {
  const { hops, strings } = load(`
    a  x  0..100  server
      a  y  10..50  client
        b  y  11..49  server
          b  z  20..30  client  ->c
  `)
  const { participants, messages } = sequenceOf(hops!)
  expect(participants.map(name => strings[name])).toEqual(['a', 'b', 'c'])
  expect(messages.map(({ kind, at, from, to }) => `${kind} ${at / 1_000} ${from}${to}`)).toEqual([
    'arrival 0 00',
    'call 10 01',
    'call 20 12',
    'reply 30 21',
    'reply 50 10',
  ])
})

describe('a table', () => {
  const { spans, strings } = load(PARALLEL)
  const times = { self: selfTimes(spans), critical: criticalTimes(spans) }
  it('has the own time of each row: parallel calls count once', () => {
    expect([...times.self]).toEqual([16_000, 25_000, 15_000, 50_000, 4_000])
    expect(times.critical.reduce((a, b) => a + b)).toBe(100_000)
  })
  it('is sorted by any column, equal rows in the order of the trace', () => {
    const names = (...by: Parameters<typeof sortRows>) => Array.from(sortRows(...by), row => strings[spans.name[row]!])
    expect(names(spans, strings, 'self', true, times)).toEqual(['d', 'b', 'a', 'c', 'e'])
    expect(names(spans, strings, 'service', true, times)).toEqual(['e', 'd', 'c', 'b', 'a'])
    expect(names(spans, strings, 'note', false, times)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })
})

it('ids are packed, also those that are no hex, and links tell two halves apart', () => {
  const given = ['463ac35c9f6413ad', 'odd', '463ac35c9f6413ad', '00000000ffffffff']
  const ids = packIds(given.length, i => given[i]!)
  expect(given.map((_, i) => idAt(ids, i))).toEqual(given)
  expect(given.map((_, i) => selectionOf(ids, i))).toEqual(['463ac35c9f6413ad', 'odd', '463ac35c9f6413ad.1', given[3]])
  for (let i = 0; i < given.length; i++) expect(indexOfSelection(ids, selectionOf(ids, i))).toBe(i)
  expect(indexOfSelection(ids, 'none')).toBe(-1)
})

it('raw times are rows of their own, and what was moved stays marked', () => {
  const at = 1_700_000_000_000_000
  const skewed = new LoadedTrace([
    { traceId: '1', id: 'a', kind: 'CLIENT', timestamp: at, duration: 100, localEndpoint: { ipv4: '10.0.0.1' } },
    {
      traceId: '1',
      id: 'b',
      parentId: 'a',
      kind: 'SERVER',
      timestamp: at - 500,
      duration: 80,
      localEndpoint: { ipv4: '10.0.0.2' },
    },
  ])
  const raw = skewed.rawColumns()
  expect([...skewed.columns.spans.start]).toEqual([500, 510])
  expect([...raw.spans.start]).toEqual([500, 0])
  expect(raw.spans.flags[1]! & FLAG.moved).toBeTruthy()
  expect(raw.spans.shift[1]).toBe(510)
})
