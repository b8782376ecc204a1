import type { OpenTelemetrySampler } from '@hopscope/envoy-config'

/** Whether a trace is recorded. `parent`: what a caller decided; undefined on a root. */
export type OpenTelemetrySampling = (traceId: string, parent: boolean | undefined) => boolean

/** A sampler of Envoy's OpenTelemetry tracer. It decides on what Envoy's own decision lets through. */
export function compileSampler(sampler: OpenTelemetrySampler): OpenTelemetrySampling {
  switch (sampler.type) {
    case 'always_on':
      return () => true
    case 'parent_based': {
      const wrapped = compileSampler(sampler.wrapped)
      return (traceId, parent) => parent ?? wrapped(traceId, undefined)
    }
    case 'trace_id_ratio_based': {
      const { numerator, denominator } = sampler.percentage
      return traceId => isBelow(traceId, numerator / denominator)
    }
  }
}

/** Everyone with the same ratio decides alike: by the last eight bytes of the trace id. */
function isBelow(traceId: string, ratio: number): boolean {
  if (ratio >= 1) return true
  if (ratio <= 0) return false
  return Number(BigInt(`0x${traceId.slice(16)}`)) / 2 ** 64 < ratio
}
