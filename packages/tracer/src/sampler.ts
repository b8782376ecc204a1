/** Decides for a trace that begins here. */
export type Sampler = (traceId: string) => boolean

/**
 * That share of the traces, 0..1. The decision hangs on the trace id alone, so that everyone with the same rate decides alike.
 * The low 32 bits are random in every kind of id (the high ones may hold a time).
 */
export function rateSampler(rate: number): Sampler {
  if (!(rate >= 0 && rate <= 1)) throw new RangeError(`a sampling rate is between 0 and 1, not ${rate}`)
  const bound = rate * 0x1_0000_0000
  return traceId => Number.parseInt(traceId.slice(-8), 16) < bound
}
