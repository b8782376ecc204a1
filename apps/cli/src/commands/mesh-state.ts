import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkout } from '../checkout.ts'
import type { RunningService } from '../mesh/process-mesh.ts'

/** The mesh that `up --detach` left running in this checkout. */
export interface MeshState {
  /** Of the process that holds it. */
  pid: number
  scenario: string
  services: RunningService[]
}

const file = join(checkout, '.hopscope', 'mesh.json')

export function writeState(state: MeshState): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(state, null, 1))
}

/** Undefined when none runs; what a killed one left behind is cleared away. */
export function readState(): MeshState | undefined {
  if (!existsSync(file)) return undefined
  const state = JSON.parse(readFileSync(file, 'utf8')) as MeshState
  if (isRunning(state.pid)) return state
  forgetState()
  return undefined
}

export function forgetState(): void {
  rmSync(file, { force: true })
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
