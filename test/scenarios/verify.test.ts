import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { scenarioNames } from '../../apps/cli/src/scenario/find-scenario.ts'
import { findEnvoy, HOW_TO_GET_ENVOY } from '../conformance/envoy/harness/program.ts'

/** Every scenario, run and held against what must come out: with our sidecar, and with the real Envoy in its place. */
const cli = join(import.meta.dirname, '../../apps/cli/src/main.ts')
const SCENARIOS = scenarioNames()
/** How many times in a row each must pass; CI sets it. */
const REPEAT = process.env.HOPSCOPE_REPEAT ?? '1'
const TIMEOUT = 180_000 * Number(REPEAT)

function verify(...args: string[]) {
  const run = spawnSync(process.execPath, [cli, 'verify', ...args, '--repeat', REPEAT, '--json'], {
    encoding: 'utf8',
    timeout: TIMEOUT,
  })
  return { code: run.status, text: run.stdout + run.stderr, results: run.stdout === '' ? [] : JSON.parse(run.stdout) }
}

describe('with our sidecar', () => {
  test.each(SCENARIOS)(
    '%s',
    name => {
      const { code, text, results } = verify(name)
      expect(code, text).toBe(0)
      expect(results).toHaveLength(Number(REPEAT))
      for (const { steps, seconds, memory, processes } of results) {
        expect(steps.length).toBeGreaterThan(0)
        console.log(
          `${name}: ${seconds.toFixed(1)} s from start to verdict, ${Math.round(memory / 2 ** 20)} MB in ${Object.keys(processes).length} processes`,
        )
      }
    },
    TIMEOUT,
  )
})

if (findEnvoy() === undefined) console.warn(`skipped: scenarios with the real Envoy. ${HOW_TO_GET_ENVOY}`)

describe.skipIf(findEnvoy() === undefined)('with the real Envoy', () => {
  test.each(SCENARIOS)(
    '%s',
    name => {
      const { code, text } = verify(name, '--proxy', 'envoy')
      expect(code, text).toBe(0)
    },
    TIMEOUT,
  )
})
