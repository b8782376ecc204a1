import type { Thresholds } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { Runtime } from '../runtime.ts'
import { gaugeText, Stats } from '../stats/stats.ts'
import { createCircuitBreaker } from './circuit-breaker.ts'

const thresholds = { maxConnections: 2, maxPendingRequests: 1, maxRequests: 3, maxRetries: 0, trackRemaining: false }

function create(runtime = new Runtime([]), more: Partial<Thresholds> = {}) {
  const stats = new Stats()
  const breaker = createCircuitBreaker(
    { name: 'a', observabilityName: 'alt' },
    'default',
    { ...thresholds, ...more },
    stats,
    runtime,
  )
  const gauge = (name: string) => stats.gauges.get(`cluster.alt.circuit_breakers.default.${name}`)?.value
  return { breaker, gauge }
}

test('open when as many are in use as may be, closed again below', () => {
  const { breaker, gauge } = create()
  const { connections } = breaker
  expect([connections.canCreate(), gauge('cx_open')]).toEqual([true, 0])
  connections.add()
  expect([connections.canCreate(), gauge('cx_open')]).toEqual([true, 0])
  connections.add()
  expect([connections.canCreate(), gauge('cx_open')]).toEqual([false, 1])
  connections.release()
  expect([connections.canCreate(), gauge('cx_open')]).toEqual([true, 0])
})

test('of pools there is no end, and what is left of that is counted down from the largest number', () => {
  const { breaker, gauge } = create(undefined, { trackRemaining: true })
  const left = () => gaugeText(gauge('remaining_cx_pools')!)
  expect([left(), gauge('cx_pool_open')]).toEqual(['18446744073709551615', 0])
  breaker.pools.add()
  expect([left(), breaker.pools.canCreate()]).toEqual(['18446744073709551614', true])
  const limited = create(undefined, { trackRemaining: true, maxConnectionPools: 1 })
  limited.breaker.pools.add()
  expect([limited.gauge('remaining_cx_pools'), limited.gauge('cx_pool_open')]).toEqual([0, 1])
  expect(limited.breaker.pools.canCreate()).toBe(false)
})

test('each resource has its own limit and its own gauge, under alt_stat_name', () => {
  const { breaker, gauge } = create()
  breaker.pendingRequests.add()
  for (let i = 0; i < 3; i++) breaker.requests.add()
  expect(['cx_open', 'rq_pending_open', 'rq_open', 'rq_retry_open', 'cx_pool_open'].map(gauge)).toEqual([0, 1, 1, 1, 0])
})

test('a limit of 0 is open from the start', () => {
  expect(create().breaker.retries.canCreate()).toBe(false)
})

test('runtime overrides the limit while it runs, by the name of the cluster', () => {
  const runtime = new Runtime([{ name: 'admin', kind: 'admin', values: new Map() }])
  const { connections } = create(runtime).breaker
  connections.add()
  connections.add()
  expect(connections.canCreate()).toBe(false)
  runtime.modify([['circuit_breakers.a.default.max_connections', '3']])
  expect([connections.max, connections.canCreate()]).toEqual([3, true])
  runtime.modify([['circuit_breakers.a.default.max_connections', '']])
  expect(connections.canCreate()).toBe(false)
})

test('a budget: a share of the requests that are there, and so many always', () => {
  const { breaker } = create(new Runtime([]), { retryBudget: { percent: 50, minConcurrency: 1 } })
  expect(breaker.retries.max).toBe(1)
  for (let i = 0; i < 5; i++) breaker.requests.add()
  expect(breaker.retries.max).toBe(2)
  breaker.pendingRequests.add()
  expect(breaker.retries.max).toBe(3)
})

test('what remains is shown when it is asked for', () => {
  const { breaker, gauge } = create(new Runtime([]), { trackRemaining: true })
  breaker.requests.add()
  expect(['remaining_cx', 'remaining_pending', 'remaining_rq', 'remaining_retries'].map(gauge)).toEqual([2, 1, 2, 0])
  expect(create().gauge('remaining_rq')).toBeUndefined()
})

test('a host has a limit of its own only where the file gives it one', () => {
  expect(create().breaker.connectionsPerHost).toBe(Number.POSITIVE_INFINITY)
  expect(create(new Runtime([]), { maxConnectionsPerHost: 0 }).breaker.connectionsPerHost).toBe(0)
})
