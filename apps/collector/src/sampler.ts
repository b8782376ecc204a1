import type { Span } from '@hopscope/model'

const MAX = 2n ** 63n - 1n

/**
 * Keeps a share of the traces, whole: the decision is a function of the low 64 bits of the trace id, so all spans of a
 * trace agree, and so do its 64-bit and 128-bit forms. Debug spans always pass.
 * (zipkin CollectorSampler; it computes the boundary in 32-bit floats, and so do we)
 */
export function createSampler(rate: number): (span: Span) => boolean {
  if (rate === 1) return () => true
  const float = Math.fround(Math.fround(2 ** 63) * Math.fround(rate))
  const boundary = float >= 2 ** 63 ? MAX : BigInt(Math.trunc(float))
  return span => {
    if (span.debug) return true
    const signed = BigInt.asIntN(64, BigInt(`0x${span.traceId.slice(-16)}`))
    const magnitude = signed === -(2n ** 63n) ? MAX : signed < 0n ? -signed : signed
    return magnitude <= boundary
  }
}
