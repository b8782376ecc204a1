/**
 * Reads spans from protobuf without the product's own code: field numbers from opentelemetry-proto's trace/v1/trace.proto and
 * zipkin-api's zipkin.proto. Times are µs, attributes and tags an object; a field that is not known here shows up under its number.
 */
type Fields = [number: number, value: Uint8Array | bigint][]

/** Of a zipkin.proto3.ListOfSpans. */
export function readZipkinSpans(bytes: Uint8Array): Record<string, unknown>[] {
  return messages(bytes, 1).map(([, span]) => readZipkinSpan(span))
}

function readZipkinSpan(bytes: Uint8Array): Record<string, unknown> {
  const tags: Record<string, string> = {}
  const span: Record<string, unknown> = { tags }
  const annotations: unknown[] = []
  for (const [number, value] of fieldsOf(bytes)) {
    if (number === 1) span.traceId = hex(value)
    else if (number === 2) span.parentId = hex(value)
    else if (number === 3) span.id = hex(value)
    else if (number === 5) span.name = textOf(value)
    else if (number === 6) span.timestamp = Number(value)
    else if (number === 7) span.duration = Number(value)
    else if (number === 8) {
      span.localEndpoint = fieldsOf(value as Uint8Array).map(([n, v]) => [n, n === 2 ? hex(v) : plain(v)])
    } else if (number === 10) {
      const fields = Object.fromEntries(fieldsOf(value as Uint8Array))
      annotations.push({ timestamp: Number(fields[1]), value: textOf(fields[2]!) })
    } else if (number === 11) tags[text(value as Uint8Array, 1)] = text(value as Uint8Array, 2)
    else span[`field ${number}`] = plain(value)
  }
  return { ...span, annotations }
}

/** Of an OTLP ExportTraceServiceRequest. */
export function readOtlpSpans(bytes: Uint8Array): Record<string, unknown>[] {
  const spans: Record<string, unknown>[] = []
  for (const [, resourceSpans] of messages(bytes, 1)) {
    const resource = messages(resourceSpans, 1).map(([, body]) => attributes(body, 1))[0]
    for (const [, scopeSpans] of messages(resourceSpans, 2)) {
      const scope = messages(scopeSpans, 1).map(([, body]) => [text(body, 1), text(body, 2)].join(' '))[0]
      for (const [, span] of messages(scopeSpans, 2)) spans.push({ resource, scope, ...readSpan(span) })
    }
  }
  return spans
}

function readSpan(bytes: Uint8Array): Record<string, unknown> {
  const span: Record<string, unknown> = { attributes: attributes(bytes, 9) }
  const annotations: unknown[] = []
  for (const [number, value] of fieldsOf(bytes)) {
    if (number === 1) span.traceId = hex(value)
    else if (number === 2) span.id = hex(value)
    else if (number === 3) span.traceState = textOf(value)
    else if (number === 4) span.parentId = hex(value)
    else if (number === 5) span.name = textOf(value)
    else if (number === 6) span.kind = Number(value)
    else if (number === 7) span.timestamp = micros(value)
    else if (number === 8) span.duration = micros(value)
    else if (number === 9) continue
    else if (number === 11) annotations.push(readEvent(value as Uint8Array))
    else if (number === 15)
      span.status = Object.fromEntries(fieldsOf(value as Uint8Array).map(([n, v]) => [n, plain(v)]))
    else span[`field ${number}`] = plain(value)
  }
  if (typeof span.duration === 'number') span.duration -= span.timestamp as number
  if (annotations.length > 0) span.annotations = annotations
  return span
}

function readEvent(bytes: Uint8Array): Record<string, unknown> {
  const event: Record<string, unknown> = {}
  for (const [number, value] of fieldsOf(bytes)) {
    if (number === 1) event.timestamp = micros(value)
    else if (number === 2) event.value = textOf(value)
    else event[`field ${number}`] = plain(value)
  }
  return event
}

function attributes(bytes: Uint8Array, number: number): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const [, pair] of messages(bytes, number)) {
    const key = text(pair, 1)
    const value = messages(pair, 2)[0]?.[1] ?? new Uint8Array()
    // A string value has the number 1; others show their number.
    const [kind, content] = fieldsOf(value)[0] ?? [1, new Uint8Array()]
    found[key] = kind === 1 ? textOf(content) : { [kind]: plain(content) }
  }
  return found
}

function messages(bytes: Uint8Array, number: number): [number, Uint8Array][] {
  return fieldsOf(bytes).filter(
    (field): field is [number, Uint8Array] => field[0] === number && typeof field[1] !== 'bigint',
  )
}

function text(bytes: Uint8Array, number: number): string {
  return messages(bytes, number).map(([, value]) => textOf(value))[0] ?? ''
}

function textOf(value: Uint8Array | bigint): string {
  return Buffer.from(value as Uint8Array).toString('utf8')
}

function hex(value: Uint8Array | bigint): string {
  return Buffer.from(value as Uint8Array).toString('hex')
}

function micros(value: Uint8Array | bigint): number {
  return Number((value as bigint) / 1000n)
}

function plain(value: Uint8Array | bigint): unknown {
  return typeof value === 'bigint' ? Number(value) : textOf(value)
}

function fieldsOf(bytes: Uint8Array): Fields {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fields: Fields = []
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = view[at++]
      if (byte === undefined) throw new Error('a varint is cut off')
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  while (at < view.length) {
    const key = Number(varint())
    const number = key >> 3
    const wire = key & 7
    if (wire === 0) fields.push([number, varint()])
    else if (wire === 1) {
      fields.push([number, view.readBigUInt64LE(at)])
      at += 8
    } else if (wire === 2) {
      const length = Number(varint())
      fields.push([number, view.subarray(at, at + length)])
      at += length
    } else if (wire === 5) {
      fields.push([number, BigInt(view.readUInt32LE(at))])
      at += 4
    } else throw new Error(`wire type ${wire} at byte ${at}`)
  }
  return fields
}
