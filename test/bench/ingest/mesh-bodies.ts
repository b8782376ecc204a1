import { encodeOtlp, encodeProto3, type Mark } from './encode-bodies.ts'
import { type MeshSpan, meshTrace, SERVICES, seeded } from './mesh-spans.ts'

/** How a body is written: Zipkin's JSON, Zipkin's protobuf, or OTLP's protobuf. */
export type BodyFormat = 'json' | 'proto3' | 'otlp'

/** What the reporters of a mesh send: lists of 100 spans, each of one service out of about fifty traces, not one trace a body. */
export interface MeshBody {
  bytes: Buffer
  spans: number
  /** Where the end of each trace, span and request id stands, and a hash of what stands before. */
  ids: { offset: number; salt: number; isText: boolean }[]
  /** Where times stand, how, and what they are. */
  times: Mark[]
}

const SPANS_PER_BODY = 100
const TEXT_MARK = Buffer.from('eeeeeeee')
const BYTES_MARK = Buffer.from('eeeeeeee', 'hex')
const START_KEY = '"timestamp":'

const ENCODERS: Record<BodyFormat, (spans: readonly MeshSpan[]) => { bytes: Buffer; times: Mark[] }> = {
  json: encodeJson,
  proto3: encodeProto3,
  otlp: encodeOtlp,
}

/** `count` bodies from one seed: the same bytes in every run. */
export function meshBodies(count: number, seed = 1, startMs = Date.now(), format: BodyFormat = 'json'): MeshBody[] {
  const random = seeded(seed)
  const perService = Array.from({ length: SERVICES }, () => [] as MeshSpan[])
  const bodies: MeshBody[] = []
  for (let trace = 0; bodies.length < count; trace++) {
    for (const span of meshTrace(random, trace, startMs)) {
      const waiting = perService[span.service]!
      waiting.push(span)
      if (waiting.length < SPANS_PER_BODY) continue
      const { bytes, times } = ENCODERS[format](waiting)
      bodies.push({ bytes, spans: SPANS_PER_BODY, ids: [...findIds(bytes, format)], times })
      perService[span.service] = []
    }
  }
  return bodies.slice(0, count)
}

function encodeJson(spans: readonly MeshSpan[]): { bytes: Buffer; times: Mark[] } {
  const bytes = Buffer.from(JSON.stringify(spans.map(({ json }) => json)))
  const times: Mark[] = []
  for (let at = bytes.indexOf(START_KEY); at !== -1; at = bytes.indexOf(START_KEY, at + 1)) {
    const offset = at + START_KEY.length
    times.push({ offset, form: 'text', value: Number(bytes.toString('latin1', offset, offset + 16)) })
  }
  return { bytes, times }
}

function* findIds(bytes: Buffer, format: BodyFormat): Generator<MeshBody['ids'][number]> {
  for (const isText of format === 'json' ? [true] : [true, false]) {
    const mark = isText ? TEXT_MARK : BYTES_MARK
    for (let offset = bytes.indexOf(mark); offset !== -1; offset = bytes.indexOf(mark, offset + mark.length)) {
      let salt = 0x811c9dc5
      for (let i = offset - mark.length; i < offset; i++) salt = Math.imul(salt ^ bytes[i]!, 0x01000193)
      yield { offset, salt: salt >>> 0, isText }
    }
  }
}

/** Two lower-hex characters of each byte. */
const HEX_FIRST = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0').charCodeAt(0))
const HEX_SECOND = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0').charCodeAt(1))

/**
 * Makes the body's traces new ones, `shift` µs later. An id gets the same new end in every body, and a random one as far as a
 * compressor can tell. Written byte by byte: what the generator burns, the server on the same cores does not have.
 */
export function renew({ bytes, ids, times }: MeshBody, epoch: number, shift = 0): void {
  for (const { offset, salt, isText } of ids) {
    const end = mix(salt ^ epoch)
    for (let i = 0; i < 4; i++) {
      const byte = (end >>> (24 - i * 8)) & 255
      if (isText) {
        bytes[offset + 2 * i] = HEX_FIRST[byte]!
        bytes[offset + 2 * i + 1] = HEX_SECOND[byte]!
      } else bytes[offset + i] = byte
    }
  }
  for (const { offset, form, value } of times) {
    if (form === 'text') {
      let rest = value + shift
      for (let at = offset + 15; at >= offset; at--) {
        const tens = Math.floor(rest / 10)
        bytes[at] = 48 + rest - tens * 10
        rest = tens
      }
    } else {
      const high = form === 'µs' ? value + shift : (value + shift) * 1000
      bytes.writeUInt32LE(high % 2 ** 32, offset)
      bytes.writeUInt32LE(Math.floor(high / 2 ** 32), offset + 4)
    }
  }
}

/** murmur3's finaliser */
function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
