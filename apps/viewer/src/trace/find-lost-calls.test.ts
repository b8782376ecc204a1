import { type Span, traceFromText } from '@hopscope/model'
import { expect, test } from 'vitest'
import { findLostCalls } from './find-lost-calls.ts'
import { formatJoins, joinTraces, parseJoins } from './join-traces.ts'
import { LoadedTrace } from './loaded-trace.ts'

const trace = (traceId: string, text: string): Span[] => traceFromText(text).map(span => ({ ...span, traceId }))
const request = trace('000000000000000a', 'edge  /  0..100  client  ->shop\n  shop  /  2..98  server')
const lost = trace('000000000000000b', 'shop  /stock  20..60  client  ->stock\n  stock  /stock  22..58  server').map(
  span => ({ ...span, id: `f${span.id.slice(1)}`, ...(span.parentId && { parentId: `f${span.parentId.slice(1)}` }) }),
)

test('a lost call is found from either end, around the time of the trace', async () => {
  const asked: string[] = []
  const load = async (path: string) => {
    asked.push(path)
    return [request, lost]
  }
  expect((await findLostCalls(request, load)).calls).toMatchObject([
    { direction: 'onward', otherTraceId: '000000000000000b', service: 'shop', callee: 'stock', confidence: 0.95 },
  ])
  const parameters = new URL(asked.at(-1)!, 'http://x').searchParams
  expect([...asked.map(path => new URL(path, 'http://x').searchParams.get('serviceName'))]).toEqual(['edge', 'shop'])
  expect(Number(parameters.get('endTs'))).toBeGreaterThanOrEqual((request[0]!.timestamp! + 100_000) / 1_000)
  expect((await findLostCalls(lost, load)).calls).toMatchObject([
    { direction: 'origin', otherTraceId: '000000000000000a', arrivalId: request[1]!.id, confidence: 0.95 },
  ])
})

test('nothing is found where nothing is lost', async () => {
  expect(await findLostCalls(request, async () => [request])).toEqual({ calls: [], ends: 2, looked: 2 })
  expect(await findLostCalls([{ traceId: '1', id: '2' }], async () => [])).toEqual({ calls: [], ends: 0, looked: 0 })
})

test('of many services some are looked at, and it says of how many', async () => {
  const lines = ['edge  /  0..100  client  ->s0', '  s0  /  1..99  server']
  for (let i = 1; i <= 30; i++) lines.push(`    s0  /  2..98  client  ->s${i}`, `      s${i}  /  3..97  server`)
  let asked = 0
  const { ends, looked } = await findLostCalls(trace('000000000000000c', lines.join('\n')), async () => {
    asked++
    return []
  })
  expect({ ends, looked, asked }).toEqual({ ends: 31, looked: 20, asked: 20 })
})

test('a joined trace hangs below the request, marked', () => {
  const { spans, inferred } = joinTraces(request, [{ spans: lost, parentId: request[1]!.id }])
  const { columns, own } = new LoadedTrace(spans, { inferred, own: request })
  const { hops, strings } = columns
  expect(Array.from(hops!.peer, peer => strings[peer])).toEqual(['shop', 'stock'])
  expect([...hops!.parent]).toEqual([-1, 0])
  expect(own).toHaveLength(2)
  const joins = [{ traceId: '000000000000000b', parentId: request[1]!.id }]
  expect(parseJoins(formatJoins(joins))).toEqual(joins)
  expect(parseJoins('nonsense~00.1')).toEqual([])
})
