import { hopsFromTrace } from './hop.ts'
import { countHops, type HopFacts } from './hop-facts.ts'
import type { Span } from './span.ts'
import { summariseTrace, type TraceSummary } from './summary.ts'

/** A trace as lists and streams show it: its summary, and the facts of its calls. */
export type ListedTrace = TraceSummary & HopFacts

/** A trace as lists show it: its summary, and what its hops come to. */
export function listTrace(spans: readonly Span[]): ListedTrace {
  return { ...summariseTrace(spans), ...countHops(hopsFromTrace(spans)) }
}
