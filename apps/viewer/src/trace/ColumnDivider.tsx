import { type KeyboardEvent, type PointerEvent, useLayoutEffect, useRef, useState } from 'react'

/** Per cent of the timeline's width. */
const MIN = 12
const MAX = 75
const STEP = 2
/** About what `--label-width` is in trace.css. */
const USUAL = 36

/** What was chosen holds for the next trace too, until the page is loaded anew. */
let chosen: number | undefined

/** Between names and bars: a drag, or the arrows, gives one of them more room; a double click undoes it. */
export function ColumnDivider() {
  const element = useRef<HTMLHRElement>(null)
  const [share, setShare] = useState(chosen)
  const choose = (next: number | undefined) => {
    chosen = next === undefined ? undefined : Math.max(MIN, Math.min(MAX, next))
    setShare(chosen)
  }
  useLayoutEffect(() => {
    const { style } = element.current!.parentElement!
    if (share === undefined) style.removeProperty('--label-width')
    else style.setProperty('--label-width', `${share}cqi`)
  }, [share])

  const shareAt = (clientX: number) => {
    const { left, width } = element.current!.parentElement!.getBoundingClientRect()
    return ((clientX - left) / width) * 100
  }
  const onMove = (event: PointerEvent) => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) choose(shareAt(event.clientX))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowLeft' ? -STEP : event.key === 'ArrowRight' ? STEP : 0
    if (step === 0) return
    event.preventDefault()
    choose(shareAt(element.current!.getBoundingClientRect().right) + step)
  }
  return (
    <hr
      ref={element}
      className="divider"
      tabIndex={0}
      aria-label="Room for names"
      aria-orientation="vertical"
      aria-valuenow={Math.round(share ?? USUAL)}
      aria-valuemin={MIN}
      aria-valuemax={MAX}
      title="Drag for longer names; double click: as before"
      onPointerDown={event => event.button === 0 && event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={onMove}
      onDoubleClick={() => choose(undefined)}
      onKeyDown={onKeyDown}
    />
  )
}
