// biome-ignore-all lint/a11y/useFocusableInteractive: the grid is one tab stop
// biome-ignore-all lint/a11y/useSemanticElements: only the rows on screen are there, each in its place; a table's could not be
import '../styles/trace-views.css'
import { type KeyboardEvent, useMemo, useRef, useState } from 'react'
import { formatDuration } from '../shared/duration.ts'
import { serviceColour } from '../shared/service-colour.ts'
import { useVisibleRows } from '../shared/use-visible-rows.ts'
import { FLAG } from './columns.ts'
import { criticalTimes, selfTimes, sortRows, type TableColumn } from './table-rows.ts'
import type { ViewProps } from './view-props.ts'

const ROW = 28
const HEADS: readonly (readonly [TableColumn, string, isNumber: boolean])[] = [
  ['order', '#', true],
  ['service', 'Service', false],
  ['name', 'Name', false],
  ['start', 'Start', true],
  ['duration', 'Duration', true],
  ['self', 'Own time', true],
  ['critical', 'On critical path', true],
  ['note', 'Status', false],
]

/** The rows as a table, sorted by any column: what took longest, by itself, is one click away. */
export function TableView(props: ViewProps) {
  const { columns, strings, selected, matches } = props
  const [order, setOrder] = useState<{ by: TableColumn; isDescending: boolean }>({ by: 'self', isDescending: true })
  const times = useMemo(() => ({ self: selfTimes(columns), critical: criticalTimes(columns) }), [columns])
  const sorted = useMemo(
    () => sortRows(columns, strings, order.by, order.isDescending, times),
    [columns, strings, order, times],
  )
  const rows = useMemo(() => (matches ? sorted.filter(row => matches[row] === 1) : sorted), [sorted, matches])
  const box = useRef<HTMLDivElement>(null)
  const { from, to } = useVisibleRows(box, rows.length, ROW)

  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLButtonElement) return
    const at = rows.indexOf(selected)
    const page = Math.max(1, Math.floor(box.current!.clientHeight / ROW) - 2)
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      j: at + 1,
      ArrowUp: at - 1,
      k: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    }
    const wanted = steps[event.key]
    if (wanted !== undefined && rows.length > 0) {
      const next = Math.max(0, Math.min(rows.length - 1, wanted))
      props.onSelect(rows[next]!)
      const element = box.current!
      if (next * ROW < element.scrollTop) element.scrollTop = next * ROW
      else if ((next + 2) * ROW > element.scrollTop + element.clientHeight)
        element.scrollTop = (next + 2) * ROW - element.clientHeight
    } else if (!props.takeKey(event.key)) return
    event.preventDefault()
  }
  return (
    <div
      ref={box}
      className="span-table"
      role="grid"
      aria-label="Rows of the trace as a table"
      aria-rowcount={rows.length + 1}
      tabIndex={0}
      onKeyDown={onKey}
    >
      <div className="table-head" role="row" tabIndex={-1}>
        {HEADS.map(([column, title, isNumber]) => (
          <div
            key={column}
            role="columnheader"
            tabIndex={-1}
            className={isNumber ? 'number' : column}
            aria-sort={order.by === column ? (order.isDescending ? 'descending' : 'ascending') : 'none'}
          >
            <button
              type="button"
              className="plain"
              onClick={() =>
                setOrder(last => ({
                  by: column,
                  isDescending:
                    last.by === column ? !last.isDescending : isNumber && column !== 'order' && column !== 'start',
                }))
              }
            >
              {title}
              {order.by === column && <span aria-hidden="true">{order.isDescending ? ' ↓' : ' ↑'}</span>}
            </button>
          </div>
        ))}
      </div>
      <div className="table-body" role="rowgroup" style={{ height: Math.max(ROW, rows.length * ROW) }}>
        {Array.from(rows.subarray(from, to), (row, i) => {
          const position = from + i
          const flags = columns.flags[row]!
          const classes = ['table-row']
          if (flags & FLAG.error) classes.push('failed')
          if (row === selected) classes.push('selected')
          if (position % 2 === 1) classes.push('odd')
          const peer = columns.peer[row]! < 0 ? '' : ` → ${strings[columns.peer[row]!]}`
          const service = strings[columns.service[row]!]!
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the grid takes the keys
            <div
              key={row}
              role="row"
              tabIndex={-1}
              aria-rowindex={position + 2}
              aria-selected={row === selected}
              className={classes.join(' ')}
              style={{ transform: `translateY(${position * ROW}px)` }}
              onClick={() => props.onSelect(row)}
            >
              <Cell isNumber>{row + 1}</Cell>
              <Cell name="service">
                <span
                  className="swatch"
                  style={{ ['--swatch' as string]: serviceColour(service) }}
                  aria-hidden="true"
                />
                {service}
                {peer}
              </Cell>
              <Cell name="name">{strings[columns.name[row]!]}</Cell>
              <Cell isNumber>{formatDuration(columns.start[row]!)}</Cell>
              <Cell isNumber>{flags & FLAG.noDuration ? 'unfinished' : formatDuration(columns.duration[row]!)}</Cell>
              <Cell isNumber>{formatDuration(times.self[row]!)}</Cell>
              <Cell isNumber>{times.critical[row]! > 0 ? formatDuration(times.critical[row]!) : '–'}</Cell>
              <Cell name="note">
                {flags & FLAG.error ? '✕ ' : ''}
                {columns.note[row]! < 0 ? '' : strings[columns.note[row]!]}
              </Cell>
            </div>
          )
        })}
      </div>
    </div>
  )
}

function Cell({ children, isNumber, name }: { children: React.ReactNode; isNumber?: true; name?: string }) {
  return (
    <div role="gridcell" className={isNumber ? 'number' : name}>
      {children}
    </div>
  )
}
