import type { HealthCheck } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { createClock } from '../../clock.ts'
import { Stats } from '../../stats/stats.ts'
import { Timers } from '../../timers.ts'
import type { Host } from '../host.ts'
import { HealthCheckEvents } from './events.ts'
import type { ProbeListener } from './probe.ts'
import { CheckSession } from './session.ts'

function create(config: Partial<HealthCheck> = {}) {
  const clock = createClock()
  const stats = new Stats()
  const host = {
    ip: '127.0.0.1',
    port: 80,
    locality: { region: '', zone: 'z', subZone: '' },
    checks: { failed: true, timedOut: false, degraded: false, pending: false, excluded: false, pendingRemoval: false },
    healthySince: undefined,
  } as unknown as Host
  let listener: ProbeListener | undefined
  const lines: string[] = []
  const intervals: string[] = []
  const changes: boolean[] = []
  const counter = (name: string) => stats.counter(name)
  const session = new CheckSession(host, {
    config: { timeout: 1000, healthyThreshold: 2, unhealthyThreshold: 3, ...config } as HealthCheck,
    createProbe: (_host, to) => {
      listener = to
      return { ask() {}, giveUp() {}, close() {} }
    },
    clock,
    timers: new Timers(clock),
    events: new HealthCheckEvents('HTTP', 'a', [{ write: text => void lines.push(text) }], clock),
    stats: {
      attempt: counter('attempt'),
      success: counter('success'),
      failure: counter('failure'),
      passive_failure: counter('passive_failure'),
      network_failure: counter('network_failure'),
      verify_cluster: counter('verify_cluster'),
      healthy: stats.gauge('healthy'),
      degraded: stats.gauge('degraded'),
    },
    interval: (healthy, pending) => {
      intervals.push(`${healthy ? 'healthy' : 'unhealthy'}${pending ? ' edge' : ''}`)
      return 60_000
    },
    initialDelay: 0,
    onChecked: (_host, changed) => void changes.push(changed),
  })
  session.start()
  const fail = (type: 'NETWORK' | 'ACTIVE', retriable = false) => listener!.failed({ type, retriable, status: 500 })
  const events = () => lines.map(line => Object.keys(JSON.parse(line)).find(key => /event|degraded/.test(key)))
  return { host, session, pass: (degraded = false) => listener!.passed(degraded), fail, intervals, changes, events, lines, stats } // biome-ignore format: one line
}

test('the first check alone decides; later ones need their number', () => {
  const { host, pass, fail, intervals, changes } = create()
  pass()
  expect(host.checks.failed).toBe(false)
  for (const expected of [false, false, true]) {
    fail('NETWORK')
    expect(host.checks.failed).toBe(expected)
  }
  pass()
  expect(host.checks.failed).toBe(true)
  pass()
  expect(host.checks.failed).toBe(false)
  expect(intervals).toEqual(['healthy', 'unhealthy edge', 'unhealthy edge', 'unhealthy', 'healthy edge', 'healthy'])
  expect(changes).toEqual([true, false, false, true, false, true])
})

test('a success between failures begins the count anew', () => {
  const { host, pass, fail } = create({ unhealthyThreshold: 2 })
  pass()
  fail('NETWORK')
  pass()
  fail('NETWORK')
  expect(host.checks.failed).toBe(false)
})

test('a wrong answer fails at once, unless its status has more tries', () => {
  const { host, pass, fail } = create()
  pass()
  fail('ACTIVE', true)
  expect(host.checks.failed).toBe(false)
  fail('ACTIVE')
  expect(host.checks.failed).toBe(true)
})

test('what a request brought: excluded and failed, without another time for the next check', () => {
  const { host, session, pass, stats, intervals } = create()
  pass()
  session.failByTraffic()
  expect([host.checks.failed, host.checks.excluded]).toEqual([true, true])
  expect(stats.counters.get('passive_failure')?.value).toBe(1)
  expect(intervals).toEqual(['healthy'])
})

test('events: changes, the first failure, and with the flags every check', () => {
  const quiet = create()
  quiet.fail('NETWORK')
  quiet.fail('NETWORK')
  quiet.pass()
  quiet.pass(true)
  quiet.pass()
  quiet.fail('ACTIVE')
  expect(quiet.events()).toEqual([
    'health_check_failure_event',
    'add_healthy_event',
    'degraded_healthy_host',
    'no_longer_degraded_host',
    'eject_unhealthy_event',
  ])
  const loud = create({ alwaysLogFailures: true, alwaysLogSuccess: true })
  loud.pass()
  loud.pass()
  loud.fail('NETWORK')
  expect(loud.events()).toEqual(['add_healthy_event', 'successful_health_check_event', 'health_check_failure_event'])
})

// The line of the real one.
test('a line of the event log', () => {
  const { fail, lines } = create()
  fail('NETWORK')
  expect(lines[0]!.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, 'TIME')).toBe(
    '{"health_checker_type":"HTTP","host":{"socket_address":{"protocol":"TCP","address":"127.0.0.1","port_value":80,"resolver_name":"","ipv4_compat":false,"network_namespace_filepath":""}},"cluster_name":"a","timestamp":"TIME","health_check_failure_event":{"failure_type":"NETWORK","first_check":true,"http_status_code":500},"locality":{"region":"","zone":"z","sub_zone":""}}\n',
  )
})
