import type { StepResult } from '../scenario/run-scenario.ts'

/** What came of one scenario, as the reports have it. */
export interface ScenarioResult {
  scenario: string
  proxy: 'hopscope' | 'envoy'
  mesh: 'processes' | 'docker'
  /** Which time it was run (`--repeat`), from 1. */
  run: number
  /** From the start of the first process to the verdict. */
  seconds: number
  /** Sum of the proportional set sizes of all processes at the end, bytes; 0 where it is not known. */
  memory: number
  /** Of each process its proportional set size, bytes; empty where it is not known. */
  processes: Readonly<Record<string, number>>
  steps: StepResult[]
}
