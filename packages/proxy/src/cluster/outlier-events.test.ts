import { expect, test } from 'vitest'
import type { Host } from './host.ts'
import type { HostMonitor } from './host-monitor.ts'
import { OutlierEvents } from './outlier-events.ts'

const host = { address: '127.0.0.1:80' } as Host
const RATES = { rate: 33.4, average: 80.9, threshold: 50.2, localAverage: 1, localThreshold: 2 }

/** A line 2.5 s after the last action; each line the real one's but for the time. */
function lineOf(write: (events: OutlierEvents, monitor: HostMonitor) => void): string {
  const lines: string[] = []
  const clock = { now: () => 3500, epochMicros: () => 1_700_000_000_123_456 }
  const events = new OutlierEvents('a', { write: line => void lines.push(line) }, clock)
  write(events, { changes: 2, returnedAt: 1000, ejectedAt: 1000 } as HostMonitor)
  return lines.join('')
}

test('a host that fails in a row', () => {
  expect(lineOf((events, monitor) => events.eject(host, 'consecutive_5xx', monitor, true, RATES))).toBe(
    '{"type":"CONSECUTIVE_5XX","timestamp":"2023-11-14T22:13:20.123Z","secs_since_last_action":"2","cluster_name":"a","upstream_url":"127.0.0.1:80","action":"EJECT","num_ejections":2,"enforced":true,"eject_consecutive_event":{}}\n',
  )
})

test('its return', () => {
  expect(lineOf((events, monitor) => events.uneject(host, monitor))).toBe(
    '{"type":"CONSECUTIVE_5XX","timestamp":"2023-11-14T22:13:20.123Z","secs_since_last_action":"2","cluster_name":"a","upstream_url":"127.0.0.1:80","action":"UNEJECT","num_ejections":2,"enforced":false}\n',
  )
})

test('rates are whole per cents', () => {
  const byRate = lineOf((events, monitor) => events.eject(host, 'success_rate', monitor, false, RATES))
  expect(JSON.parse(byRate)).toMatchObject({
    type: 'SUCCESS_RATE',
    enforced: false,
    eject_success_rate_event: {
      host_success_rate: 33,
      cluster_average_success_rate: 80,
      cluster_success_rate_ejection_threshold: 50,
    },
  })
  const byPercentage = lineOf((events, monitor) =>
    events.eject(host, 'local_origin_failure_percentage', monitor, true, RATES),
  )
  expect(JSON.parse(byPercentage)).toMatchObject({
    type: 'FAILURE_PERCENTAGE_LOCAL_ORIGIN',
    eject_failure_percentage_event: { host_success_rate: 33 },
  })
})
