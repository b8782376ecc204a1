import { formatDuration } from '../shared/duration.ts'
import type { RowColumns } from './columns.ts'
import { type KeyedGrid, takeGridKey } from './grid-keys.ts'
import { indexOfSelection, type PackedIds, selectionOf } from './packed-ids.ts'
import { type Palette, paintBackground, paintRow, ROW_HEIGHT, readPalette } from './painter.ts'
import { RowSlot } from './row-slot.ts'
import { errorsBelow, hasChildren, positionOf, reveal, rowOfSpan, visibleRows, withAncestors } from './rows.ts'
import { pan, type Range, ticks, toPixels, toTime, zoomAt } from './time-axis.ts'
import { TimeDrag } from './time-drag.ts'

const HEAD_HEIGHT = 30
/** Browsers cut elements off near 17 million pixels; beyond this, scrolling is in proportion. */
const MAX_BODY_HEIGHT = 12_000_000
/** More collapsed rows than this are not looked for again when a trace grows. */
const MAX_KEPT = 500
/** Room for `9.99ms` and a gap. */
const TICK_GAP = 90

export interface GridEvents {
  onSelect(row: number): void
  onRange(range: Range): void
  /** A key that is not the grid's: whether it meant something. */
  takeKey(key: string): boolean
}

export interface GridData {
  columns: RowColumns
  strings: readonly string[]
  total: number
  spanIds: PackedIds
  /** What a row is called: Hop, Span. */
  title: string
  /** The same key: the same trace in the same view, with more of it than before. */
  key: string
}

/**
 * Rows and bars of a trace, outside React: about forty recycled rows and one canvas, whatever the size of the trace. It
 * holds what only a screen has (scroll, collapsed rows, pointer); what belongs into a link is told through events.
 */
export class TraceGrid {
  readonly #element: HTMLElement
  readonly #events: GridEvents
  readonly #head = document.createElement('div')
  readonly #headName = document.createElement('div')
  readonly #headTime = document.createElement('div')
  readonly #body = document.createElement('div')
  readonly #canvas = document.createElement('canvas')
  readonly #context = this.#canvas.getContext('2d')!
  readonly #drag: TimeDrag
  readonly #slots: RowSlot[] = []
  readonly #ending = new AbortController()
  readonly #resize: ResizeObserver
  #palette: Palette
  #data: GridData | undefined
  #collapsed = new Set<number>()
  #errorsBelow: Uint8Array = new Uint8Array(0)
  #visible: Int32Array = new Int32Array(0)
  #matches: Uint8Array | undefined
  /** Other rows than these are left out; undefined: none is. */
  #kept: Uint8Array | undefined
  #selected = -1
  #range: Range = { from: 0, to: 1 }
  #isCriticalShown = true
  #frame = 0
  #width = 0
  #height = 0

  constructor(element: HTMLElement, events: GridEvents) {
    this.#element = element
    this.#events = events
    this.#palette = readPalette(element)
    this.#head.className = 'grid-head'
    this.#head.setAttribute('role', 'row')
    this.#head.setAttribute('aria-rowindex', '1')
    this.#headName.className = 'label'
    this.#headTime.className = 'time'
    this.#headName.setAttribute('role', 'columnheader')
    this.#headTime.setAttribute('role', 'columnheader')
    this.#headTime.setAttribute('aria-label', 'Time from the start of the trace')
    this.#head.append(this.#headName, this.#headTime)
    this.#body.className = 'grid-body'
    this.#body.setAttribute('role', 'rowgroup')
    this.#canvas.setAttribute('aria-hidden', 'true')
    this.#drag = new TimeDrag({
      element,
      range: () => this.#range,
      total: () => this.#data?.total ?? 0,
      width: () => this.#width,
      labelWidth: () => this.#labelWidth(),
      onRange: range => this.#rezoom(range),
    })
    this.#body.append(this.#canvas, this.#drag.brush)
    element.setAttribute('role', 'treegrid')
    element.tabIndex = 0
    element.replaceChildren(this.#head, this.#body)

    const { signal } = this.#ending
    element.addEventListener('scroll', () => this.#schedule(), { signal, passive: true })
    element.addEventListener('keydown', event => this.#onKey(event), { signal })
    element.addEventListener('click', event => this.#onClick(event), { signal })
    element.addEventListener('dblclick', event => this.#onDoubleClick(event), { signal })
    element.addEventListener('wheel', event => this.#onWheel(event), { signal, passive: false })
    this.#drag.listen(signal)
    this.#resize = new ResizeObserver(() => this.#measure())
    this.#resize.observe(element)
    this.#resize.observe(this.#headName)
  }

  destroy(): void {
    this.#ending.abort()
    this.#resize.disconnect()
    cancelAnimationFrame(this.#frame)
    this.#element.replaceChildren()
  }

  show(data: GridData): void {
    this.#data = data
    this.#collapsed = new Set()
    this.#errorsBelow = errorsBelow(data.columns)
    this.#selected = -1
    this.#matches = undefined
    this.#kept = undefined
    this.#headName.textContent = data.title
    this.#element.setAttribute('aria-label', `${data.title}s of the trace`)
    for (const slot of this.#slots) slot.clear()
    this.#element.scrollTop = 0
    this.#relist()
    this.#measure()
  }

  /**
   * The same trace with more rows: what is collapsed stays so, and the selected row, else the first on screen, stays where
   * it is on screen. Nothing moves under the pointer.
   */
  grow(data: GridData): void {
    const before = this.#data!
    const idOf = (row: number) => selectionOf(before.spanIds, before.columns.spanIndex[before.columns.spanAt[row]!]!)
    const rowOf = (id: string) => {
      const span = indexOfSelection(data.spanIds, id)
      return span < 0 ? -1 : rowOfSpan(data.columns, span)
    }
    const first = Math.floor(this.#offset() / ROW_HEIGHT)
    const selectedAt = positionOf(this.#visible, this.#selected)
    const isSelectedShown = selectedAt >= first && (selectedAt - first) * ROW_HEIGHT < this.#height
    const anchorAt = isSelectedShown ? selectedAt : first
    const anchor = this.#visible[anchorAt]
    const anchorId = anchor === undefined ? undefined : idOf(anchor)
    const collapsed = this.#collapsed.size > MAX_KEPT ? [] : Array.from(this.#collapsed, idOf)
    const above = anchorAt * ROW_HEIGHT - this.#offset()
    this.#data = data
    this.#collapsed = new Set(collapsed.map(rowOf).filter(row => row >= 0))
    this.#errorsBelow = errorsBelow(data.columns)
    this.#selected = -1
    this.#matches = undefined
    this.#kept = undefined
    for (const slot of this.#slots) slot.clear()
    this.#relist()
    const anchorRow = anchorId === undefined ? -1 : rowOf(anchorId)
    const position = positionOf(this.#visible, anchorRow)
    if (position >= 0 && this.#visible.length * ROW_HEIGHT === this.#bodyHeight()) {
      this.#element.scrollTop = position * ROW_HEIGHT - above
    }
    this.#schedule()
  }

  /** Selects a row and brings it on screen; -1 for none. */
  select(row: number): void {
    if (row === this.#selected) return
    this.#selected = row
    if (row >= 0 && this.#data) {
      if (reveal(this.#data.columns, this.#collapsed, row)) this.#relist()
      this.#scrollTo(positionOf(this.#visible, row))
    }
    this.#schedule()
  }

  setRange(range: Range): void {
    this.#range = range
    this.#schedule()
  }

  setCriticalShown(isShown: boolean): void {
    this.#isCriticalShown = isShown
    this.#schedule()
  }

  /** Rows to mark, one byte a row; `isOnly`: they and what is above them are the only ones shown. */
  setMatches(matches: Uint8Array | undefined, isOnly: boolean): void {
    const wasFiltered = this.#kept !== undefined
    this.#matches = matches
    this.#kept = matches && isOnly && this.#data ? withAncestors(this.#data.columns, matches) : undefined
    if (this.#data && (wasFiltered || this.#kept)) {
      this.#relist()
      this.#scrollTo(positionOf(this.#visible, this.#selected))
    }
    this.#schedule()
  }

  refreshTheme(): void {
    this.#palette = readPalette(this.#element)
    this.#schedule()
  }

  focus(): void {
    this.#element.focus()
  }

  setAllCollapsed(isCollapsed: boolean): void {
    const columns = this.#data?.columns
    if (!columns) return
    this.#collapsed.clear()
    if (isCollapsed) for (let i = 0; i < columns.count; i++) if (hasChildren(columns, i)) this.#collapsed.add(i)
    this.#relist()
    if (this.#selected >= 0 && positionOf(this.#visible, this.#selected) < 0) this.#choose(this.#visible[0] ?? -1)
    this.#schedule()
  }

  #relist(): void {
    const { columns } = this.#data!
    this.#visible = visibleRows(columns, this.#collapsed, this.#kept)
    this.#element.setAttribute('aria-rowcount', String(this.#visible.length + 1))
    this.#body.style.height = `${Math.max(this.#bodyHeight(), this.#height)}px`
  }

  #bodyHeight(): number {
    return Math.min(this.#visible.length * ROW_HEIGHT, MAX_BODY_HEIGHT)
  }

  /** Pixels of rows above the upper edge: scrollTop, or in proportion where the body is cut off. */
  #offset(): number {
    const full = this.#visible.length * ROW_HEIGHT
    const body = this.#bodyHeight()
    const { scrollTop } = this.#element
    return full === body ? scrollTop : (scrollTop / (body - this.#height)) * (full - this.#height)
  }

  #scrollTo(position: number): void {
    if (position < 0) return
    const top = position * ROW_HEIGHT
    const offset = this.#offset()
    let target = offset
    if (top < offset) target = top
    else if (top + ROW_HEIGHT > offset + this.#height) target = top + ROW_HEIGHT - this.#height
    if (target === offset) return
    const full = this.#visible.length * ROW_HEIGHT
    const body = this.#bodyHeight()
    this.#element.scrollTop = full === body ? target : (target / (full - this.#height)) * (body - this.#height)
  }

  #measure(): void {
    const { clientWidth, clientHeight } = this.#element
    this.#width = Math.max(0, clientWidth - this.#labelWidth())
    this.#height = Math.max(0, clientHeight - HEAD_HEIGHT)
    const scale = devicePixelRatio || 1
    this.#canvas.width = Math.round(this.#width * scale)
    this.#canvas.height = Math.round(this.#height * scale)
    this.#canvas.style.width = `${this.#width}px`
    this.#canvas.style.height = `${this.#height}px`
    this.#context.setTransform(scale, 0, 0, scale, 0, 0)
    const wanted = Math.ceil(this.#height / ROW_HEIGHT) + 2
    while (this.#slots.length < wanted) {
      const slot = new RowSlot(`row-${this.#slots.length}`)
      this.#slots.push(slot)
      this.#body.append(slot.element)
    }
    while (this.#slots.length > wanted) this.#slots.pop()!.element.remove()
    for (const slot of this.#slots) slot.clear()
    if (this.#data) this.#relist()
    this.#schedule()
  }

  #labelWidth(): number {
    return this.#headName.getBoundingClientRect().width
  }

  #schedule(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw())
  }

  #draw(): void {
    this.#frame = 0
    const data = this.#data
    if (!data) return
    const times = ticks(this.#range, this.#width, TICK_GAP)
    this.#drawHead(times)
    const frame = {
      context: this.#context,
      width: this.#width,
      height: this.#height,
      columns: data.columns,
      strings: data.strings,
      palette: this.#palette,
      range: this.#range,
      ticks: times,
      isCriticalShown: this.#isCriticalShown,
    }
    this.#context.font = '11px ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace'
    this.#context.textBaseline = 'middle'
    paintBackground(frame)
    const offset = this.#offset()
    const shownFrom = this.#element.scrollTop - offset
    const first = Math.max(0, Math.floor(offset / ROW_HEIGHT))
    const last = Math.min(this.#visible.length, Math.ceil((offset + this.#height) / ROW_HEIGHT))
    const used = new Set<RowSlot>()
    let active: RowSlot | undefined
    for (let position = first; position < last; position++) {
      const row = this.#visible[position]!
      const slot = this.#slots[position % this.#slots.length]!
      used.add(slot)
      slot.show(data.columns, data.strings, row, {
        position,
        isCollapsed: this.#collapsed.has(row),
        isSelected: row === this.#selected,
        isMatch: this.#matches?.[row] === 1,
        hasErrorBelow: this.#errorsBelow[row] === 1,
      })
      slot.element.hidden = false
      slot.element.style.transform = `translateY(${shownFrom + position * ROW_HEIGHT}px)`
      if (row === this.#selected) active = slot
      paintRow(frame, row, position * ROW_HEIGHT - offset)
    }
    for (const slot of this.#slots) if (!used.has(slot)) slot.element.hidden = true
    if (active) this.#element.setAttribute('aria-activedescendant', active.element.id)
    else this.#element.removeAttribute('aria-activedescendant')
  }

  #drawHead(times: readonly number[]): void {
    const labels = this.#headTime
    while (labels.children.length < times.length) labels.append(document.createElement('span'))
    for (let i = 0; i < labels.children.length; i++) {
      const label = labels.children[i] as HTMLElement
      const time = times[i]
      const x = time === undefined ? 0 : toPixels(time, this.#range, this.#width)
      label.hidden = time === undefined || x > this.#width - 44
      if (time === undefined) continue
      label.textContent = formatDuration(time)
      label.style.transform = `translateX(${Math.round(x)}px)`
    }
  }

  #choose(row: number): void {
    if (row < 0) return
    this.select(row)
    this.#events.onSelect(row)
  }

  #toggle(row: number): void {
    if (!this.#collapsed.delete(row)) this.#collapsed.add(row)
    this.#relist()
    this.#schedule()
  }

  #rezoom(range: Range): void {
    this.setRange(range)
    this.#events.onRange(range)
  }

  #onKey(event: KeyboardEvent): void {
    if (!this.#data || event.ctrlKey || event.metaKey || event.altKey) return
    const { columns, total } = this.#data
    const grid: KeyedGrid = {
      columns,
      total,
      visible: this.#visible,
      collapsed: this.#collapsed,
      matches: this.#matches,
      selected: this.#selected,
      range: this.#range,
      pageRows: Math.max(1, Math.floor(this.#height / ROW_HEIGHT) - 1),
      choose: row => this.#choose(row),
      toggle: row => this.#toggle(row),
      rezoom: range => this.#rezoom(range),
      setAllCollapsed: isCollapsed => this.setAllCollapsed(isCollapsed),
    }
    if (takeGridKey(event.key, grid) || this.#events.takeKey(event.key)) event.preventDefault()
  }

  #rowAt(clientY: number): number {
    const y = clientY - this.#element.getBoundingClientRect().top - HEAD_HEIGHT
    return y < 0 ? -1 : (this.#visible[Math.floor((y + this.#offset()) / ROW_HEIGHT)] ?? -1)
  }

  #onClick(event: MouseEvent): void {
    if (this.#drag.hasMoved) return
    const row = this.#rowAt(event.clientY)
    if (row < 0) return
    if (event.target instanceof Element && event.target.closest('.toggle') && hasChildren(this.#data!.columns, row)) {
      this.#toggle(row)
    }
    this.#choose(row)
  }

  #onDoubleClick(event: MouseEvent): void {
    const row = this.#rowAt(event.clientY)
    if (row >= 0 && this.#drag.timeX(event.clientX) < 0 && hasChildren(this.#data!.columns, row)) this.#toggle(row)
  }

  #onWheel(event: WheelEvent): void {
    const data = this.#data
    if (!data) return
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault()
      const at = toTime(Math.max(0, this.#drag.timeX(event.clientX)), this.#range, this.#width)
      this.#rezoom(zoomAt(this.#range, at, 1.0015 ** event.deltaY, data.total))
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault()
      const by = ((event.deltaX || event.deltaY) / this.#width) * (this.#range.to - this.#range.from)
      this.#rezoom(pan(this.#range, by, data.total))
    }
  }
}
