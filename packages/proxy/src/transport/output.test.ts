import { expect, test } from 'vitest'
import { Counter } from '../stats/stats.ts'
import { Output } from './output.ts'
import type { Transport } from './transport.ts'

/** A transport that writes down what it is given, and is full when told so. */
function create(highWaterMark = 1000) {
  const writes: string[] = []
  const state = { writable: true, unsent: 0 }
  const textOf = (data: Uint8Array | string) => (typeof data === 'string' ? data : Buffer.from(data).toString('latin1'))
  const transport = {
    get unsent() {
      return state.unsent
    },
    write(data: Uint8Array | string) {
      writes.push(textOf(data))
      return state.writable
    },
    writeAll(pieces: readonly (Uint8Array | string)[], bytes: number) {
      const text = pieces.map(textOf).join('')
      expect(bytes).toBe(text.length)
      writes.push(text)
      return state.writable
    },
  } as unknown as Transport
  const written = new Counter('tx')
  const output = new Output(transport, written, highWaterMark)
  let drains = 0
  output.onDrain = () => drains++
  return { output, writes, state, written, drains: () => drains }
}

const turn = () => new Promise<void>(resolve => setImmediate(resolve))

test('what is pushed in one turn leaves in one write, in order, as latin1', async () => {
  const { output, writes, written } = create()
  output.push('HTTP/1.1 200 OK\r\nx: caf\u00e9\r\n\r\n')
  output.push(Buffer.from([0xff, 0x00]))
  output.push('end')
  expect(writes).toEqual([])
  await turn()
  expect(writes).toEqual(['HTTP/1.1 200 OK\r\nx: caf\u00e9\r\n\r\n\xff\0end'])
  expect(written.value).toBe(writes[0]!.length)
  output.push('next')
  await turn()
  expect(writes.slice(1)).toEqual(['next'])
})

test('flush does not wait for the end of the turn, and nothing leaves twice', async () => {
  const { output, writes } = create()
  output.push('a')
  output.flush()
  output.push('b')
  await turn()
  expect(writes).toEqual(['a', 'b'])
})

test('a producer above the mark waits, and goes on when all was taken', async () => {
  const { output, drains } = create(10)
  expect(output.push('12345')).toBe(true)
  expect(output.push('67890')).toBe(false)
  expect(drains()).toBe(0)
  await turn()
  expect(drains()).toBe(1)
  expect(output.push('1')).toBe(true)
})

test('while the transport is full the producer waits for its drain, and is told once', async () => {
  const { output, state, drains } = create(1000)
  state.writable = false
  expect(output.push('a')).toBe(true)
  await turn()
  expect(output.push('b')).toBe(false)
  await turn()
  expect(drains()).toBe(0)
  state.writable = true
  output.drained()
  output.drained()
  expect(drains()).toBe(1)
  expect(output.push('c')).toBe(true)
})

test('a producer that does not wait is not told', async () => {
  const { output, state, drains } = create()
  state.writable = false
  output.push('a')
  await turn()
  output.drained()
  expect(drains()).toBe(0)
})

test('what is discarded never leaves', async () => {
  const { output, writes, written } = create()
  output.push('a')
  output.discard()
  await turn()
  expect([writes, written.value]).toEqual([[], 0])
})

test('knows what has left: neither what waits for the turn to end, nor what the system has not taken', async () => {
  const { output, state } = create()
  output.push('head')
  output.push('body')
  expect([output.pushed, output.left]).toEqual([8, 0])
  state.unsent = 3
  await turn()
  expect([output.pushed, output.left]).toEqual([8, 5])
  state.unsent = 0
  expect(output.left).toBe(8)
})
