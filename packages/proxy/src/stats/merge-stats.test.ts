import { expect, test } from 'vitest'
import { dumpStats, mergeStats } from './merge-stats.ts'
import { Stats } from './stats.ts'

test('what workers count adds up, what there is one of is said once', () => {
  const workers = [1, 2, 3].map(n => {
    const stats = new Stats()
    stats.counter('cluster.a.upstream_rq_total').add(n)
    stats.counter('cluster.a.upstream_rq_timeout')
    stats.counter('cluster.a.membership_change').add()
    stats.gauge('cluster.a.upstream_cx_active').set(10 * n)
    stats.gauge('cluster.a.membership_total').set(3)
    stats.gauge('cluster.a.lb_subsets_active').set(2 * 5)
    stats.counter('cluster.a.lb_subsets_selected').add(n)
    stats.gauge('cluster.a.circuit_breakers.default.rq_open').set(n - 1)
    stats.gauge('cluster.a.circuit_breakers.default.remaining_cx_pools').set(-n)
    stats.histogram('cluster.a.upstream_rq_time').record(5 * n)
    stats.histogram('cluster.a.upstream_rq_time').record(1234)
    stats.flushHistograms()
    // As they cross from process to process.
    return JSON.parse(JSON.stringify(dumpStats(stats)))
  })
  const merged = mergeStats(workers)
  const value = (name: string) => merged.counter(name).value + merged.gauge(name).value
  expect(value('cluster.a.upstream_rq_total')).toBe(6)
  expect(merged.counter('cluster.a.upstream_rq_timeout').used).toBe(false)
  expect(value('cluster.a.membership_change')).toBe(1)
  expect(value('cluster.a.upstream_cx_active')).toBe(60)
  expect(value('cluster.a.membership_total')).toBe(3)
  expect(value('cluster.a.circuit_breakers.default.rq_open')).toBe(2)
  // Of no limit, counted down from -1.
  expect(value('cluster.a.circuit_breakers.default.remaining_cx_pools')).toBe(-1)
  // Five subsets, of three workers and the main thread.
  expect(value('cluster.a.lb_subsets_active')).toBe(20)
  expect(value('cluster.a.lb_subsets_selected')).toBe(6)
  const { cumulative } = merged.histogram('cluster.a.upstream_rq_time')
  expect([cumulative.total, cumulative.countUpTo(5), cumulative.countUpTo(10), cumulative.countUpTo(15), cumulative.countUpTo(1230)]).toEqual([6, 1, 2, 3, 6]) // biome-ignore format: one line
})
