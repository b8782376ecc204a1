import { readFileSync } from 'node:fs'

/** protoc-gen-validate's rules of a field, as JSON (64-bit numbers are strings): `{ uint32: { lte: 65535 } }`. */
export type Rules = Readonly<Record<string, Readonly<Record<string, unknown>>>>

export interface FieldType {
  /** A scalar (`uint32`), or the full name of a message or enum. */
  type: string
  repeated?: boolean
  /** The key's type, when this is a map; then `type` is the value's. */
  map?: string
  /** The oneof that it is a member of. */
  oneof?: string
  /** proto3 `optional`: set to its default it is still set. */
  optional?: boolean
  deprecated?: boolean
  /** Envoy refuses it unless a runtime flag allows it. */
  disallowed?: boolean
  rules?: Rules
}

export interface MessageType {
  name: string
  fields: ReadonlyMap<string, FieldType>
  /** Oneofs of which one member must be set. */
  requiredOneofs: readonly string[]
}

export interface EnumType {
  name: string
  values: ReadonlyMap<string, number>
  /** Values that Envoy refuses. */
  disallowed: readonly string[]
}

let table: string | undefined
const messages = new Map<string, MessageType | undefined>()
const enums = new Map<string, EnumType | undefined>()

/** The message of this full name in the API of the Envoy release that the table was made from; undefined when it has none. */
export function messageType(name: string): MessageType | undefined {
  if (!messages.has(name)) {
    const row = lookUp(name) as { fields?: Record<string, [string, object?]>; required?: string[] } | undefined
    const fields = Object.entries(row?.fields ?? {}).map(
      ([field, [type, extra]]) => [field, { type, ...extra }] as const,
    )
    messages.set(name, row?.fields && { name, fields: new Map(fields), requiredOneofs: row.required ?? [] })
  }
  return messages.get(name)
}

/** The enum of this full name. */
export function enumType(name: string): EnumType | undefined {
  if (!enums.has(name)) {
    const row = lookUp(name) as { values?: Record<string, number>; disallowed?: string[] } | undefined
    enums.set(
      name,
      row?.values && { name, values: new Map(Object.entries(row.values)), disallowed: row.disallowed ?? [] },
    )
  }
  return enums.get(name)
}

/** Full names of all messages, for "did you mean". */
export function messageNames(): string[] {
  return [...read().matchAll(/^\["([^"]+)",\{"fields"/gm)].map(match => match[1]!)
}

/** Only the lines that a file needs are parsed: all 1400 would cost 15 ms. */
function lookUp(name: string): unknown {
  const text = read()
  const at = text.indexOf(`\n["${name}",`)
  if (at === -1) return undefined
  return (JSON.parse(text.slice(at + 1, text.indexOf('\n', at + 1))) as [string, unknown])[1]
}

function read(): string {
  table ??= readFileSync(new URL('../generated/envoy-v3.ndjson', import.meta.url), 'latin1')
  return table
}
