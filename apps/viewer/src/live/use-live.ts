import { useCallback, useEffect, useRef, useState } from 'react'
import { searchTraces } from '../api/search.ts'
import { openStream } from '../api/stream.ts'
import type { TraceItem } from '../api/trace-item.ts'
import { TraceRing } from './trace-ring.ts'

export interface Live {
  items: readonly TraceItem[]
  /** Older ones that made room, or that did not reach us. */
  dropped: number
  /** Arrived while it was paused, and not shown yet. */
  waiting: number
  isPaused: boolean
  /** Emptied by hand, and not because nothing came. */
  isCleared: boolean
  connection: 'connecting' | 'open' | 'lost'
  /** Traces that began in the last ten seconds, a second. */
  rate: number
}

/** What a person can look back on; the rest is a search away. */
const CAPACITY = 2_000
/** A screen shows changes ten times a second; a burst of a thousand traces is one change. */
const BATCH_MS = 100
const RATE_WINDOW = 10_000

const NOTHING: Live = {
  items: [],
  dropped: 0,
  waiting: 0,
  isPaused: false,
  isCleared: false,
  connection: 'connecting',
  rate: 0,
}

/** The traces of the last minutes, then new ones as they come. */
export function useLive(): [live: Live, act: { pause: () => void; resume: () => void; clear: () => void }] {
  const [live, setLive] = useState(NOTHING)
  const held = useRef({ ring: new TraceRing(CAPACITY), isPaused: false, waiting: new Set<string>() })

  useEffect(() => {
    const state = held.current
    const controller = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let connection: Live['connection'] = 'connecting'
    let shownAt = 0
    const show = () => {
      timer = undefined
      shownAt = performance.now()
      const items = state.ring.items()
      const recent = (Date.now() - RATE_WINDOW) * 1_000
      setLive(last => ({
        items: state.isPaused ? last.items : items,
        dropped: state.ring.dropped,
        waiting: state.waiting.size,
        isPaused: state.isPaused,
        isCleared: last.isCleared,
        connection,
        rate: items.filter(({ timestamp = 0 }) => timestamp > recent).length / (RATE_WINDOW / 1_000),
      }))
    }
    // At once after a pause, and then no more often than a batch takes.
    const schedule = () => {
      timer ??= setTimeout(show, Math.max(0, shownAt + BATCH_MS - performance.now()))
    }
    const stop = openStream({
      onTrace(item) {
        state.ring.put(item)
        if (state.isPaused) state.waiting.add(item.traceId)
        schedule()
      },
      onDropped(count) {
        state.ring.drop(count)
        schedule()
      },
      onOpen(isOpen) {
        connection = isOpen ? 'open' : 'lost'
        schedule()
      },
    })
    // What was there before; what the stream has told meanwhile is newer.
    searchTraces('', { kind: 'last', lookback: 5 * 60_000 }, undefined, controller.signal).then(
      ({ items }) => {
        const newer = state.ring.items().reverse()
        state.ring.clear()
        for (const item of items.toReversed()) state.ring.put(item)
        for (const item of newer) state.ring.put(item)
        schedule()
      },
      () => {
        // The stream says whether the collector is there.
      },
    )
    const beat = setInterval(schedule, 1_000)
    return () => {
      controller.abort()
      stop()
      clearTimeout(timer)
      clearInterval(beat)
    }
  }, [])

  const pause = useCallback(() => {
    held.current.isPaused = true
    setLive(last => ({ ...last, isPaused: true }))
  }, [])
  const resume = useCallback(() => {
    const state = held.current
    state.isPaused = false
    state.waiting.clear()
    setLive(last => ({ ...last, items: state.ring.items(), isPaused: false, waiting: 0 }))
  }, [])
  const clear = useCallback(() => {
    const state = held.current
    state.ring.clear()
    state.waiting.clear()
    setLive(last => ({ ...last, items: [], dropped: 0, waiting: 0, isCleared: true }))
  }, [])
  return [live, { pause, resume, clear }]
}
