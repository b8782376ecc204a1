import { expect, test } from 'vitest'
import { repeatsText } from './repeats-text.ts'
import type { ScenarioResult } from './scenario-result.ts'

function result(scenario: string, run: number, seconds: number, failure?: string): ScenarioResult {
  const step = { name: 'a step', milliseconds: 1, ...(failure === undefined ? {} : { failure }) }
  return { scenario, proxy: 'hopscope', mesh: 'processes', run, seconds, memory: 0, processes: {}, steps: [step] }
}

test('a line a scenario: the median of its runs, the shortest and the longest', () => {
  const runs = [2.04, 1.6, 1.7, 1.8, 1.65].map((seconds, i) => result('01-single-hop', i + 1, seconds))
  expect(repeatsText(runs)).toBe('01-single-hop  5 of 5 runs passed, 1.7 s (1.6 to 2.0)')
})

test('which runs failed', () => {
  const runs = [result('a', 1, 1), result('longer', 1, 3, 'no'), result('a', 2, 2), result('longer', 2, 3, 'no')]
  expect(repeatsText(runs)).toBe(
    'a       2 of 2 runs passed, 1.5 s (1.0 to 2.0)\nlonger  0 of 2 runs passed, 3.0 s (3.0 to 3.0), failed: run 1, 2',
  )
})
