import { useCallback, useEffect, useState } from 'react'
import { ApiError } from '../api/get-json.ts'

export type Fetched<T> =
  | { state: 'loading'; data?: T }
  | { state: 'done'; data: T }
  | { state: 'failed'; error: ApiError; data?: T }

/**
 * Asks whenever `key` changes, and on `refresh`. While it asks again for the same key the last answer stays; an answer
 * that is overtaken is dropped. A `key` of undefined asks for nothing.
 */
export function useFetch<T>(
  key: string | undefined,
  ask: (signal: AbortSignal) => Promise<T>,
): [fetched: Fetched<T>, refresh: () => void] {
  const [round, setRound] = useState(0)
  const [held, setHeld] = useState<{ key: string | undefined; fetched: Fetched<T> }>({
    key: undefined,
    fetched: { state: 'loading' },
  })

  // `key` stands for what `ask` closes over
  useEffect(() => {
    if (key === undefined) return
    const controller = new AbortController()
    setHeld(last => ({
      key,
      fetched:
        last.key === key && last.fetched.data !== undefined
          ? { state: 'loading', data: last.fetched.data }
          : { state: 'loading' },
    }))
    ask(controller.signal).then(
      data => {
        if (!controller.signal.aborted) setHeld({ key, fetched: { state: 'done', data } })
      },
      (error: unknown) => {
        if (controller.signal.aborted) return
        const apiError = error instanceof ApiError ? error : new ApiError(String((error as Error).message ?? error))
        setHeld({ key, fetched: { state: 'failed', error: apiError } })
      },
    )
    return () => controller.abort()
  }, [key, round])

  const refresh = useCallback(() => setRound(n => n + 1), [])
  return [held.key === key ? held.fetched : { state: 'loading' }, refresh]
}
