import { type FocusEvent, type PointerEvent, useCallback, useMemo, useState } from 'react'
import type { TraceItem } from '../api/trace-item.ts'

export interface Hold {
  /** Traces that are not in the list because it is held. */
  newer: number
  release: () => void
  /** For the element around the list. */
  watch: {
    onPointerEnter: (event: PointerEvent) => void
    onPointerLeave: () => void
    onFocus: () => void
    onBlur: (event: FocusEvent<HTMLElement>) => void
  }
}

/** Keeps a list as it is while the pointer or the focus is in it: rows must not move away under who is about to choose one. */
export function useHeld(items: readonly TraceItem[]): [listed: readonly TraceItem[], hold: Hold] {
  const [held, setHeld] = useState<readonly TraceItem[]>()
  const [isPointed, setPointed] = useState(false)
  const release = useCallback(() => setHeld(undefined), [])
  const newer = useMemo(() => (held ? countNewer(items, held) : 0), [items, held])
  const watch = {
    onPointerEnter(event: PointerEvent) {
      // A finger is on the list while it scrolls, and never over it.
      if (event.pointerType !== 'mouse') return
      setPointed(true)
      setHeld(last => last ?? items)
    },
    onPointerLeave() {
      setPointed(false)
      if (!document.activeElement?.closest('.trace-row')) setHeld(undefined)
    },
    onFocus: () => setHeld(last => last ?? items),
    onBlur(event: FocusEvent<HTMLElement>) {
      if (!isPointed && !event.currentTarget.contains(event.relatedTarget)) setHeld(undefined)
    },
  }
  // Nothing of it is left: it was cleared, or other traces were picked.
  const isStale = held !== undefined && items.length === 0
  return [held && !isStale ? held : items, { newer: isStale ? 0 : newer, release, watch }]
}

/** Of a list, newest first: how many are not in another. */
export function countNewer(items: readonly TraceItem[], held: readonly TraceItem[]): number {
  const known = new Set(held.map(({ traceId }) => traceId))
  return items.reduce((count, { traceId }) => (known.has(traceId) ? count : count + 1), 0)
}
