import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '../checkout.ts'
import type { RunningService } from '../mesh/process-mesh.ts'

/** A mesh that `up` holds in this checkout, for commands in other terminals. */
export interface MeshState {
  /** Of the process that holds it. */
  pid: number
  scenario: string
  /** Started by `up --detach`. */
  detached: boolean
  /** Where calls go in, without a path. */
  entry: string
  /** The collector. */
  collector: string
  /** Empty with Docker, which keeps its own books. */
  services: RunningService[]
}

const folder = join(checkout, '.hopscope', 'meshes')

export function writeState(state: MeshState): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(fileOf(state.pid), JSON.stringify(state, null, 1))
}

/** The meshes that run, the one started last at the end; what a killed one left behind is cleared away. */
export function readStates(): MeshState[] {
  if (!existsSync(folder)) return []
  const states: MeshState[] = []
  for (const name of readdirSync(folder)) {
    const pid = Number.parseInt(name, 10)
    if (isRunning(pid)) states.push(JSON.parse(readFileSync(join(folder, name), 'utf8')) as MeshState)
    else forgetState(pid)
  }
  return states.sort((a, b) => a.pid - b.pid)
}

export function detachedState(): MeshState | undefined {
  return readStates().find(state => state.detached)
}

export function forgetState(pid: number): void {
  rmSync(fileOf(pid), { force: true })
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function fileOf(pid: number): string {
  return join(folder, `${pid}.json`)
}
