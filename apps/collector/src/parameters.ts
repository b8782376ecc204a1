import { HttpError } from './http-error.ts'
import { OwnApiError } from './own-api-error.ts'

/** A parameter that zipkin-server insists on; may be empty. */
export function requireParameter(query: URLSearchParams, name: string): string {
  const value = query.get(name)
  if (value === null) throw new HttpError(400, `Mandatory parameter/header/attribute is missing: ${name}`)
  return value
}

/** A decimal int64, as Java reads one: a sign, digits, nothing else. */
export function int64(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new HttpError(400, `For input string: "${text}"`)
  const value = BigInt(text)
  if (BigInt.asIntN(64, value) !== value) throw new HttpError(400, `For input string: "${text}"`)
  return Number(value)
}

/** A whole number from 1, or what stands for it when it is not given. */
export function positive(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name)
  if (!text) return fallback
  if (!/^\d{1,15}$/.test(text) || Number(text) === 0) {
    throw new OwnApiError('bad_parameter', `Expected a whole number from 1, got ${text.slice(0, 100)}`, name)
  }
  return Number(text)
}
