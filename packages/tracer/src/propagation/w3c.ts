/** W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context/): `traceparent`. `tracestate` is passed on by who has the headers. */
import type { TraceContext } from '../context.ts'
import type { Carrier } from './carrier.ts'
import type { Extraction } from './extraction.ts'

const TRACEPARENT = /^[0-9a-fA-F]{2}-([0-9a-fA-F]{32})-([0-9a-fA-F]{16})-([0-9a-fA-F]{2})$/
const ZERO = /^0+$/

/** `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. Any version, as Envoy takes it. A zero id is malformed. */
export function extractW3c(carrier: Carrier): Extraction {
  const text = carrier.get('traceparent')
  if (text === undefined) return 'none'
  const match = TRACEPARENT.exec(text)
  if (match === null) return 'malformed'
  const traceId = match[1]!.toLowerCase()
  const spanId = match[2]!.toLowerCase()
  if (ZERO.test(traceId) || ZERO.test(spanId)) return 'malformed'
  const sampled = (Number.parseInt(match[3]!, 16) & 1) === 1
  return { style: 'w3c', parent: { traceId, spanId }, sampled, debug: false }
}

/** A 64-bit trace id is padded with zeros on the left. */
export function injectW3c(carrier: Carrier, context: TraceContext): void {
  const flags = context.sampled || context.debug ? '01' : '00'
  carrier.set('traceparent', `00-${context.traceId.padStart(32, '0')}-${context.spanId}-${flags}`)
}
