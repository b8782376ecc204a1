import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { scenarioNames } from '../../apps/cli/src/scenario/find-scenario.ts'
import { findEnvoy, HOW_TO_GET_ENVOY } from '../conformance/envoy/harness/program.ts'

/** Every scenario, run and held against what must come out: with our sidecar, and with the real Envoy in its place. */
const cli = join(import.meta.dirname, '../../apps/cli/src/main.ts')
const SCENARIOS = scenarioNames()

function verify(...args: string[]) {
  const run = spawnSync(process.execPath, [cli, 'verify', ...args, '--json'], { encoding: 'utf8', timeout: 60_000 })
  return { code: run.status, text: run.stdout + run.stderr, results: run.stdout === '' ? [] : JSON.parse(run.stdout) }
}

describe('with our sidecar', () => {
  test.each(SCENARIOS)('%s', name => {
    const { code, text, results } = verify(name)
    expect(code, text).toBe(0)
    const [{ steps, seconds, memory, processes }] = results
    expect(steps.length).toBeGreaterThan(0)
    console.log(
      `${name}: ${seconds.toFixed(1)} s from start to verdict, ${Math.round(memory / 2 ** 20)} MB in ${Object.keys(processes).length} processes`,
    )
  })
})

if (findEnvoy() === undefined) console.warn(`skipped: scenarios with the real Envoy. ${HOW_TO_GET_ENVOY}`)

describe.skipIf(findEnvoy() === undefined)('with the real Envoy', () => {
  test.each(SCENARIOS)('%s', name => {
    const { code, text } = verify(name, '--proxy', 'envoy')
    expect(code, text).toBe(0)
  })
})
