import { type Estimate, estimate, estimateDifference } from '../compare/bootstrap.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { startProcessMesh } from '../mesh/process-mesh.ts'
import { call } from '../scenario/call.ts'
import { findScenario, scenarioNames } from '../scenario/find-scenario.ts'
import { knobVariables } from '../scenario/knob-variables.ts'
import type { ComparedRun, Scenario } from '../scenario/scenario.ts'
import { UserError } from '../user-error.ts'
import { ProgressLine } from './progress-line.ts'

export interface CompareOptions {
  calls: string
  proxy?: 'envoy'
  json?: boolean
  /** Keeps the meshes afterwards, and shows the result in their viewer. */
  view?: boolean
}

/** One form of the mesh. Times in milliseconds. */
export interface RunResult {
  name: string
  n: number
  failed: number
  p50: Estimate
  p95: Estimate
  p99: Estimate
  /** At the median, more than the run before; absent for the first. */
  costs?: Estimate
}

const SHARES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const
/** Calls of each kind that are not counted: code warms up, connections are made. */
const WARM_UP = 30

/** `hopscope compare SCENARIO`: its forms run at the same time and are called in turn. Resolves to the exit code. */
export async function compare(name: string, options: CompareOptions): Promise<number> {
  const calls = Number(options.calls)
  if (!Number.isInteger(calls) || calls < 10 || calls > 100_000)
    throw new UserError(`--calls: expected a whole number from 10 to 100000, got ${options.calls}`)
  const scenario = await findScenario(name)
  const { compare: comparison } = scenario
  if (comparison === undefined) throw new UserError(`${scenario.name} compares nothing${await thoseThatDo()}`)
  const abort = new AbortController()
  const interrupted = new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (abort.signal.aborted) process.exit(130)
        abort.abort(new Error('interrupted'))
        resolve()
      })
    }
  })
  const progress = new ProgressLine()
  const meshes: Mesh[] = []
  try {
    for (const run of comparison.runs) meshes.push(await startRun(run, scenario, options, progress, abort.signal))
    const samples = await callInTurn(comparison.runs, meshes, comparison.path, calls, progress, abort.signal)
    const results = comparison.runs.map((run, i) => resultOf(run, samples[i]!, samples[i - 1]))
    progress.end()
    const measured = { scenario: scenario.name, path: comparison.path, runs: results }
    if (options.json) console.log(JSON.stringify(measured, null, 2))
    else print(scenario, comparison.path, results)
    if (options.view) {
      console.error(`\n  viewer   ${linkTo(measured, scenario, meshes.at(-1)!)}\n  end      Ctrl-C`)
      await interrupted
    }
    return results.some(({ failed }) => failed > 0) ? 1 : 0
  } catch (error) {
    if (abort.signal.aborted) return 130
    throw error
  } finally {
    progress.end()
    await Promise.all(meshes.map(mesh => mesh.down()))
  }
}

async function thoseThatDo(): Promise<string> {
  const names: string[] = []
  for (const name of scenarioNames()) if ((await findScenario(name)).compare !== undefined) names.push(name)
  return names.length === 0 ? '' : `; these do: ${names.join(', ')}`
}

function startRun(
  run: ComparedRun,
  scenario: Scenario,
  options: CompareOptions,
  progress: ProgressLine,
  signal: AbortSignal,
): Promise<Mesh> {
  return startProcessMesh({
    composeFile: scenario.composeFile,
    variables: knobVariables(
      scenario,
      Object.entries(run.knobs).map(([knob, value]) => `${knob}=${value}`),
    ),
    proxy: options.proxy ?? 'hopscope',
    ports: 'free',
    progress: text => progress.show(`${run.name}: ${text}`),
    signal,
  })
}

interface Sample {
  durations: number[]
  failed: number
}

/** A call to each, again and again, each time beginning with another: whatever slows the machine down slows all of them. */
async function callInTurn(
  runs: readonly ComparedRun[],
  meshes: readonly Mesh[],
  path: string,
  calls: number,
  progress: ProgressLine,
  signal: AbortSignal,
): Promise<Sample[]> {
  const bases = runs.map(({ entry }, i) => meshes[i]!.address(entry.service, entry.port))
  const samples = runs.map((): Sample => ({ durations: [], failed: 0 }))
  for (let round = 0; round < WARM_UP + calls; round++) {
    signal.throwIfAborted()
    if (round % 50 === 0) progress.show(`${Math.max(0, round - WARM_UP)} of ${calls} calls each`)
    for (let k = 0; k < runs.length; k++) {
      const i = (round + k) % runs.length
      const [answer] = await call(bases[i]!, { method: 'GET', path, headers: {}, count: 1, parallel: 1, threads: 1 })
      if (round < WARM_UP) continue
      if (answer!.status === 200) samples[i]!.durations.push(answer!.duration)
      else samples[i]!.failed++
    }
  }
  return samples
}

function resultOf({ name }: ComparedRun, { durations, failed }: Sample, before: Sample | undefined): RunResult {
  const [p50, p95, p99] = Object.values(SHARES).map(share => estimate(durations, share)) as [
    Estimate,
    Estimate,
    Estimate,
  ]
  return {
    name,
    n: durations.length,
    failed,
    p50,
    p95,
    p99,
    ...(before === undefined ? {} : { costs: estimateDifference(before.durations, durations, SHARES.p50) }),
  }
}

/** To the viewer of a mesh that still runs. The result is in the link, as its page reads it. */
function linkTo(measured: object, { collector }: Scenario, mesh: Mesh): string {
  // A microsecond is as much as anybody reads.
  const text = JSON.stringify(measured, (_, value) => (typeof value === 'number' ? Number(value.toFixed(3)) : value))
  const runs = Buffer.from(text).toString('base64url')
  return `${mesh.address(collector.service, collector.port)}/zipkin/compare?runs=${runs}`
}

function print(scenario: Scenario, path: string, results: readonly RunResult[]): void {
  console.log(`${scenario.name}  GET ${path}, one call at a time, ms with 95 % confidence\n`)
  const width = Math.max(...results.map(({ name }) => name.length), 3)
  const row = (cells: readonly string[]) =>
    console.log(
      `  ${cells[0]!.padEnd(width)}  ${cells
        .slice(1)
        .map(cell => cell.padEnd(22))
        .join('')
        .trimEnd()}`,
    )
  row(['', 'n', 'p50', 'p95', 'p99', 'costs, at p50'])
  for (const { name, n, failed, p50, p95, p99, costs } of results) {
    row([
      name,
      failed === 0 ? String(n) : `${n} (${failed} failed)`,
      text(p50),
      text(p95),
      text(p99),
      costs === undefined ? '' : text(costs, '+'),
    ])
  }
}

function text({ value, low, high }: Estimate, sign = ''): string {
  const plus = value > 0 ? sign : ''
  return `${plus}${value.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`
}
