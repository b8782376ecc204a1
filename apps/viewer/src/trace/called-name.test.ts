import { traceFromText } from '@hopscope/model'
import { expect, test } from 'vitest'
import { LoadedTrace } from './loaded-trace.ts'

function noteAndParts(named: string): [note: string | undefined, parts: string[]] {
  const { columns, read, anatomy } = loaded(named)
  return [columns.strings[columns.hops!.note[0]!], anatomy(read.placement.order[0]!)!.parts.map(({ name }) => name)]
}

function loaded(named: string) {
  const spans = traceFromText(`
a  GET /  0..100  client  ->${named}  component=proxy
  reviews  GET /  60..90  server  component=proxy
`)
  const mark = (value: string, at: number) => ({ value, timestamp: spans[0]!.timestamp! + at * 1_000 })
  spans[0]!.annotations = [mark('first_upstream_tx_byte_sent', 2), mark('last_upstream_rx_byte_received', 99)]
  const trace = new LoadedTrace(spans)
  return { columns: trace.columns, read: trace.read, anatomy: (span: number) => trace.anatomy(span) }
}

test('a call that another service answered says whom it called', () => {
  const [note, parts] = noteAndParts('b')
  expect(note).toBe('called b')
  expect(parts).toContain('wire, and whoever is between')
})

test.each(['reviews', 'outbound|9080||reviews.default', 'Reviews-v2'])('%s is but another name', named => {
  const [note, parts] = noteAndParts(named)
  expect(note).toBeUndefined()
  expect(parts).toContain('wire')
})
