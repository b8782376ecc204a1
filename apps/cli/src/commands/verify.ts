import { writeFileSync } from 'node:fs'
import type { Mesh, MeshOptions } from '../mesh/mesh.ts'
import { findScenario, scenarioNames } from '../scenario/find-scenario.ts'
import { knobVariables } from '../scenario/knob-variables.ts'
import { runScenario, type StepResult } from '../scenario/run-scenario.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { systemProblem, UserError } from '../user-error.ts'
import { junitXml } from './junit-xml.ts'
import { ProgressLine } from './progress-line.ts'
import { repeatsText } from './repeats-text.ts'
import type { ScenarioResult } from './scenario-result.ts'

export interface VerifyOptions {
  /** Knobs of the run; steps that set one go their own way. */
  set?: string[]
  proxy?: 'envoy'
  docker?: boolean
  /** How many times all of them are run, one after the other. */
  repeat?: string
  json?: boolean
  junit?: string
}

/** Runs scenarios and holds what comes out against what must come out. Resolves to 0 when all of it holds, 1 otherwise. */
export async function verify(names: readonly string[], options: VerifyOptions): Promise<number> {
  const times = Number(options.repeat ?? 1)
  if (!Number.isInteger(times) || times < 1 || times > 1000)
    throw new UserError(`--repeat: expected a whole number from 1 to 1000, got ${options.repeat}`)
  const scenarios = await Promise.all((names.length === 0 ? scenarioNames() : names).map(findScenario))
  const variables = scenarios.map(scenario => knobVariables(scenario, options.set ?? []))
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (abort.signal.aborted) process.exit(130)
      abort.abort(new Error('interrupted'))
    })
  }
  const results: ScenarioResult[] = []
  for (let run = 1; run <= times && !abort.signal.aborted; run++) {
    if (times > 1 && !options.json) console.log(`${run === 1 ? '' : '\n'}run ${run} of ${times}`)
    for (const [i, scenario] of scenarios.entries()) {
      if (abort.signal.aborted) break
      results.push(await verifyOne(scenario, variables[i]!, run, options, abort.signal))
    }
  }
  if (options.json) console.log(JSON.stringify(results, null, 2))
  if (options.junit !== undefined) writeFileSync(options.junit, junitXml(results))
  if (abort.signal.aborted) return 130
  if (!options.json && results.length > 1) console.log(`\n${totalText(results, scenarios.length, times)}`)
  return results.every(({ steps }) => steps.every(step => step.failure === undefined)) ? 0 : 1
}

function totalText(results: readonly ScenarioResult[], scenarios: number, times: number): string {
  const steps = results.flatMap(result => result.steps)
  const failed = steps.filter(step => step.failure !== undefined).length
  const skipped = steps.filter(step => step.skipped !== undefined).length
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0)
  const what = scenarios === 1 ? '1 scenario' : `${scenarios} scenarios`
  const total =
    `${what}${times === 1 ? '' : `, ${times} times`}: ` +
    `${steps.length - failed - skipped} steps passed, ${failed} failed, ${skipped} skipped, in ${seconds.toFixed(1)} s`
  return times === 1 ? total : `${repeatsText(results)}\n\n${total}`
}

async function verifyOne(
  scenario: Scenario,
  variables: Readonly<Record<string, string>>,
  run: number,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<ScenarioResult> {
  const say = (text: string) => (options.json ? undefined : console.log(text))
  const progress = new ProgressLine()
  const began = performance.now()
  const proxy = options.proxy ?? 'hopscope'
  const result: ScenarioResult = {
    scenario: scenario.name,
    proxy,
    mesh: options.docker ? 'docker' : 'processes',
    run,
    seconds: 0,
    memory: 0,
    processes: {},
    steps: [],
  }
  say(`${scenario.name}${proxy === 'envoy' ? ' (Envoy)' : ''}${options.docker ? ' (Docker)' : ''}  ${scenario.title}`)
  const starting = start(options.docker === true, {
    composeFile: scenario.composeFile,
    variables,
    proxy,
    ports: 'free',
    progress: text => (options.json ? undefined : progress.show(`  ${text}`)),
    signal,
  })
  const ended: string[] = []
  let mesh: Mesh
  try {
    mesh = await starting
  } catch (error) {
    // Of a mesh that does not start the others, and the reports, still come.
    if (signal.aborted) return result
    const problem = error instanceof UserError ? error.message : systemProblem(error)
    if (problem === undefined) throw error
    const milliseconds = performance.now() - began
    const step = { name: 'the mesh starts', milliseconds, failure: problem }
    say(stepText(step))
    return { ...result, seconds: milliseconds / 1000, steps: [step] }
  } finally {
    progress.end()
  }
  try {
    mesh.onUnexpectedEnd = message => ended.push(message)
    for await (const step of runScenario(scenario, mesh, variables)) {
      // Whatever the step saw, this is why.
      const [why] = ended.splice(0)
      if (why !== undefined) step.failure = step.failure === undefined ? why : `${why}\n${step.failure}`
      result.steps.push(step)
      say(stepText(step))
      if (signal.aborted) break
    }
    result.processes = Object.fromEntries(await mesh.memory())
    result.memory = Object.values(result.processes).reduce((sum, bytes) => sum + bytes, 0)
    result.seconds = (performance.now() - began) / 1000
  } finally {
    await mesh.down()
  }
  const failed = result.steps.filter(step => step.failure !== undefined).length
  const made = result.steps.filter(step => step.skipped === undefined).length
  say(`  ${made - failed} of ${made} passed in ${result.seconds.toFixed(1)} s${memoryText(result.processes)}`)
  return result
}

/** `, 153 MB in 4 processes, 52 MB the largest (collector)` */
function memoryText(processes: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(processes).sort(([, a], [, b]) => b - a)
  const [largest] = sorted
  if (largest === undefined) return ''
  const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`
  const sum = sorted.reduce((total, [, bytes]) => total + bytes, 0)
  return `, ${megabytes(sum)} in ${sorted.length} processes, ${megabytes(largest[1])} the largest (${largest[0]})`
}

async function start(docker: boolean, options: MeshOptions): Promise<Mesh> {
  if (docker) return (await import('../mesh/docker-mesh.ts')).startDockerMesh(options)
  return (await import('../mesh/process-mesh.ts')).startProcessMesh(options)
}

function stepText(step: StepResult): string {
  if (step.skipped !== undefined) return `  - ${step.name} (not here: ${step.skipped})`
  const line = `  ${step.failure === undefined ? '✓' : '✗'} ${step.name} (${Math.round(step.milliseconds)} ms)`
  if (step.failure === undefined) return line
  const details = step.failure
    .split('\n')
    .map(text => `      ${text}`)
    .join('\n')
  return `${line}\n${details}${step.link === undefined ? '' : `\n      ${step.link}`}`
}
