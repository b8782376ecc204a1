import { expect, test } from 'vitest'
import type { Host } from '../host.ts'
import type { HostSet } from './host-set.ts'
import { choosePriority, spreadOverPriorities } from './priority-load.ts'

/** `3/5+1`: five hosts, three of them healthy, one degraded. */
function setOf(text: string): HostSet {
  const [healthy = 0, total = 0, degraded = 0] = text.split(/[/+]/).map(Number)
  const hosts = Array.from({ length: total }, () => ({ weight: 1 }) as Host)
  return {
    hosts,
    healthy: hosts.slice(0, healthy),
    degraded: hosts.slice(healthy, healthy + degraded),
    excluded: [],
    localities: [],
    hasLocal: false,
    overprovisioningFactor: 140,
    weightedHealth: false,
  }
}

// The first rows are the tables of Envoy's documentation of priority levels and of panic.
test.each<[sets: string, healthy: number[], degraded: number[], panic: string]>([
  ['100/100 100/100', [100, 0], [0, 0], '- -'],
  ['72/100 100/100', [100, 0], [0, 0], '- -'],
  ['71/100 100/100', [99, 1], [0, 0], '- -'],
  ['50/100 100/100', [70, 30], [0, 0], '- -'],
  ['25/100 100/100', [35, 65], [0, 0], '- -'],
  ['0/100 100/100', [0, 100], [0, 0], '- -'],
  ['25/100 25/100', [50, 50], [0, 0], 'panic panic'],
  ['5/100 65/100', [8, 92], [0, 0], 'panic -'],
  ['0/4 0/4', [50, 50], [0, 0], 'panic panic'],
  ['1/5 5/5', [28, 72], [0, 0], '- -'],
  ['5/10+2 0/10', [72, 0], [28, 0], '- panic'],
  ['0/10+10 0/10', [0, 0], [100, 0], '- -'],
  ['0/0', [100], [0], 'panic'],
])('%s', (text, healthy, degraded, panic) => {
  const spread = spreadOverPriorities(text.split(' ').map(setOf), 50)
  expect(spread.load).toEqual({ healthy, degraded })
  expect(spread.panic.map(is => (is ? 'panic' : '-')).join(' ')).toBe(panic)
})

test('nobody healthy and no panic wanted: nobody is asked', () => {
  expect(spreadOverPriorities([setOf('0/2')], 0)).toEqual({ load: { healthy: [100], degraded: [0] }, panic: [false] })
})

test('a draw falls to a priority by its share, to healthy hosts before degraded ones', () => {
  const load = { healthy: [70, 10], degraded: [0, 20] }
  const drawn = [0, 69, 70, 79, 80, 99].map(draw => choosePriority(load, draw))
  expect(drawn.map(({ priority, degraded }) => `${priority}${degraded ? 'd' : ''}`)).toEqual(['0', '0', '1', '1', '1d', '1d']) // biome-ignore format: one line
})
