import { useImperativeHandle, useLayoutEffect, useRef } from 'react'
import { onThemeChange } from '../shared/theme.ts'
import { type GridData, type GridEvents, TraceGrid } from './trace-grid.ts'
import type { ViewProps } from './view-props.ts'

export interface TimelineHandle {
  focus(): void
}

/** React's hold on the grid: properties in, events out. The rows are not React's. */
export function Timeline(props: ViewProps & { data: GridData; ref: React.Ref<TimelineHandle> }) {
  const element = useRef<HTMLDivElement>(null)
  const grid = useRef<TraceGrid>(undefined)
  const events = useRef<GridEvents>(props)
  const shown = useRef<string>(undefined)
  events.current = props
  useImperativeHandle(props.ref, () => ({ focus: () => grid.current?.focus() }), [])

  // Before the browser paints: rows come in the same frame as what is around them.
  useLayoutEffect(() => {
    const created = new TraceGrid(element.current!, {
      onSelect: row => events.current.onSelect(row),
      onRange: range => events.current.onRange(range),
      takeKey: key => events.current.takeKey(key),
    })
    grid.current = created
    shown.current = undefined
    const stop = onThemeChange(() => created.refreshTheme())
    return () => {
      stop()
      created.destroy()
      grid.current = undefined
    }
  }, [])
  useLayoutEffect(() => {
    if (shown.current === props.data.key) grid.current?.grow(props.data)
    else grid.current?.show(props.data)
    shown.current = props.data.key
  }, [props.data])
  useLayoutEffect(() => grid.current?.setRange(props.range), [props.range])
  useLayoutEffect(() => grid.current?.setCriticalShown(props.isCriticalShown), [props.isCriticalShown])
  useLayoutEffect(() => grid.current?.setMatches(props.matches, props.isFiltered), [props.matches, props.isFiltered])
  // other data has other row numbers, so it is selected anew
  useLayoutEffect(() => grid.current?.select(props.selected), [props.selected, props.data])
  return <div ref={element} className="grid" />
}
