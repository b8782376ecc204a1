import { parseIp } from '../ip.ts'
import { normaliseEndpoint, normaliseSpan } from '../normalise-span.ts'
import type { Endpoint, Kind, Span } from '../span.ts'
import { DecodeError } from './decode-error.ts'

type Fields = Record<string, unknown>

const KINDS: Record<string, Kind> = {
  client: 'CLIENT',
  server: 'SERVER',
  producer: 'PRODUCER',
  consumer: 'CONSUMER',
}
const HEX = /^[0-9a-f]+$/

/**
 * Jaeger's JSON, as its UI saves a trace and its query API answers (`{"data": [{"traceID", "spans", "processes"}]}`, or one
 * of those traces) → Zipkin spans. Lenient: a field of the wrong type counts as absent, a span without ids is left out and
 * counted. Throws {@link DecodeError} when it is not such a document.
 */
export function decodeJaegerJson(json: unknown): { spans: Span[]; rejected: number } {
  const traces = isRecord(json) && Array.isArray(json.data) ? json.data : [json]
  const spans: Span[] = []
  let rejected = 0
  for (const [i, trace] of traces.entries()) {
    if (!isRecord(trace) || !Array.isArray(trace.spans)) {
      throw new DecodeError('wrong_type', `Jaeger JSON: data[${i}]: expected a trace with a list of spans`)
    }
    const processes = isRecord(trace.processes) ? trace.processes : {}
    for (const entry of trace.spans) {
      const span = isRecord(entry) ? toSpan(entry, processes) : undefined
      if (span) spans.push(span)
      else rejected++
    }
  }
  return { spans, rejected }
}

function toSpan(raw: Fields, processes: Fields): Span | undefined {
  const traceId = idOf(raw.traceID, 32)
  const id = idOf(raw.spanID, 16)
  if (!traceId || !id) return undefined
  const tags = readTags(raw.tags)
  const kind = KINDS[tags['span.kind']?.toLowerCase() ?? '']
  delete tags['span.kind']
  // To Zipkin a tag `error` of any value is a failure.
  if (tags.error === 'false') delete tags.error
  const process = isRecord(raw.process) ? raw.process : processes[String(raw.processID)]
  const { localEndpoint, processTags } = readProcess(process)
  const peer = tags['peer.service']
  return normaliseSpan({
    traceId,
    id,
    parentId: parentOf(raw, traceId),
    kind,
    name: typeof raw.operationName === 'string' ? raw.operationName : undefined,
    timestamp: positive(raw.startTime),
    duration: positive(raw.duration),
    localEndpoint,
    remoteEndpoint: peer ? normaliseEndpoint({ serviceName: peer }) : undefined,
    annotations: readLogs(raw.logs),
    // The span's own win, as they are nearer.
    tags: { ...processTags, ...tags },
  })
}

/** The span that it is a child of, else the one that it follows from; older files name it in a field. */
function parentOf(raw: Fields, traceId: string): string | undefined {
  const references = (Array.isArray(raw.references) ? raw.references : []).filter(
    (reference): reference is Fields => isRecord(reference) && idOf(reference.traceID, 32) === traceId,
  )
  const nearest = references.find(({ refType }) => refType === 'CHILD_OF') ?? references[0]
  return idOf(nearest?.spanID ?? raw.parentSpanID, 16)
}

function readProcess(process: unknown): { localEndpoint: Endpoint | undefined; processTags: Record<string, string> } {
  if (!isRecord(process)) return { localEndpoint: undefined, processTags: {} }
  const { ip, ...processTags } = readTags(process.tags)
  const serviceName = typeof process.serviceName === 'string' ? process.serviceName : undefined
  const address = ip === undefined ? undefined : parseIp(ip)
  return {
    localEndpoint: normaliseEndpoint({ ...(serviceName ? { serviceName } : {}), ...address }),
    processTags: processTags as Record<string, string>,
  }
}

function readTags(list: unknown): Record<string, string> {
  const tags: Record<string, string> = Object.create(null)
  for (const tag of Array.isArray(list) ? list : []) {
    if (isRecord(tag) && typeof tag.key === 'string') tags[tag.key] = textOf(tag.value)
  }
  return tags
}

/** A log of one field is its text, one of several their JSON. */
function readLogs(list: unknown): { timestamp: number; value: string }[] {
  const annotations: { timestamp: number; value: string }[] = []
  for (const log of Array.isArray(list) ? list : []) {
    const timestamp = isRecord(log) ? positive(log.timestamp) : undefined
    if (!isRecord(log) || timestamp === undefined) continue
    const fields = Object.entries(readTags(log.fields))
    if (fields.length === 0) continue
    annotations.push({
      timestamp,
      value: fields.length === 1 ? fields[0]![1] : JSON.stringify(Object.fromEntries(fields)),
    })
  }
  return annotations
}

/** Lower hex with its leading zeros, which Jaeger leaves out. */
function idOf(value: unknown, most: 16 | 32): string | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.toLowerCase()
  if (!HEX.test(text) || text.length > most || /^0+$/.test(text)) return undefined
  return text.padStart(text.length > 16 ? 32 : 16, '0')
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? Math.round(value) : undefined
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
