import type { Interval } from './statistics.ts'

/** One form of a scenario, as `hopscope compare SCENARIO --json` measured it. Milliseconds. */
export interface MeasuredRun {
  name: string
  n: number
  failed: number
  p50: Interval
  p95: Interval
  p99: Interval
  /** At the median, more than the run before; absent for the first. */
  costs?: Interval
}

export interface Measurement {
  scenario: string
  path: string
  runs: MeasuredRun[]
}

/** For a link: JSON, as base64url. `hopscope compare` writes the same. */
export function encodeRuns(measurement: Measurement): string {
  const bytes = new TextEncoder().encode(JSON.stringify(measurement))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}

/** Throws an Error that says what is wrong with the link. */
export function decodeRuns(text: string): Measurement {
  let binary: string
  try {
    binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  } catch {
    throw new Error('The link is not whole: expected what ./hopscope compare SCENARIO --view prints.')
  }
  return parseMeasurement(new TextDecoder().decode(Uint8Array.from(binary, char => char.charCodeAt(0))))
}

/** Throws an Error that says what was expected and what came. */
export function parseMeasurement(text: string): Measurement {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('This is not JSON. Expected what ./hopscope compare SCENARIO --json prints.')
  }
  const { scenario, path, runs } = asObject(value, 'the document')
  if (typeof scenario !== 'string' || typeof path !== 'string' || !Array.isArray(runs) || runs.length === 0) {
    throw new Error('Expected scenario, path and runs, as ./hopscope compare SCENARIO --json prints them.')
  }
  return { scenario, path, runs: runs.map((run, i) => asRun(run, `runs[${i}]`)) }
}

function asRun(value: unknown, at: string): MeasuredRun {
  const { name, n, failed, p50, p95, p99, costs } = asObject(value, at)
  if (typeof name !== 'string' || typeof n !== 'number') throw new Error(`${at}: expected a name and a number n.`)
  return {
    name,
    n,
    failed: typeof failed === 'number' ? failed : 0,
    p50: asInterval(p50, `${at}.p50`),
    p95: asInterval(p95, `${at}.p95`),
    p99: asInterval(p99, `${at}.p99`),
    ...(costs === undefined ? {} : { costs: asInterval(costs, `${at}.costs`) }),
  }
}

function asInterval(value: unknown, at: string): Interval {
  const { value: middle, low, high } = asObject(value, at)
  if (typeof middle !== 'number' || typeof low !== 'number' || typeof high !== 'number') {
    throw new Error(`${at}: expected the numbers value, low and high.`)
  }
  return { value: middle, low, high }
}

function asObject(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error(`${at}: expected an object.`)
  return value as Record<string, unknown>
}
