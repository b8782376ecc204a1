import { useSyncExternalStore } from 'react'
import { fetchTrace } from '../api/queries.ts'
import type { TraceItem } from '../api/trace-item.ts'
import { navigate } from '../shared/navigation.ts'

/** The tour that somebody is on; kept over pages. */
export interface Tour {
  step: number
  text: string
  isOpening: boolean
  /** The traces that it was begun with: a step back shows the same again. They become more only while a step waits for some. */
  items: readonly TraceItem[]
}

let tour: Tour | undefined
const listeners = new Set<() => void>()

export function useTour(): Tour | undefined {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => tour,
  )
}

export async function openStep(step: number, items: readonly TraceItem[]): Promise<void> {
  const opening: Tour = { step, text: '', isOpening: true, items }
  put(opening)
  try {
    // Only who is on the tour loads it.
    const { TOUR } = await import('./tour-steps.ts')
    const { route, text } = await TOUR[step]!.open(items, traceId => fetchTrace(traceId))
    // Meanwhile somebody may have gone on, or ended it.
    if (tour !== opening) return
    put({ step, text, isOpening: false, items })
    navigate(route)
  } catch (error) {
    if (tour === opening) put({ ...opening, isOpening: false, text: `This step fails: ${(error as Error).message}` })
  }
}

/** The last traces of the mesh, beside those that the tour has: one that began early waits for the first retry, too. */
export async function lookAgain(signal: AbortSignal): Promise<void> {
  const { searchTraces } = await import('../api/search.ts')
  const { items } = await searchTraces('', { kind: 'last', lookback: 5 * 60_000 }, undefined, signal)
  if (!tour || tour.isOpening || signal.aborted) return
  const known = new Map([...tour.items, ...items].map(item => [item.traceId, item]))
  put({ ...tour, items: [...known.values()] })
}

export function endTour(): void {
  put(undefined)
}

function put(next: Tour | undefined): void {
  tour = next
  for (const listener of listeners) listener()
}
