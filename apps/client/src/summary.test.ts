import { expect, it } from 'vitest'
import { createTally, formatSummary } from './summary.ts'
import { formatThread } from './threads.ts'

it("prints a thread's line as Posta's client does", () => {
  expect(formatThread({ name: 'pool-1-thread-1', successes: 5, failures: 0, duration: 545 })).toBe(
    'pool-1-thread-1: successes=[5], failures=[0], duration=[545ms]',
  )
})

it('counts by status, and leaves out what our own end cut off', () => {
  const tally = createTally()
  for (const status of ['200', '503', '200', 'ECONNREFUSED', 'stopped']) {
    tally.add({ status, ok: status === '200', latency: 10 })
  }
  expect(tally.summary()).toMatchObject({
    requests: 4,
    successes: 2,
    failures: 2,
    statuses: { '200': 2, '503': 1, ECONNREFUSED: 1 },
  })
})

it('formats a summary in one line', () => {
  const latency = { p50: 12, p90: 31, p99: 55.25, max: 60 }
  const statuses = { '200': 14, '503': 1 }
  expect(formatSummary({ requests: 15, successes: 14, failures: 1, duration: 2000, statuses, latency })).toBe(
    '15 requests in 2.0 s, 7.5/s: 14 × 200, 1 × 503; p50 12.0 ms, p90 31.0 ms, p99 55.3 ms, max 60.0 ms',
  )
})
