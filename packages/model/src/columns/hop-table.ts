export const FORM = { paired: 0, phantom: 1, entry: 2, unproxiedCaller: 3, ambiguous: 4 } as const

/**
 * The hops of a trace as columns, one entry a hop, in reading order: a hop, then all below it. Spans and services are
 * numbers of the span table; -1 is "none", NaN "not known". See `Hop` for what each means.
 */
export interface HopTable {
  count: number
  form: Uint8Array
  /** The hop above; -1 at the top. */
  parent: Int32Array
  /** The call as the caller's side measured it. */
  call: Int32Array
  /** The last attempt as the callee's side measured it. */
  server: Int32Array
  caller: Int32Array
  callee: Int32Array
  /** µs; of the one attempt, NaN where there were several. */
  egressProxy: Float64Array
  /** Attempts of hop i: `attemptAt[i]` to `attemptAt[i + 1]`. */
  attemptAt: Int32Array
  attempts: AttemptTable
  /** Calls that the callee made because of hop i: `children[childAt[i]]` to `childAt[i + 1]`. */
  childAt: Int32Array
  children: Int32Array
  /** By span: the hop that it is folded into; -1 for local work above any hop. */
  hopOf: Int32Array
  /** Of ambiguous hops: which two readings there are. */
  why: ReadonlyMap<number, string>
}

export interface AttemptTable {
  count: number
  client: Int32Array
  server: Int32Array
  gapBefore: Float64Array
  wire: Float64Array
  ingressProxy: Float64Array
  app: Float64Array
}
