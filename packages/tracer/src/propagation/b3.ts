/**
 * B3, multi and single header (https://github.com/openzipkin/b3-propagation), read as leniently and as strictly as Envoy reads
 * it: upper case and short ids are taken, a sampled flag that is neither `1` nor `true` is a no, one bad id makes it malformed.
 */
import type { TraceContext } from '../context.ts'
import type { Carrier } from './carrier.ts'
import { type Extraction, hex64, type Incoming } from './extraction.ts'

/** `b3` beats the `x-b3-*` headers; when it is malformed nobody falls back to them. */
export function extractB3(carrier: Carrier): Extraction {
  const single = carrier.get('b3')
  return single === undefined ? extractB3Multi(carrier) : extractB3Single(single)
}

/** `0`, `1`, `d`, `trace-span`, `trace-span-S`, `trace-span-S-parent`. */
function extractB3Single(text: string): Extraction {
  if (text.length === 1) {
    const decision = samplingFlag(text)
    return decision === undefined ? 'malformed' : { style: 'b3', ...decision }
  }
  const parts = text.split('-')
  if (parts.length < 2 || parts.length > 4) return 'malformed'
  const [trace, span, flag, parent] = parts as [string, string, string?, string?]
  if ((trace.length !== 16 && trace.length !== 32) || span.length !== 16) return 'malformed'
  const traceId = traceIdOf(trace)
  const spanId = hex64(span)
  if (traceId === undefined || spanId === undefined) return 'malformed'
  if (flag === undefined) return { style: 'b3', parent: { traceId, spanId }, debug: false }
  const decision = samplingFlag(flag)
  if (decision === undefined) return 'malformed'
  if (parent === undefined) return { style: 'b3', parent: { traceId, spanId }, ...decision }
  const parentId = parent.length === 16 ? hex64(parent) : undefined
  if (parentId === undefined) return 'malformed'
  return { style: 'b3', parent: { traceId, spanId, parentId }, ...decision }
}

function samplingFlag(flag: string): { sampled: boolean; debug: boolean } | undefined {
  if (flag === '1') return { sampled: true, debug: false }
  if (flag === '0') return { sampled: false, debug: false }
  if (flag === 'd') return { sampled: true, debug: true }
  return undefined
}

function extractB3Multi(carrier: Carrier): Extraction {
  const trace = carrier.get('x-b3-traceid')
  const span = carrier.get('x-b3-spanid')
  const flag = carrier.get('x-b3-sampled')
  const debug = carrier.get('x-b3-flags') === '1'
  const incoming: Incoming = { style: 'b3-multi', debug }
  if (flag !== undefined) incoming.sampled = flag === '1' || flag === 'true'
  if (trace === undefined || span === undefined) {
    // One id without the other is of no use: a decision for a new trace, or nothing.
    return flag === undefined && !debug ? 'none' : incoming
  }
  const traceId = traceIdOf(trace)
  const spanId = hex64(span)
  if (traceId === undefined || spanId === undefined) return 'malformed'
  incoming.parent = { traceId, spanId }
  const parent = carrier.get('x-b3-parentspanid')
  if (parent !== undefined && parent !== '') {
    const parentId = hex64(parent)
    if (parentId === undefined) return 'malformed'
    incoming.parent.parentId = parentId
  }
  return incoming
}

/** 1 to 16 digits are a 64-bit id, exactly 32 a 128-bit one; nothing between is an id. */
function traceIdOf(text: string): string | undefined {
  if (text.length !== 32) return hex64(text)
  const high = hex64(text.slice(0, 16))
  const low = hex64(text.slice(16))
  return high === undefined || low === undefined ? undefined : high + low
}

/** A parent id that stands there already stays when this context has none, as in Envoy. */
export function injectB3Multi(carrier: Carrier, context: TraceContext): void {
  carrier.set('x-b3-traceid', context.traceId)
  carrier.set('x-b3-spanid', context.spanId)
  if (context.parentId !== undefined) carrier.set('x-b3-parentspanid', context.parentId)
  if (context.debug) carrier.set('x-b3-flags', '1')
  else if (context.sampled !== undefined) carrier.set('x-b3-sampled', context.sampled ? '1' : '0')
}

/** Writes the header `b3`: `TRACEID-SPANID`, then `-1`, `-0` or `-d`, then the parent's id, as far as they are known. */
export function injectB3Single(carrier: Carrier, context: TraceContext): void {
  let value = `${context.traceId}-${context.spanId}`
  const flag = context.debug ? 'd' : context.sampled === undefined ? undefined : context.sampled ? '1' : '0'
  if (flag !== undefined) {
    value += `-${flag}`
    if (context.parentId !== undefined) value += `-${context.parentId}`
  }
  carrier.set('b3', value)
}
