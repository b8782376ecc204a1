import { expect, test } from 'vitest'
import type { Host } from '../host.ts'
import type { HostSet } from './host-set.ts'
import { PreviousPriorities } from './previous-priorities.ts'

const setOf = (healthy: number, degraded: number, all: number): HostSet => {
  const hosts = (count: number) => Array.from({ length: count }, () => ({ weight: 1 }) as Host)
  return {
    hosts: hosts(all),
    healthy: hosts(healthy),
    degraded: hosts(degraded),
    excluded: [],
    localities: [],
    hasLocal: false,
    overprovisioningFactor: 100,
    weightedHealth: false,
  }
}
const tried = (priority: number) => ({ priority }) as Host
const ALL = { healthy: [100, 0, 0], degraded: [0, 0, 0] }

test('what a priority that was tried would get goes to the others, as far as they can take it', () => {
  const sets = [setOf(1, 0, 1), setOf(1, 0, 4), setOf(1, 1, 2)]
  const priorities = new PreviousPriorities(1)
  expect(priorities.reload(ALL, sets)).toBe(ALL)
  priorities.onHost(tried(0))
  // 25 and 100 of 100: the second takes its quarter, the third half, and its degraded hosts the rest.
  expect(priorities.reload(ALL, sets)).toEqual({ healthy: [0, 25, 50], degraded: [0, 0, 25] })
  priorities.onHost(tried(2))
  expect(priorities.reload(ALL, sets)).toEqual({ healthy: [0, 100, 0], degraded: [0, 0, 0] })
})

test('when all were tried they are all tried again; when nobody can be asked nothing changes', () => {
  const priorities = new PreviousPriorities(1)
  priorities.onHost(tried(0))
  expect(priorities.reload(ALL, [setOf(1, 0, 1)])).toEqual({ healthy: [100], degraded: [0] })
  priorities.onHost(tried(0))
  expect(priorities.reload(ALL, [setOf(0, 0, 1)])).toBe(ALL)
})
