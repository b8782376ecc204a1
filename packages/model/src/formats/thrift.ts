import { ipFromV6Bytes } from '../ip.ts'
import { normaliseEndpoint } from '../normalise-span.ts'
import type { Endpoint, Span } from '../span.ts'
import { DecodeError } from './decode-error.ts'
import { readUtf8 } from './read-utf8.ts'
import { isAddressKey, type V1Annotation, type V1BinaryAnnotation, type V1Span, v2SpansOf } from './v1-span.ts'

const READING = ' reading List<Span> from TBinary'
const ZEROS = '0000000000000000'

/** What a value is on the wire. */
const TYPE = {
  stop: 0,
  bool: 2,
  byte: 3,
  double: 4,
  i16: 6,
  i32: 8,
  i64: 10,
  string: 11,
  struct: 12,
  map: 13,
  set: 14,
  list: 15,
} as const
/** Of `BinaryAnnotation.type`. */
const BOOL = 0
const STRING = 6

/** Unknown fields nest this deep; nothing that makes sense does. */
const MAX_DEPTH = 64

/** Type and number of a field as one. */
const field = (type: number, id: number): number => (type << 16) | id
const SPAN = {
  traceId: field(TYPE.i64, 1),
  name: field(TYPE.string, 3),
  id: field(TYPE.i64, 4),
  parentId: field(TYPE.i64, 5),
  annotations: field(TYPE.list, 6),
  binaryAnnotations: field(TYPE.list, 8),
  debug: field(TYPE.bool, 9),
  timestamp: field(TYPE.i64, 10),
  duration: field(TYPE.i64, 11),
  traceIdHigh: field(TYPE.i64, 12),
} as const
const ANNOTATION = {
  timestamp: field(TYPE.i64, 1),
  value: field(TYPE.string, 2),
  host: field(TYPE.struct, 3),
} as const
const BINARY_ANNOTATION = {
  key: field(TYPE.string, 1),
  value: field(TYPE.string, 2),
  type: field(TYPE.i32, 3),
  host: field(TYPE.struct, 4),
} as const
const ENDPOINT = {
  ipv4: field(TYPE.i32, 1),
  port: field(TYPE.i16, 2),
  serviceName: field(TYPE.string, 3),
  ipv6: field(TYPE.string, 4),
} as const

/**
 * A list of v1 spans in thrift's binary protocol → v2 spans, normalised. All or nothing: throws {@link DecodeError} with
 * zipkin-server's text. Fields that are not known are passed over, where the server loses the rest of the message.
 */
export function decodeThrift(body: Uint8Array): Span[] {
  const reader = new ThriftReader(body)
  try {
    const spans: Span[] = []
    for (let left = reader.listLength(); left > 0; left--) spans.push(...v2SpansOf(readSpan(reader)))
    return spans
  } catch (error) {
    if (error instanceof DecodeError) throw new DecodeError(error.code, error.message + READING)
    throw error
  }
}

function readSpan(reader: ThriftReader): V1Span {
  let high = ZEROS
  let low = ZEROS
  let id = ZEROS
  let parentId = ZEROS
  let name: string | undefined
  let timestamp = 0
  let duration = 0
  let debug = false
  const annotations: V1Annotation[] = []
  const binaryAnnotations: V1BinaryAnnotation[] = []
  for (let next = reader.field(); next !== TYPE.stop; next = reader.field()) {
    if (next === SPAN.traceIdHigh) high = reader.hex64()
    else if (next === SPAN.traceId) low = reader.hex64()
    else if (next === SPAN.id) id = reader.hex64()
    else if (next === SPAN.parentId) parentId = reader.hex64()
    else if (next === SPAN.name) name = reader.string()
    else if (next === SPAN.timestamp) timestamp = reader.i64()
    else if (next === SPAN.duration) duration = reader.i64()
    else if (next === SPAN.debug) debug = reader.byte() === 1
    else if (next === SPAN.annotations) {
      for (let left = reader.listLength(); left > 0; left--) {
        const annotation = readAnnotation(reader)
        if (annotation) annotations.push(annotation)
      }
    } else if (next === SPAN.binaryAnnotations) {
      for (let left = reader.listLength(); left > 0; left--) {
        const annotation = readBinaryAnnotation(reader)
        if (annotation) binaryAnnotations.push(annotation)
      }
    } else reader.skip(next >> 16)
  }
  if (low === ZEROS) throw new DecodeError('bad_id', 'traceId == 0')
  if (id === ZEROS) throw new DecodeError('bad_id', 'id == 0')
  return {
    traceId: high === ZEROS ? low : high + low,
    id,
    parentId: parentId === ZEROS ? undefined : parentId,
    name,
    timestamp,
    duration,
    annotations,
    binaryAnnotations,
    debug,
  }
}

function readAnnotation(reader: ThriftReader): V1Annotation | undefined {
  let timestamp = 0
  let value: string | undefined
  let endpoint: Endpoint | undefined
  for (let next = reader.field(); next !== TYPE.stop; next = reader.field()) {
    if (next === ANNOTATION.timestamp) timestamp = reader.i64()
    else if (next === ANNOTATION.value) value = reader.string()
    else if (next === ANNOTATION.host) endpoint = readEndpoint(reader)
    else reader.skip(next >> 16)
  }
  return timestamp === 0 || value === undefined ? undefined : { timestamp, value, endpoint }
}

function readBinaryAnnotation(reader: ThriftReader): V1BinaryAnnotation | undefined {
  let key: string | undefined
  let value: string | undefined
  let endpoint: Endpoint | undefined
  let type = -1
  for (let next = reader.field(); next !== TYPE.stop; next = reader.field()) {
    if (next === BINARY_ANNOTATION.key) key = reader.string()
    else if (next === BINARY_ANNOTATION.value) value = reader.string()
    else if (next === BINARY_ANNOTATION.type) type = reader.i32()
    else if (next === BINARY_ANNOTATION.host) endpoint = readEndpoint(reader)
    else reader.skip(next >> 16)
  }
  if (key === undefined || value === undefined) return undefined
  if (isAddressKey(key)) {
    const isThere = type === STRING || (type === BOOL && value === '\u0001')
    return isThere && endpoint ? { key, value: undefined, endpoint } : undefined
  }
  return type === STRING ? { key, value, endpoint } : undefined
}

function readEndpoint(reader: ThriftReader): Endpoint | undefined {
  let serviceName: string | undefined
  let ipv4: string | undefined
  let ip: Pick<Endpoint, 'ipv4' | 'ipv6'> | undefined
  let port: number | undefined
  for (let next = reader.field(); next !== TYPE.stop; next = reader.field()) {
    if (next === ENDPOINT.ipv4) {
      const address = reader.i32() >>> 0
      if (address !== 0) ipv4 = [24, 16, 8, 0].map(shift => (address >>> shift) & 255).join('.')
    } else if (next === ENDPOINT.port) port = reader.i16() & 0xffff
    else if (next === ENDPOINT.serviceName) serviceName = reader.string()
    else if (next === ENDPOINT.ipv6) ip = ipFromV6Bytes(reader.bytes())
    else reader.skip(next >> 16)
  }
  return normaliseEndpoint({ serviceName, ipv4: ip?.ipv4 ?? ipv4, ipv6: ip?.ipv6, port })
}

/** Reads thrift's binary protocol; numbers are big-endian. */
class ThriftReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Type × 65536 + number; 0 behind the last. */
  field(): number {
    const type = this.byte()
    return type === TYPE.stop ? TYPE.stop : field(type, this.i16() & 0xffff)
  }

  /** The type of what is in it is not looked at. Not positive: nothing is. */
  listLength(): number {
    this.byte()
    return this.i32()
  }

  byte(): number {
    return this.#view.getUint8(this.#advance(1))
  }

  i16(): number {
    return this.#view.getInt16(this.#advance(2))
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4))
  }

  /** Exact up to 2^53, the nearest double beyond. */
  i64(): number {
    const at = this.#advance(8)
    return this.#view.getInt32(at) * 4_294_967_296 + this.#view.getUint32(at + 4)
  }

  hex64(): string {
    return this.#view.getBigUint64(this.#advance(8)).toString(16).padStart(16, '0')
  }

  bytes(): Uint8Array {
    const start = this.#advance(this.#byteLength())
    return this.#bytes.subarray(start, this.#position)
  }

  string(): string {
    const start = this.#advance(this.#byteLength())
    return readUtf8(this.#bytes, start, this.#position)
  }

  skip(type: number, depth = 0): void {
    if (depth > MAX_DEPTH) throw new DecodeError('malformed', 'Malformed: a field nests too deeply')
    if (type === TYPE.bool || type === TYPE.byte) this.#advance(1)
    else if (type === TYPE.i16) this.#advance(2)
    else if (type === TYPE.i32) this.#advance(4)
    else if (type === TYPE.double || type === TYPE.i64) this.#advance(8)
    else if (type === TYPE.string) this.#advance(this.#byteLength())
    else if (type === TYPE.struct) {
      for (let next = this.field(); next !== TYPE.stop; next = this.field()) this.skip(next >> 16, depth + 1)
    } else if (type === TYPE.map) {
      const key = this.byte()
      const value = this.byte()
      for (let left = this.i32(); left > 0 && !this.#isAtEnd(); left--) {
        this.skip(key, depth + 1)
        this.skip(value, depth + 1)
      }
    } else if (type === TYPE.set || type === TYPE.list) {
      const element = this.byte()
      for (let left = this.i32(); left > 0 && !this.#isAtEnd(); left--) this.skip(element, depth + 1)
    } else {
      // Nobody knows how long it is: whatever follows is lost with it, and missed.
      this.#position = this.#bytes.length
    }
  }

  #isAtEnd(): boolean {
    return this.#position >= this.#bytes.length
  }

  #byteLength(): number {
    const length = this.i32()
    if (length < 0) throw new DecodeError('malformed', `Malformed: length ${length}`)
    return length
  }

  #advance(length: number): number {
    const start = this.#position
    const available = this.#bytes.length - start
    if (length > available) {
      throw new DecodeError('truncated', `Truncated: length ${length} > bytes available ${available}`)
    }
    this.#position += length
    return start
  }
}
