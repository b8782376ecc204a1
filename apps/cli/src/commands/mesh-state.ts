import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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

/** Whoever reads it meanwhile has the state before, or this one: never a part. */
export function writeState(state: MeshState, into: readonly string[] = folders): void {
  let problem: unknown
  for (const folder of into) {
    try {
      mkdirSync(folder, { recursive: true })
      const path = join(folder, nameOf(state.pid))
      writeFileSync(`${path}.new`, JSON.stringify(state, null, 1))
      renameSync(`${path}.new`, path)
      return
    } catch (error) {
      problem ??= error
    }
  }
  throw problem
}

/** The meshes that run, the one started last at the end; what a killed one left behind is cleared away. */
export function readStates(from: readonly string[] = folders): MeshState[] {
  const states: MeshState[] = []
  for (const folder of from.filter(existsSync)) {
    for (const name of readdirSync(folder)) {
      const pid = Number.parseInt(name, 10)
      if (!isRunning(pid)) forgetState(pid, from)
      else if (name === nameOf(pid)) states.push(...readState(join(folder, name)))
    }
  }
  return states.sort((a, b) => a.pid - b.pid)
}

export function detachedState(): MeshState | undefined {
  return readStates().find(state => state.detached)
}

/** One, or none: its mesh may end at this moment. */
function readState(path: string): MeshState[] {
  try {
    return [JSON.parse(readFileSync(path, 'utf8')) as MeshState]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

export function forgetState(pid: number, from: readonly string[] = folders): void {
  for (const folder of from) {
    try {
      rmSync(join(folder, nameOf(pid)), { force: true })
      rmSync(join(folder, `${nameOf(pid)}.new`), { force: true })
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
