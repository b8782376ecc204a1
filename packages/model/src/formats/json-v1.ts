import type { Endpoint, Span } from '../span.ts'
import { DecodeError } from './decode-error.ts'
import { GsonReader } from './gson-reader.ts'
import { readEndpoint } from './json-v2.ts'
import { isAddressKey, type V1BinaryAnnotation, type V1Span, v1Id, v1TraceId, v2SpansOf } from './v1-span.ts'

const READING = ' reading List<Span> from json'
const ZEROS = '0000000000000000'

/**
 * A Zipkin v1 JSON list → v2 spans, normalised; of one v1 span, one for each service in it. All or nothing: throws
 * {@link DecodeError} with zipkin-server's text. Old clients send it, none sends much.
 */
export function decodeJsonV1(body: Uint8Array): Span[] {
  const reader = new GsonReader(new TextDecoder().decode(body))
  try {
    const spans: Span[] = []
    reader.beginArray()
    while (reader.hasNext()) spans.push(...v2SpansOf(readSpan(reader)))
    reader.endArray()
    return spans
  } catch (error) {
    if (error instanceof DecodeError) throw new DecodeError(error.code, error.message + READING)
    throw error
  }
}

function readSpan(reader: GsonReader): V1Span {
  let traceId: string | undefined
  let id: string | undefined
  const span: Omit<V1Span, 'traceId' | 'id'> = {
    parentId: undefined,
    name: undefined,
    timestamp: 0,
    duration: 0,
    annotations: [],
    binaryAnnotations: [],
    debug: false,
  }
  reader.beginObject()
  while (reader.hasNext()) {
    const field = reader.nextName()
    if (field === 'traceId') traceId = reader.nextString()
    else if (field === 'id') id = v1Id(reader.nextString())
    else if (reader.peek() === 'NULL') reader.skipValue()
    else if (field === 'parentId') {
      const parentId = v1Id(reader.nextString())
      span.parentId = parentId === ZEROS ? undefined : parentId
    } else if (field === 'name') span.name = reader.nextString()
    else if (field === 'timestamp') span.timestamp = reader.nextLong()
    else if (field === 'duration') span.duration = reader.nextLong()
    else if (field === 'annotations') readAnnotations(reader, span)
    else if (field === 'binaryAnnotations') readBinaryAnnotations(reader, span)
    else if (field === 'debug') span.debug = reader.nextBoolean() || span.debug
    else reader.skipValue()
    // Read where it stands, so that the first fault in the text is the one that is told; zero is a fault of the whole.
    if (field === 'traceId') v1Id(traceId!)
  }
  reader.endObject()
  if (traceId === undefined) throw new DecodeError('missing_id', 'traceId == 0')
  const normalised = v1TraceId(traceId)
  if (id === undefined || id === ZEROS) throw new DecodeError('missing_id', 'id == 0')
  return { traceId: normalised, id, ...span }
}

function readAnnotations(reader: GsonReader, { annotations }: Pick<V1Span, 'annotations'>): void {
  reader.beginArray()
  while (reader.hasNext()) {
    let timestamp: number | undefined
    let value: string | undefined
    let endpoint: Endpoint | undefined
    reader.beginObject()
    while (reader.hasNext()) {
      const field = reader.nextName()
      if (field === 'timestamp') timestamp = reader.nextLong()
      else if (field === 'value') value = reader.nextString()
      else if (field === 'endpoint' && reader.peek() !== 'NULL') endpoint = readEndpoint(reader)
      else reader.skipValue()
    }
    if (timestamp === undefined || value === undefined) {
      throw new DecodeError('incomplete_annotation', `Incomplete annotation at ${reader.path()}`)
    }
    reader.endObject()
    annotations.push({ timestamp, value, endpoint })
  }
  reader.endArray()
}

function readBinaryAnnotations(reader: GsonReader, { binaryAnnotations }: Pick<V1Span, 'binaryAnnotations'>): void {
  reader.beginArray()
  while (reader.hasNext()) {
    const annotation = readBinaryAnnotation(reader)
    if (annotation) binaryAnnotations.push(annotation)
  }
  reader.endArray()
}

/** Undefined when it is neither text nor the address of somebody. */
function readBinaryAnnotation(reader: GsonReader): V1BinaryAnnotation | undefined {
  let key: string | undefined
  let text: string | undefined
  let flag = false
  let endpoint: Endpoint | undefined
  reader.beginObject()
  while (reader.hasNext()) {
    const field = reader.nextName()
    const token = reader.peek()
    if (token === 'NULL') reader.skipValue()
    else if (field === 'key') key = reader.nextString()
    else if (field === 'value' && token === 'STRING') text = reader.nextString()
    else if (field === 'value' && token === 'BOOLEAN') flag = reader.nextBoolean()
    else if (field === 'endpoint') endpoint = readEndpoint(reader)
    else reader.skipValue()
  }
  if (key === undefined) throw new DecodeError('missing_key', `No key at ${reader.path()}`)
  reader.endObject()
  if (isAddressKey(key)) {
    return endpoint && (text !== undefined || flag) ? { key, value: undefined, endpoint } : undefined
  }
  return text === undefined ? undefined : { key, value: text, endpoint }
}
