import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const cli = join(import.meta.dirname, '../../apps/cli/src/main.ts')

function hopscope(...args: string[]) {
  const run = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', timeout: 150_000 })
  return { code: run.status, out: run.stdout, said: run.stdout + run.stderr }
}

test('the forms of a mesh, each called as often, with what each costs more', () => {
  const { code, out, said } = hopscope('compare', '05', '--calls', '20', '--json')
  expect(code, said).toBe(0)
  const { runs } = JSON.parse(out)
  expect(runs.map(({ name, n, failed }: Record<string, unknown>) => [name, n, failed])).toEqual([
    ['no sidecars', 20, 0],
    ['sidecars, not traced', 20, 0],
    ['sidecars, traced', 20, 0],
  ])
  for (const { p50, p95, p99 } of runs) {
    expect(p50.value).toBeGreaterThan(0)
    expect(p50.low).toBeLessThanOrEqual(p50.value)
    expect(p95.value).toBeGreaterThanOrEqual(p50.value)
    expect(p99.value).toBeGreaterThanOrEqual(p95.value)
  }
  expect(runs[0].costs).toBeUndefined()
  expect(runs[1].costs.low).toBeLessThanOrEqual(runs[1].costs.high)
})

test('what cannot be compared', () => {
  expect(hopscope('compare', '02').said).toMatch(
    /^hopscope: 02-both-sides compares nothing; these do: 05-partial-mesh/m,
  )
  expect(hopscope('compare', '05', '--calls', 'many').said).toContain('--calls: expected a whole number from 10')
})
