import { describe, expect, test } from 'vitest'
import type { Span } from '../span.ts'
import { generateTrace } from '../testing/generate-trace.ts'
import { seededRandom } from '../testing/random.ts'
import {
  COLUMNS_CONTENT_TYPE,
  ColumnsError,
  decodeColumns,
  encodeColumns,
  foldHops,
  placeSpans,
  tableSpans,
} from './index.ts'

function thereAndBack(spans: readonly Span[]) {
  const tabled = tableSpans(spans)
  const bytes = encodeColumns(tabled, spans[0]?.traceId ?? '', spans.length)
  return { ...tabled, bytes, decoded: decodeColumns(bytes) }
}

const span = (id: string, rest: Partial<Span> = {}): Span => ({ traceId: 'a', id, ...rest })

describe('columns over the wire', () => {
  test.each([true, false])('have all of a mesh (shared: %s)', shared => {
    const spans = generateTrace({ spans: 2_000, shared }, seededRandom(3))
    const { table, decoded } = thereAndBack(spans)
    expect({ ...decoded.table, ids: decoded.table.ids.slice(0, table.ids.length) }).toEqual(table)
    expect(decoded.reported).toBe(spans.length)
    expect(foldHops(decoded.table, placeSpans(decoded.table))).toEqual(foldHops(table, placeSpans(table)))
  })
  test('take less than an eighth of the JSON', () => {
    const spans = generateTrace({ spans: 5_000 }, seededRandom(3))
    const { bytes } = thereAndBack(spans)
    expect(bytes.length).toBeLessThan(JSON.stringify(spans).length / 8)
    expect(COLUMNS_CONTENT_TYPE).toBe('application/vnd.hopscope.columns')
  })
  test.each<[string, Span[]]>([
    ['no span', []],
    ['no times', [span('000000000000000a'), span('000000000000000b', { parentId: '000000000000000a' })]],
    [
      'times apart by years',
      [span('000000000000000a', { timestamp: 1 }), span('000000000000000b', { timestamp: 1.7e15 })],
    ],
    ['halves of microseconds', [span('000000000000000a', { timestamp: 1.5, duration: 2 })]],
    ['ids that are no ids', [span('x'), span('y', { parentId: 'x' }), span('000000000000000c', { parentId: 'é' })]],
    ['lone surrogates', [span('000000000000000a', { name: '\ud800', localEndpoint: { serviceName: '\udc00' } })]],
  ])('%s', (_name, spans) => {
    const { table, decoded } = thereAndBack(spans)
    expect({ ...decoded.table, ids: [] }).toEqual({ ...table, ids: [] })
    expect(Array.from(decoded.table.id, id => decoded.table.ids[id])).toEqual(Array.from(table.id, id => table.ids[id]))
  })
  test('name the parents that are missing', () => {
    const spans = [
      span('000000000000000a', { parentId: 'ffffffffffffffff' }),
      span('000000000000000b', { parentId: '000000000000000a' }),
      span('000000000000000c', { parentId: 'ffffffffffffffff' }),
    ]
    const { table, decoded } = thereAndBack(spans)
    expect([...decoded.missingParents]).toEqual([
      [0, 'ffffffffffffffff'],
      [2, 'ffffffffffffffff'],
    ])
    expect(decoded.table.parent).toEqual(table.parent)
  })
  test('are read at any place of a buffer', () => {
    const { bytes, table } = thereAndBack([span('000000000000000a', { timestamp: 1.5 })])
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    expect(decodeColumns(shifted.subarray(3)).table.start).toEqual(table.start)
  })
  test('that are cut off, or something else, are refused', () => {
    const { bytes } = thereAndBack(generateTrace({ spans: 50 }, seededRandom(1)))
    for (const length of [0, 7, 12, 100, bytes.length - 9]) {
      expect(() => decodeColumns(bytes.subarray(0, length)), String(length)).toThrow(ColumnsError)
    }
    expect(() => decodeColumns(new TextEncoder().encode('[{"traceId":"1"}]'))).toThrow('Expected columns of a trace')
  })
})
