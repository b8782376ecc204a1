import type { Span } from '@hopscope/model'

export const SPANS_PER_BATCH = 20
/** 2023 */
const START_US = 1_700_000_000_000_000

/** Batch number `batch`: what it holds follows from the number, so that what is read can be compared with what was sent. */
export function batchOf(batch: number): Span[] {
  return Array.from({ length: SPANS_PER_BATCH }, (_, i) => {
    const number = batch * SPANS_PER_BATCH + i + 1
    // Traces of ten spans, whose halves lie in neighbouring batches.
    const trace = Math.floor((number + SPANS_PER_BATCH / 2) / 10) + 1
    return {
      traceId: trace.toString(16).padStart(16, '0'),
      id: number.toString(16).padStart(16, '0'),
      kind: number % 2 === 0 ? 'CLIENT' : 'SERVER',
      name: `call ${number % 17}`,
      timestamp: START_US + number * 1000,
      duration: 1 + (number % 100),
      localEndpoint: { serviceName: `service-${number % 5}`, ipv4: '10.0.0.1', port: 80 },
      annotations: [{ timestamp: START_US + number * 1000, value: 'there' }],
      tags: Object.assign(Object.create(null), { number: String(number), same: 'in all' }),
    } as Span
  })
}
