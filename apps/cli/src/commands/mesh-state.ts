import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunningService } from '../mesh/process-mesh.ts'
import { writableFolders } from '../mesh/run-folder.ts'

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

/** Where states are: in the checkout, or beside its runs when that is read-only. */
const folders = writableFolders('meshes')

export function writeState(state: MeshState): void {
  let problem: unknown
  for (const folder of folders) {
    try {
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, nameOf(state.pid)), JSON.stringify(state, null, 1))
      return
    } catch (error) {
      problem ??= error
    }
  }
  throw problem
}

/** The meshes that run, the one started last at the end; what a killed one left behind is cleared away. */
export function readStates(): MeshState[] {
  const states: MeshState[] = []
  for (const folder of folders.filter(existsSync)) {
    for (const name of readdirSync(folder)) {
      const pid = Number.parseInt(name, 10)
      if (isRunning(pid)) states.push(JSON.parse(readFileSync(join(folder, name), 'utf8')) as MeshState)
      else forgetState(pid)
    }
  }
  return states.sort((a, b) => a.pid - b.pid)
}

export function detachedState(): MeshState | undefined {
  return readStates().find(state => state.detached)
}

export function forgetState(pid: number): void {
  for (const folder of folders) {
    try {
      rmSync(join(folder, nameOf(pid)), { force: true })
    } catch {
      // read-only by now; whoever reads it sees that the process is gone
    }
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function nameOf(pid: number): string {
  return `${pid}.json`
}
