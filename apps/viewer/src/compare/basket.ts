import { useSyncExternalStore } from 'react'
import type { TraceItem } from '../api/trace-item.ts'

/** The first of two traces that are to be compared; kept while its reader looks for the second. */
let first: TraceItem | undefined
const listeners = new Set<() => void>()

export function useBasket(): TraceItem | undefined {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => first,
  )
}

export function putIntoBasket(item: TraceItem | undefined): void {
  first = item
  for (const listener of listeners) listener()
}
