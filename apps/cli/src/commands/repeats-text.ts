import type { ScenarioResult } from './scenario-result.ts'

/**
 * What came of several runs, a line a scenario: how many passed, and how long they took.
 *
 *     01-single-hop  3 of 3 runs passed, 1.7 s (1.6 to 2.0)
 *     02-both-sides  2 of 3 runs passed, 1.2 s (1.2 to 1.3), failed: run 2
 */
export function repeatsText(results: readonly ScenarioResult[]): string {
  const byName = Map.groupBy(results, ({ scenario }) => scenario)
  const width = Math.max(...[...byName.keys()].map(name => name.length))
  const lines = [...byName].map(([name, runs]) => {
    const failed = runs.filter(({ steps }) => steps.some(({ failure }) => failure !== undefined))
    const seconds = runs.map(run => run.seconds).sort((a, b) => a - b)
    const text = (value: number) => value.toFixed(1)
    const line =
      `${name.padEnd(width)}  ${runs.length - failed.length} of ${runs.length} runs passed, ` +
      `${text(median(seconds))} s (${text(seconds[0]!)} to ${text(seconds.at(-1)!)})`
    return failed.length === 0 ? line : `${line}, failed: run ${failed.map(({ run }) => run).join(', ')}`
  })
  return lines.join('\n')
}

/** Of sorted numbers: the middle one, or halfway between the two in the middle. */
function median(sorted: readonly number[]): number {
  const middle = sorted.length / 2
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
}
