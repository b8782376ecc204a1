/** First come, first served: at most `size` holders, the others wait. */
export interface Lock {
  /** Resolves with the release; rejects with the signal's reason when the caller stops waiting. */
  acquire(signal: AbortSignal): Promise<() => void>
}

export function createLock(size: number): Lock {
  if (size === 0) return { acquire: async () => () => {} }

  let free = size
  const waiting = new Set<() => void>()
  const release = () => {
    const [next] = waiting
    if (next === undefined) free++
    else next()
  }
  return {
    acquire(signal) {
      if (free > 0) {
        free--
        return Promise.resolve(release)
      }
      return new Promise((resolve, reject) => {
        const enter = () => {
          waiting.delete(enter)
          signal.removeEventListener('abort', leave)
          resolve(release)
        }
        const leave = () => {
          waiting.delete(enter)
          reject(signal.reason)
        }
        waiting.add(enter)
        signal.addEventListener('abort', leave, { once: true })
      })
    },
  }
}
