import { MISSING, type SpanTable, type TabledSpans } from './span-table.ts'
import { StringTable } from './string-table.ts'

/** What `GET /api/hopscope/v1/trace/ID/columns` answers with. */
export const COLUMNS_CONTENT_TYPE = 'application/vnd.hopscope.columns'

/** Eight bytes: the name and the version of the format. */
const MAGIC = 'hopcol\u00001'

/** A trace's table as it comes out of the wire; tags and annotations stay where the spans are. */
export interface DecodedColumns {
  traceId: string
  /** Spans as they were reported, before duplicates were merged. */
  reported: number
  table: SpanTable
  /** The table's strings, to which a view may add its own. */
  texts: StringTable
  /** By row: the parent that a span names and that is not here. */
  missingParents: ReadonlyMap<number, string>
}

/** Not columns, or of another version, or cut off. */
export class ColumnsError extends Error {
  override readonly name = 'ColumnsError'
}

type Type = 'none' | 'u8' | 'u16' | 'u32' | 'f64'
type Numbers = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array

/**
 * One column: `length` numbers of `type` at `offset` behind the head, each the difference to `base`. The largest number of
 * an integer type stands for NaN where `hasNaN`. `none` has no bytes: every entry is `base`, or NaN where `hasNaN`.
 */
interface ColumnHead {
  name: string
  length: number
  type: Type
  base: number
  hasNaN: boolean
  offset: number
}

interface Head {
  traceId: string
  count: number
  reported: number
  strings: readonly string[]
  ipv4OfEndpoint: readonly number[]
  ipv6OfEndpoint: readonly number[]
  /** Ids that are not 16 lower-hex characters, by their number. */
  oddIds: [number, string][]
  columns: ColumnHead[]
}

/** The columns that go over the wire as they are in the table. */
const PLAIN = [
  'id',
  'service',
  'name',
  'peer',
  'request',
  'status',
  'responseFlags',
  'endpoint',
  'kind',
  'traits',
  'start',
  'duration',
  'sent',
  'received',
  'timeout',
  'retries',
] as const satisfies readonly (keyof SpanTable)[]

const BYTES: Record<Type, number> = { none: 0, u8: 1, u16: 2, u32: 4, f64: 8 }
const LARGEST = { u8: 0xff, u16: 0xffff, u32: 0xffffffff }
const ID = /^[0-9a-f]{16}$/

/**
 * A trace's table → bytes, some 40 a span where its JSON has 400:
 *
 *     "hopcol\0" "1" · u32 length of the head · u32 0 · head (JSON, filled up with blanks to 8 bytes) · columns
 *
 * Numbers are little-endian, each column begins at a multiple of 8, and is as narrow as what is in it: times of one trace
 * differ by less than 2^32 µs, most traces have fewer than 256 services. Nothing is rounded.
 */
export function encodeColumns(
  { table, spans }: TabledSpans,
  traceId: string,
  reported: number,
): Uint8Array<ArrayBuffer> {
  const ids = [...table.ids]
  const parent = Int32Array.from(table.parent)
  // Ids that nobody here has stand behind those of the spans.
  const missing = new Map<string, number>()
  const idCount = table.count === 0 ? 0 : table.id.reduce((most, id) => Math.max(most, id), 0) + 1
  ids.length = idCount
  for (let i = 0; i < table.count; i++) {
    if (parent[i] !== MISSING) continue
    const id = spans[i]!.parentId!
    let number = missing.get(id)
    if (number === undefined) {
      number = ids.length
      ids.push(id)
      missing.set(id, number)
    }
    parent[i] = number
  }
  const high = new Uint32Array(ids.length)
  const low = new Uint32Array(ids.length)
  const oddIds: [number, string][] = []
  for (const [number, id] of ids.entries()) {
    if (ID.test(id)) {
      high[number] = Number.parseInt(id.slice(0, 8), 16)
      low[number] = Number.parseInt(id.slice(8), 16)
    } else oddIds.push([number, id])
  }

  const columns: [name: string, values: Numbers][] = [
    ['idHigh', high],
    ['idLow', low],
    ['parent', parent],
    ...PLAIN.map((name): [string, Numbers] => [name, table[name]]),
  ]
  let end = 0
  const heads = columns.map(([name, values]): ColumnHead => {
    const shape = narrow(values)
    const offset = end
    end = aligned(end + values.length * BYTES[shape.type])
    return { name, length: values.length, ...shape, offset }
  })
  const head: Head = {
    traceId,
    count: table.count,
    reported,
    strings: table.strings,
    ipv4OfEndpoint: table.ipv4OfEndpoint,
    ipv6OfEndpoint: table.ipv6OfEndpoint,
    oddIds,
    columns: heads,
  }
  const json = new TextEncoder().encode(JSON.stringify(head))
  const headLength = aligned(json.length)
  const bytes = new Uint8Array(16 + headLength + end)
  for (let i = 0; i < 8; i++) bytes[i] = MAGIC.charCodeAt(i)
  new DataView(bytes.buffer).setUint32(8, headLength, true)
  bytes.fill(0x20, 16, 16 + headLength)
  bytes.set(json, 16)
  for (const [i, [, values]] of columns.entries()) writeColumn(bytes.buffer, 16 + headLength, heads[i]!, values)
  return bytes
}

/** The inverse. Throws {@link ColumnsError}. */
export function decodeColumns(bytes: Uint8Array): DecodedColumns {
  // Views of eight-byte numbers want an aligned buffer.
  const buffer = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  const magic = String.fromCharCode(...buffer.subarray(0, 8))
  if (magic !== MAGIC) throw new ColumnsError('Expected columns of a trace, version 1, got something else')
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  const headLength = buffer.length >= 16 ? view.getUint32(8, true) : Number.POSITIVE_INFINITY
  if (16 + headLength > buffer.length) throw new ColumnsError('The columns of the trace are cut off')
  const head = JSON.parse(new TextDecoder().decode(buffer.subarray(16, 16 + headLength))) as Head
  const columns = new Map(head.columns.map(column => [column.name, column]))
  const read = <T extends Numbers>(name: string, make: (length: number) => T): T => {
    const column = columns.get(name)
    if (!column) throw new ColumnsError(`The columns of the trace have no ${name}`)
    return readColumn(buffer, 16 + headLength, column, make(column.length))
  }
  const i32 = (name: string) => read(name, length => new Int32Array(length))
  const u32 = (name: string) => read(name, length => new Uint32Array(length))
  const u8 = (name: string) => read(name, length => new Uint8Array(length))
  const f64 = (name: string) => read(name, length => new Float64Array(length))

  const high = u32('idHigh')
  const low = u32('idLow')
  const ids: string[] = new Array(high.length)
  for (let i = 0; i < high.length; i++) ids[i] = hex(high[i]!) + hex(low[i]!)
  for (const [number, id] of head.oddIds) ids[number] = id

  const id = i32('id')
  const parent = i32('parent')
  const idCount = id.reduce((most, number) => Math.max(most, number), -1) + 1
  const missingParents = new Map<number, string>()
  for (let i = 0; i < parent.length; i++) {
    if (parent[i]! < idCount) continue
    missingParents.set(i, ids[parent[i]!]!)
    parent[i] = MISSING
  }
  const texts = new StringTable()
  for (const text of head.strings) texts.add(text)
  const table: SpanTable = {
    count: head.count,
    strings: texts.strings,
    ids,
    id,
    parent,
    service: i32('service'),
    name: i32('name'),
    peer: i32('peer'),
    request: i32('request'),
    status: i32('status'),
    responseFlags: i32('responseFlags'),
    endpoint: i32('endpoint'),
    ipv4OfEndpoint: head.ipv4OfEndpoint,
    ipv6OfEndpoint: head.ipv6OfEndpoint,
    kind: u8('kind'),
    traits: u8('traits'),
    start: f64('start'),
    duration: f64('duration'),
    sent: f64('sent'),
    received: f64('received'),
    timeout: f64('timeout'),
    retries: read('retries', length => new Uint16Array(length)),
  }
  return { traceId: head.traceId, reported: head.reported, table, texts, missingParents }
}

/** The narrowest type that has every value exactly. */
function narrow(values: Numbers): Pick<ColumnHead, 'type' | 'base' | 'hasNaN'> {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  let numbers = 0
  let isWhole = true
  for (const value of values) {
    if (Number.isNaN(value)) continue
    numbers++
    if (value < least) least = value
    if (value > most) most = value
    if (!Number.isSafeInteger(value)) isWhole = false
  }
  const hasNaN = numbers < values.length
  if (numbers === 0) return { type: 'none', base: 0, hasNaN }
  if (!isWhole) return { type: 'f64', base: 0, hasNaN }
  if (least === most && !hasNaN) return { type: 'none', base: least, hasNaN }
  const range = most - least + (hasNaN ? 1 : 0)
  const type = range <= LARGEST.u8 ? 'u8' : range <= LARGEST.u16 ? 'u16' : range <= LARGEST.u32 ? 'u32' : 'f64'
  return { type, base: type === 'f64' ? 0 : least, hasNaN }
}

function view(type: Exclude<Type, 'none'>, buffer: ArrayBufferLike, at: number, length: number): Numbers {
  if (type === 'u8') return new Uint8Array(buffer, at, length)
  if (type === 'u16') return new Uint16Array(buffer, at, length)
  if (type === 'u32') return new Uint32Array(buffer, at, length)
  return new Float64Array(buffer, at, length)
}

function writeColumn(buffer: ArrayBuffer, start: number, head: ColumnHead, values: Numbers): void {
  const { type, base, length, offset } = head
  if (type === 'none') return
  const written = view(type, buffer, start + offset, length)
  const none = type === 'f64' ? Number.NaN : LARGEST[type]
  for (let i = 0; i < length; i++) written[i] = Number.isNaN(values[i]!) ? none : values[i]! - base
}

function readColumn<T extends Numbers>(bytes: Uint8Array, start: number, head: ColumnHead, into: T): T {
  const { type, base, hasNaN, length, offset } = head
  if (type === 'none') return into.fill(hasNaN ? Number.NaN : base) as T
  if (start + offset + length * BYTES[type] > bytes.length) {
    throw new ColumnsError(`The columns of the trace are cut off in ${head.name}`)
  }
  const written = view(type, bytes.buffer, bytes.byteOffset + start + offset, length)
  const none = hasNaN && type !== 'f64' ? LARGEST[type] : -1
  for (let i = 0; i < length; i++) into[i] = written[i] === none ? Number.NaN : written[i]! + base
  return into
}

function aligned(length: number): number {
  return Math.ceil(length / 8) * 8
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
