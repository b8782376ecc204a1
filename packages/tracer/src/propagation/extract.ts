import { extractB3 } from './b3.ts'
import type { Carrier } from './carrier.ts'
import type { Extraction } from './extraction.ts'
import { extractW3c } from './w3c.ts'

/**
 * Who wins: the single `b3`, then `x-b3-*`, then (when asked for) `traceparent`. A malformed B3 is malformed, a malformed
 * traceparent is nothing. Ids of a traceparent come with its own flag, even when there is an `x-b3-sampled` without ids.
 */
export function extract(carrier: Carrier, accept: { w3c: boolean }): Extraction {
  const b3 = extractB3(carrier)
  if (!accept.w3c || b3 === 'malformed' || (b3 !== 'none' && (b3.style === 'b3' || b3.parent !== undefined))) return b3
  const w3c = extractW3c(carrier)
  return w3c === 'malformed' || w3c === 'none' ? b3 : w3c
}
