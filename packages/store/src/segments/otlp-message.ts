const LENGTH_DELIMITED = 2
const VARINT = 0
const CLIENT = 3

/** Parts of a request, encoded; attributes also as texts. */
export interface MessageParts {
  resource?: Uint8Array
  scope?: Uint8Array
  attributes?: (Uint8Array | { key: string; value: string })[]
  event?: Uint8Array
  link?: Uint8Array
}

/** An `ExportTraceServiceRequest` with one span that has these parts, for the model to say what they mean. */
export function encodeMessage({ resource, scope, attributes = [], event, link }: MessageParts): Buffer {
  const span = [
    field(1, Buffer.alloc(16, 1)),
    field(2, Buffer.alloc(8, 1)),
    Buffer.from([(6 << 3) | VARINT, CLIENT]),
    ...attributes.map(one => field(9, one instanceof Uint8Array ? one : encodeAttribute(one))),
    ...(event === undefined ? [] : [field(11, event)]),
    ...(link === undefined ? [] : [field(13, link)]),
  ]
  const scopeSpans = [...(scope === undefined ? [] : [field(1, scope)]), field(2, Buffer.concat(span))]
  const resourceSpans = [...(resource === undefined ? [] : [field(1, resource)]), field(2, Buffer.concat(scopeSpans))]
  return field(1, Buffer.concat(resourceSpans))
}

function encodeAttribute({ key, value }: { key: string; value: string }): Buffer {
  return Buffer.concat([field(1, Buffer.from(key)), field(2, field(1, Buffer.from(value)))])
}

function field(number: number, value: Uint8Array): Buffer {
  const head = [(number << 3) | LENGTH_DELIMITED]
  for (let rest = value.length; ; rest >>>= 7) {
    head.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) return Buffer.concat([Buffer.from(head), value])
  }
}
