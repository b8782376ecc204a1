import type { OutlierDetection } from '@hopscope/envoy-config'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createClock } from '../clock.ts'
import { Runtime } from '../runtime.ts'
import { Stats } from '../stats/stats.ts'
import { Timers } from '../timers.ts'
import type { Host } from './host.ts'
import { OutlierDetector } from './outlier-detector.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const DEFAULTS: OutlierDetection = {
  consecutive5xx: 5,
  consecutiveGatewayFailure: 5,
  consecutiveLocalOriginFailure: 5,
  interval: 1000,
  baseEjectionTime: 3000,
  maxEjectionTimeJitter: 0,
  maxEjectionPercent: 100,
  alwaysEjectOneHost: false,
  successfulActiveHealthCheckUnejectHost: true,
  splitExternalLocalOriginErrors: false,
  successRateMinimumHosts: 3,
  successRateRequestVolume: 10,
  successRateStdevFactor: 1000,
  failurePercentageThreshold: 85,
  failurePercentageMinimumHosts: 3,
  failurePercentageRequestVolume: 10,
  enforcing: {
    consecutive_5xx: 100,
    consecutive_gateway_failure: 0,
    consecutive_local_origin_failure: 100,
    success_rate: 100,
    failure_percentage: 0,
    local_origin_success_rate: 100,
    local_origin_failure_percentage: 0,
  },
}

function create(config: Partial<OutlierDetection>, count: number) {
  const stats = new Stats()
  const clock = createClock()
  const timers = new Timers(clock)
  const hosts = Array.from({ length: count }, () => ({
    ejected: false,
    pools: [{ retireConnections() {} }],
  })) as unknown as Host[]
  const services = { stats, runtime: new Runtime([]), clock, timers, random: () => 0 }
  const detector = new OutlierDetector(
    'a',
    { ...DEFAULTS, ...config },
    services,
    () => hosts,
    () => {},
  )
  detector.follow(hosts)
  const number = (name: string) =>
    stats.counters.get(`cluster.a.outlier_detection.ejections_${name}`)?.value ??
    stats.gauges.get(`cluster.a.outlier_detection.ejections_${name}`)?.value
  const ejected = () => hosts.map(host => host.ejected)
  return { hosts, number, ejected, detector }
}

test('each ejection is longer than the one before; good conduct takes steps back', () => {
  const { hosts, ejected, detector } = create({ consecutive5xx: 1 }, 1)
  const host = hosts[0]!
  const secondsOut = () => {
    host.monitor!.answered(500)
    let seconds = 0
    for (; ejected()[0]; seconds++) vi.advanceTimersByTime(1000)
    return seconds
  }
  expect(secondsOut()).toBe(3)
  expect(secondsOut()).toBe(6)
  expect(secondsOut()).toBe(9)
  vi.advanceTimersByTime(10_000)
  expect(secondsOut()).toBe(3)
  detector.close()
})

test('the one that fails more than the others, at the end of the interval', () => {
  const { hosts, ejected, number, detector } = create({ consecutive5xx: 1000 }, 4)
  for (const [i, host] of hosts.entries())
    for (let n = 0; n < 20; n++) host.monitor!.answered(i === 2 && n % 2 === 0 ? 500 : 200)
  expect(ejected()).toEqual([false, false, false, false])
  vi.advanceTimersByTime(1001)
  expect(ejected()).toEqual([false, false, true, false])
  expect([number('enforced_success_rate'), number('active')]).toEqual([1, 1])
  detector.close()
})

test('too few requests, or too few hosts, say nothing', () => {
  const few = create({ consecutive5xx: 1000 }, 2)
  for (const host of few.hosts) for (let n = 0; n < 20; n++) host.monitor!.answered(500)
  vi.advanceTimersByTime(1001)
  expect(few.ejected()).toEqual([false, false])
  const idle = create({ consecutive5xx: 1000 }, 4)
  for (const host of idle.hosts) for (let n = 0; n < 9; n++) host.monitor!.answered(500)
  vi.advanceTimersByTime(1001)
  expect(idle.number('detected_success_rate')).toBe(0)
  few.detector.close()
  idle.detector.close()
})

test('a percentage of failures, when it is acted upon', () => {
  const enforcing = { ...DEFAULTS.enforcing, success_rate: 0, failure_percentage: 100 }
  const { hosts, ejected, detector } = create({ consecutive5xx: 1000, enforcing }, 3)
  for (const [i, host] of hosts.entries())
    for (let n = 0; n < 20; n++) host.monitor!.answered(n < 20 - i * 1 ? 500 : 200)
  vi.advanceTimersByTime(1001)
  expect(ejected()).toEqual([true, true, true])
  detector.close()
})

test('a host that leaves while it is out is out no longer', () => {
  const { hosts, number, detector } = create({ consecutive5xx: 1 }, 2)
  hosts[0]!.monitor!.answered(503)
  expect(number('active')).toBe(1)
  detector.follow([hosts[1]!])
  expect(number('active')).toBe(0)
  detector.close()
})
