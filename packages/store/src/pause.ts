/** How long a read may hold the thread that also ingests, ms. */
const SLICE_MS = 8

/** Undefined: go on at once. */
export type Pause = () => Promise<void> | undefined

/**
 * Long reads share their thread with ingest: they call this between traces. It gives way to the event loop now and
 * then, and ends the read when its caller has given up (rejects with the signal's reason).
 */
export function pacer(signal: AbortSignal | undefined): Pause {
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

/** As `promise`; rejects with the signal's reason when that comes first. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
