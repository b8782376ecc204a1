import type { MeshSpan } from './mesh-spans.ts'

/** A time that `renew` writes anew: 16 digits, or eight little-endian bytes of µs or ns. `value` is µs. */
export interface Mark {
  offset: number
  form: 'text' | 'µs' | 'ns'
  value: number
}

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2

/** Protobuf, as far as spans need it, written by hand: it must tell where the times stand. */
class Message {
  readonly parts: Buffer[] = []
  readonly times: Mark[] = []
  length = 0

  #append(bytes: Buffer): this {
    this.parts.push(bytes)
    this.length += bytes.length
    return this
  }

  #varint(value: number): this {
    const bytes: number[] = []
    for (let rest = value; ; rest = Math.floor(rest / 128)) {
      bytes.push(rest > 127 ? (rest % 128) | 0x80 : rest)
      if (rest <= 127) return this.#append(Buffer.from(bytes))
    }
  }

  #key(field: number, wireType: number): this {
    return this.#varint(field * 8 + wireType)
  }

  varint(field: number, value: number): this {
    return this.#key(field, VARINT).#varint(value)
  }

  bytes(field: number, value: Buffer): this {
    return this.#key(field, LENGTH_DELIMITED).#varint(value.length).#append(value)
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value))
  }

  time(field: number, form: 'µs' | 'ns', value: number): this {
    this.#key(field, FIXED64)
    this.times.push({ offset: this.length, form, value })
    return this.#append(Buffer.alloc(8))
  }

  message(field: number, nested: Message): this {
    this.#key(field, LENGTH_DELIMITED).#varint(nested.length)
    for (const time of nested.times) this.times.push({ ...time, offset: time.offset + this.length })
    for (const part of nested.parts) this.#append(part)
    return this
  }

  end(): { bytes: Buffer; times: Mark[] } {
    return { bytes: Buffer.concat(this.parts), times: this.times }
  }
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex')

/** zipkin.proto3.ListOfSpans */
export function encodeProto3(spans: readonly MeshSpan[]): { bytes: Buffer; times: Mark[] } {
  const list = new Message()
  for (const { json } of spans) {
    const { serviceName, ipv4, port } = json.localEndpoint
    const span = new Message().bytes(1, hex(json.traceId))
    if (json.parentId !== undefined) span.bytes(2, hex(json.parentId))
    span
      .bytes(3, hex(json.id))
      .varint(4, json.kind === 'CLIENT' ? 1 : 2)
      .text(5, json.name)
      .time(6, 'µs', json.timestamp)
      .varint(7, json.duration)
      .message(
        8,
        new Message()
          .text(1, serviceName)
          .bytes(2, Buffer.from(ipv4.split('.').map(Number)))
          .varint(4, port),
      )
    for (const [key, value] of Object.entries(json.tags)) span.message(11, new Message().text(1, key).text(2, value))
    if (json.shared) span.varint(13, 1)
    list.message(1, span)
  }
  return list.end()
}

/** ExportTraceServiceRequest: one resource, the service that reports; all its spans of one scope. */
export function encodeOtlp(spans: readonly MeshSpan[]): { bytes: Buffer; times: Mark[] } {
  const scope = new Message().message(1, new Message().text(1, 'mesh').text(2, '1.0'))
  for (const { json } of spans) {
    const isClient = json.kind === 'CLIENT'
    const parent = isClient ? json.parentId && serverHalf(json.parentId) : json.id
    const span = new Message().bytes(1, hex(json.traceId)).bytes(2, hex(isClient ? json.id : serverHalf(json.id)))
    if (parent !== undefined) span.bytes(4, hex(parent))
    span
      .text(5, json.name)
      .varint(6, isClient ? 3 : 2)
      .time(7, 'ns', json.timestamp)
      .time(8, 'ns', json.timestamp + json.duration)
    for (const [key, value] of Object.entries(json.tags)) span.message(9, attribute(key, value))
    scope.message(2, span)
  }
  const resource = new Message().message(1, attribute('service.name', spans[0]!.json.localEndpoint.serviceName))
  return new Message().message(1, new Message().message(1, resource).message(2, scope)).end()
}

/** OTLP does not share ids: the server's span is the client's child. */
function serverHalf(id: string): string {
  return (Number.parseInt(id[0]!, 16) ^ 8).toString(16) + id.slice(1)
}

function attribute(key: string, value: string): Message {
  return new Message().text(1, key).message(2, new Message().text(1, value))
}
