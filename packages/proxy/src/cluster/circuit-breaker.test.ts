import { expect, test } from 'vitest'
import { Runtime } from '../runtime.ts'
import { Stats } from '../stats/stats.ts'
import { createCircuitBreaker } from './circuit-breaker.ts'

const thresholds = { maxConnections: 2, maxPendingRequests: 1, maxRequests: 3, maxRetries: 0 }

function create(runtime = new Runtime([])) {
  const stats = new Stats()
  const breaker = createCircuitBreaker({ name: 'a', observabilityName: 'alt' }, 'default', thresholds, stats, runtime)
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
