import { type RefObject, useEffect, useState } from 'react'

export interface VisibleRows {
  from: number
  to: number
}

/** Rows drawn above and below what is on screen, so that a quick scroll meets no gap. */
const OVERSCAN = 8

/**
 * The rows [from, to) of equal height that a scrolling box shows. Only they are in the document, so a list of ten
 * thousand is as fast as one of ten.
 */
export function useVisibleRows(box: RefObject<HTMLElement | null>, count: number, rowHeight: number): VisibleRows {
  const [rows, setRows] = useState<VisibleRows>({ from: 0, to: Math.min(count, 40) })
  useEffect(() => {
    const element = box.current
    if (!element) return
    let frame = 0
    const measure = () => {
      frame = 0
      const next = visibleRows(element.scrollTop, element.clientHeight, count, rowHeight)
      setRows(last => (last.from === next.from && last.to === next.to ? last : next))
    }
    const schedule = () => {
      frame ||= requestAnimationFrame(measure)
    }
    measure()
    element.addEventListener('scroll', schedule, { passive: true })
    const resize = new ResizeObserver(schedule)
    resize.observe(element)
    return () => {
      cancelAnimationFrame(frame)
      element.removeEventListener('scroll', schedule)
      resize.disconnect()
    }
  }, [box, count, rowHeight])
  return { from: Math.min(rows.from, count), to: Math.min(rows.to, count) }
}

export function visibleRows(scrollTop: number, height: number, count: number, rowHeight: number): VisibleRows {
  const first = Math.floor(scrollTop / rowHeight)
  const last = Math.ceil((scrollTop + height) / rowHeight)
  return { from: Math.max(0, Math.min(count, first - OVERSCAN)), to: Math.max(0, Math.min(count, last + OVERSCAN)) }
}
