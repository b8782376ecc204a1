import { HttpError } from './http-error.ts'

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
