import { expect, test } from 'vitest'
import { BytesMeter } from './bytes-meter.ts'

test('a head without fields has the end of one', () => {
  const meter = new BytesMeter()
  meter.receiveHead(0)
  expect(meter.headerReceived).toBe(3)
})

test('with every head what the heads before came to is added again', () => {
  const meter = new BytesMeter()
  for (const bytes of [8, 0, 14, 23]) meter.receiveHead(bytes)
  expect(meter.headerReceived).toBe(48)
  expect(meter.decompressedHeaderReceived).toBe(8 + 11 + 25 + 48)
})

test('trailers are not decompressed', () => {
  const meter = new BytesMeter()
  meter.receiveHead(27)
  meter.receiveFields(13)
  expect([meter.headerReceived, meter.decompressedHeaderReceived]).toEqual([40, 27])
})
