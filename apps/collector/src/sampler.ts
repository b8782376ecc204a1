import type { IsSampled } from '@hopscope/store'

const MAX = 2n ** 63n - 1n

/**
 * Keeps a share of the traces, whole: the decision is a function of the low 64 bits of the trace id, so all spans of a
 * trace agree, and so do its 64-bit and 128-bit forms. Undefined: all are kept.
 * (zipkin CollectorSampler; it computes the boundary in 32-bit floats, and so do we)
 */
export function createSampler(rate: number): IsSampled | undefined {
  if (rate === 1) return undefined
  const float = Math.fround(Math.fround(2 ** 63) * Math.fround(rate))
  const boundary = float >= 2 ** 63 ? MAX : BigInt(Math.trunc(float))
  const mostHigh = Number(boundary >> 32n)
  const mostLow = Number(boundary & 0xffff_ffffn)
  return (high, low) => {
    // As a signed number, without its sign; the lowest number has none without, and counts as the highest.
    let magnitudeHigh = high
    let magnitudeLow = low
    if (high >= 2 ** 31) {
      magnitudeLow = -low >>> 0
      magnitudeHigh = (low === 0 ? -high : ~high) >>> 0
      if (magnitudeHigh === 2 ** 31) {
        magnitudeHigh = 2 ** 31 - 1
        magnitudeLow = 2 ** 32 - 1
      }
    }
    return magnitudeHigh < mostHigh || (magnitudeHigh === mostHigh && magnitudeLow <= mostLow)
  }
}
