/** How long a read may hold the thread that also ingests, ms. */
const SLICE_MS = 8

/**
 * Long reads share their thread with ingest: they call this between traces. It gives way to the event loop now and
 * then, and ends the read when its caller has given up (rejects with the signal's reason).
 */
export function pacer(signal: AbortSignal | undefined): () => Promise<void> | undefined {
  let until = performance.now() + SLICE_MS
  return () => {
    if (performance.now() < until) return undefined
    return new Promise((resolve, reject) =>
      setImmediate(() => {
        until = performance.now() + SLICE_MS
        if (signal?.aborted) reject(signal.reason)
        else resolve()
      }),
    )
  }
}
