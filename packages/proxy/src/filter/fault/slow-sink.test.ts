import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createClock } from '../../clock.ts'
import type { Exchange, ResponseSink } from '../../http/exchange.ts'
import { Timers } from '../../timers.ts'
import { SlowSink } from './slow-sink.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('2 KiB a second in portions of 102 bytes, and the producer waits', () => {
  const parts: (number | 'end')[] = []
  const sink: ResponseSink = {
    sendHead() {},
    sendData: chunk => parts.push(chunk.length) > 0,
    sendEnd: () => parts.push('end'),
  }
  let drains = 0
  const exchange = { bufferLimit: 100, handler: { onDrain: () => drains++ } } as unknown as Exchange
  const timers = new Timers(createClock())
  const slow = new SlowSink(sink, 2, exchange, timers)
  expect(slow.sendData(new Uint8Array(250))).toBe(false)
  slow.sendEnd()
  expect(parts).toEqual([102])
  for (let i = 0; i < 40; i++) vi.advanceTimersByTime(10)
  expect(parts).toEqual([102, 102, 46, 'end'])
  timers.close()
})
