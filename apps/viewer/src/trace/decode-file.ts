import type { Span } from '@hopscope/model'
import { decodeSpans } from './decode-spans.ts'
import { TRACE_SCRIPT } from './page-file.ts'

export interface DecodedFile {
  /** Of one trace: the largest of the file. */
  spans: Span[]
  /** Entries that were no spans. */
  unreadable: number
  /** Traces of the file beside the one that is shown. */
  otherTraces: number
}

/**
 * A file somebody opens → the spans of a trace: Zipkin JSON v2, OTLP JSON, Jaeger JSON, a page that was exported here; also
 * gzipped. Throws an Error in words for the user when it is none of these.
 */
export async function decodeFile(bytes: ArrayBuffer): Promise<DecodedFile> {
  const json = parseJson(extractJson(await readText(bytes)))
  const { spans, unreadable } = await decodeAny(json)
  const byTrace = Map.groupBy(spans, ({ traceId }) => traceId)
  const largest = [...byTrace.values()].reduce((most, trace) => (trace.length > most.length ? trace : most))
  return { spans: largest, unreadable, otherTraces: byTrace.size - 1 }
}

async function decodeAny(json: unknown): Promise<{ spans: Span[]; unreadable: number }> {
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json)
  if (!isObject) return decodeSpans(json)
  const formats = await import('@hopscope/model/formats')
  if ('resourceSpans' in json || 'resource_spans' in json) {
    const { spans, rejected, errorMessage } = formats.decodeOtlpJson(new TextEncoder().encode(JSON.stringify(json)))
    if (spans.length === 0) throw new Error(`OTLP JSON without a span that can be read: ${errorMessage || 'no spans'}`)
    return { spans, unreadable: rejected }
  }
  if ('data' in json || 'spans' in json) {
    const { spans, rejected } = formats.decodeJaegerJson(json)
    if (spans.length === 0) throw new Error('Jaeger JSON without a span that has a traceID and a spanID')
    return { spans, unreadable: rejected }
  }
  throw new Error(
    'Expected Zipkin JSON (a list of spans), OTLP JSON ({"resourceSpans": …}) or Jaeger JSON ({"data": …})',
  )
}

async function readText(bytes: ArrayBuffer): Promise<string> {
  const [first, second] = new Uint8Array(bytes)
  if (first !== 0x1f || second !== 0x8b) return new TextDecoder().decode(bytes)
  try {
    return await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text()
  } catch (error) {
    throw new Error(`Not gzip that can be read: ${(error as Error).message}`)
  }
}

/** The trace inside a page that was exported; any other text as it is. */
function extractJson(text: string): string {
  if (!/^\s*<!doctype html/i.test(text)) return text
  const from = text.indexOf(TRACE_SCRIPT)
  const to = text.indexOf('</script>', from)
  if (from < 0 || to < 0) throw new Error('An HTML page without a trace in it')
  return text.slice(from + TRACE_SCRIPT.length, to)
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`Not JSON: ${(error as Error).message}`)
  }
}
