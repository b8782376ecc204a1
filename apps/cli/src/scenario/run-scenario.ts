import type { Mesh } from '../mesh/mesh.ts'
import { systemProblem } from '../user-error.ts'
import { type Answer, call } from './call.ts'
import { checkExpectations } from './check-expectations.ts'
import { CollectorClient } from './collector-client.ts'
import { callBeside, meanwhile, waitForStats } from './meanwhile.ts'
import { ProxyAdmin } from './proxy-admin.ts'
import type { Scenario, Step } from './scenario.ts'
import type { Failure, StepEvidence } from './step-evidence.ts'

export interface StepResult {
  name: string
  milliseconds: number
  /** Absent: it passed. */
  failure?: string
  /** The trace to look at when it failed. */
  link?: string
  /** Not run here, for this reason. */
  skipped?: string
}

/**
 * Runs the steps of a scenario on a running mesh, one after the other; a failed step does not stop those after it.
 * `variables`: those of the compose file, where a step does not set them.
 */
export async function* runScenario(
  scenario: Scenario,
  mesh: Mesh,
  variables: Readonly<Record<string, string>>,
): AsyncGenerator<StepResult> {
  const earlier = new Map<string, readonly Answer[]>()
  for (const step of scenario.steps) {
    if (step.only !== undefined && step.only.proxy !== mesh.proxy) {
      yield { name: step.name, milliseconds: 0, skipped: step.only.reason }
      continue
    }
    const began = performance.now()
    const failure = await runStep(step, scenario, mesh, variables, earlier)
    const collector = collectorOf(scenario, mesh)
    yield {
      name: step.name,
      milliseconds: performance.now() - began,
      ...(failure === undefined ? {} : { failure: failure.message }),
      ...(failure?.traceId === undefined ? {} : { link: collector.link(failure.traceId) }),
    }
  }
}

async function runStep(
  step: Step,
  scenario: Scenario,
  mesh: Mesh,
  variables: Readonly<Record<string, string>>,
  earlier: Map<string, readonly Answer[]>,
): Promise<Failure | undefined> {
  try {
    await mesh.set(variablesOf(step.knobs, scenario, variables))
    for (const service of step.stop) await mesh.stop(service)
    for (const service of step.start) await mesh.start(service)
    const admins = new Map<string, ProxyAdmin>()
    const untils = step.during.flatMap(one => ('until' in one ? [one.until] : []))
    const observed = new Set([step.expect.stats ?? {}, ...untils].flatMap(stats => Object.keys(stats)))
    for (const service of new Set([...Object.keys(step.runtime), ...Object.keys(step.waitFor), ...observed])) {
      admins.set(service, adminOf(service, scenario, mesh))
    }
    for (const [service, values] of Object.entries(step.runtime)) await admins.get(service)!.setRuntime(values)

    const { expect } = step
    for (const one of step.before) await callBeside(one, mesh)
    await waitForStats(step.waitFor, admins)
    const statsBefore: StepEvidence['statsBefore'] = new Map(
      await Promise.all([...observed].map(async service => [service, await admins.get(service)!.stats()] as const)),
    )
    const outputBefore = new Map(
      await Promise.all(
        Object.keys(expect.output ?? {}).map(async service => [service, (await mesh.output(service)).length] as const),
      ),
    )
    const since = Date.now()
    const to = step.calls?.to ?? scenario.entry
    const entry = mesh.address(to.service, to.port)
    const calls = step.calls === undefined ? Promise.resolve([]) : call(entry, step.calls)
    const turn = (knobs: Step['knobs']) => mesh.set(variablesOf({ ...step.knobs, ...knobs }, scenario, variables))
    await meanwhile(step.during, mesh, admins, statsBefore, turn)
    const answers = await calls
    if (answers.length > 0) earlier.set(step.name, answers)
    const collector = collectorOf(scenario, mesh)
    return await checkExpectations(expect, {
      answers,
      since,
      statsBefore,
      outputBefore,
      earlier,
      mesh,
      collector,
      admins,
    })
  } catch (error) {
    return { message: systemProblem(error) ?? (error instanceof Error ? error.message : String(error)) }
  }
}

/** Knobs that a step does not set are as they were chosen for the run. */
function variablesOf(
  knobs: Step['knobs'],
  scenario: Scenario,
  chosen: Readonly<Record<string, string>>,
): Record<string, string> {
  const variables = { ...chosen }
  for (const [name, value] of Object.entries(knobs)) Object.assign(variables, scenario.knobs[name]!.variables[value])
  return variables
}

function adminOf(service: string, scenario: Scenario, mesh: Mesh): ProxyAdmin {
  const port = scenario.admins[service]
  if (port === undefined) throw new Error(`the scenario's admins do not name the port of ${service}`)
  return new ProxyAdmin(mesh.address(service, port))
}

function collectorOf(scenario: Scenario, mesh: Mesh): CollectorClient {
  return new CollectorClient(mesh.address(scenario.collector.service, scenario.collector.port))
}
