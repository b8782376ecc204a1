import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import type { RuntimeValue } from '../bootstrap.ts'

const require = createRequire(import.meta.url)

/** By name and by number, as Envoy takes both. */
const denominators: ReadonlyMap<string, number> = new Map([
  ['HUNDRED', 100],
  ['TEN_THOUSAND', 10_000],
  ['MILLION', 1_000_000],
  ['0', 100],
  ['1', 10_000],
  ['2', 1_000_000],
])

/** A fractional percent is a percentage; undefined: `value` is none. */
export function runtimePercent(value: object): number | undefined {
  const { numerator, denominator = 'HUNDRED' } = value as Record<string, unknown>
  if (numerator === undefined) return undefined
  return (Number(numerator) * 100) / (denominators.get(String(denominator)) ?? 100)
}

/** A value that was written down as text, in a file of a disk layer or in `/runtime_modify`: a number, a switch, a fractional percent in YAML, or text. */
export function parseRuntimeValue(text: string): RuntimeValue {
  if (text === 'true' || text === 'false') return text === 'true'
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number)) return number
  return (text.includes('numerator') ? parsePercent(text) : undefined) ?? text
}

function parsePercent(text: string): number | undefined {
  try {
    const value: unknown = (require('yaml') as typeof Yaml).parse(text)
    const percent = typeof value === 'object' && value !== null ? runtimePercent(value) : undefined
    return Number.isFinite(percent) ? percent : undefined
  } catch {
    return undefined
  }
}
