import type { Mesh, MeshOptions } from '../mesh/mesh.ts'
import type { ProcessMesh } from '../mesh/process-mesh.ts'
import { findScenario, type Scenario } from '../scenario/find-scenario.ts'
import { knobVariables } from '../scenario/knob-variables.ts'
import { UserError } from '../user-error.ts'
import { forgetState, writeState } from './mesh-state.ts'
import { ProgressLine } from './progress-line.ts'

export interface UpOptions {
  set?: string[]
  proxy?: 'envoy'
  docker?: boolean
  ports?: 'fixed'
  detach?: boolean
}

/**
 * Runs a scenario (the tour without a name) in the foreground until Ctrl-C, SIGTERM or SIGHUP, then ends everything.
 * Resolves to the exit code.
 */
export async function up(name: string | undefined, options: UpOptions): Promise<number> {
  const scenario = await findScenario(name)
  const variables = knobVariables(scenario, options.set ?? [])
  if (options.detach)
    return (await import('./detached.ts')).detach(
      process.argv.slice(2).filter(word => word !== '--detach'),
      options,
    )
  const abort = new AbortController()
  const interrupted = new Promise<void>(resolve => {
    const stop = () => {
      // The second one does not wait for anybody.
      if (abort.signal.aborted) process.exit(130)
      abort.abort(new Error('interrupted'))
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  })

  const progress = new ProgressLine()
  const began = performance.now()
  let mesh: Mesh
  try {
    mesh = await start(options, {
      composeFile: scenario.composeFile,
      variables,
      proxy: options.proxy ?? 'hopscope',
      ports: options.ports ?? 'free',
      progress: text => progress.show(`${scenario.name}: ${text}`),
      signal: abort.signal,
    })
  } catch (error) {
    progress.end()
    if (abort.signal.aborted) return 130
    throw error
  }
  progress.end()
  // Containers are nobody's children: with them alone, nothing that Node knows of would be left to wait for.
  const stay = setInterval(() => {}, 2 ** 30)
  try {
    announce(scenario, mesh, (performance.now() - began) / 1000)
    recordMesh(scenario, mesh)
    await interrupted
    console.error('\nending …')
  } finally {
    clearInterval(stay)
    await mesh.down()
    forgetState(process.pid)
  }
  return 0
}

async function start(options: UpOptions, meshOptions: MeshOptions): Promise<Mesh> {
  if (options.docker) {
    const { startDockerMesh } = await import('../mesh/docker-mesh.ts')
    return startDockerMesh(meshOptions)
  }
  const { startProcessMesh } = await import('../mesh/process-mesh.ts')
  const mesh = await startProcessMesh(meshOptions)
  mesh.onUnexpectedEnd = message => console.error(`\n${message}\nThe others go on; Ctrl-C ends them.`)
  return mesh
}

/** For commands in other terminals. */
function recordMesh(scenario: Scenario, mesh: Mesh): void {
  writeState({
    pid: process.pid,
    scenario: scenario.name,
    detached: process.env.HOPSCOPE_DETACHED === '1',
    entry: mesh.address(scenario.entry.service, scenario.entry.port),
    collector: mesh.address(scenario.collector.service, scenario.collector.port),
    services: mesh.kind === 'processes' ? (mesh as ProcessMesh).processes() : [],
  })
}

function announce(scenario: Scenario, mesh: Mesh, seconds: number): void {
  const viewer = `${mesh.address(scenario.collector.service, scenario.collector.port)}/zipkin/`
  const entry = mesh.address(scenario.entry.service, scenario.entry.port)
  const path = scenario.entry.path
  const proxy = mesh.proxy === 'envoy' ? ' with the real Envoy in place of every sidecar' : ''
  const lines = [
    `${scenario.title}: ${mesh.services.length} services${proxy}, ready after ${seconds.toFixed(1)} s`,
    '',
    `  viewer   ${viewer}`,
    `  entry    ${entry}`,
    ...adminsOf(scenario, mesh).map(([service, address]) => `  admin    ${address}  ${service}`),
    '',
    `  try      ./hopscope curl ${quoted(path)}    or    curl -i ${quoted(entry + path)}`,
    '  end      Ctrl-C',
  ]
  console.log(lines.join('\n'))
}

/** For a shell, to which `?` is a pattern: zsh refuses one that no file matches. */
function quoted(text: string): string {
  return /^[\w./:-]*$/.test(text) ? text : `'${text}'`
}

/** Those that can be asked from here: with Docker the ones that the compose file publishes. */
function adminsOf(scenario: Scenario, mesh: Mesh): [service: string, address: string][] {
  return Object.entries(scenario.admins).flatMap(([service, port]): [string, string][] => {
    try {
      return [[service, mesh.address(service, port)]]
    } catch (error) {
      if (error instanceof UserError) return []
      throw error
    }
  })
}
