import { formatDuration } from '../shared/duration.ts'
import { serviceColour } from '../shared/service-colour.ts'
import { FLAG, type RowColumns } from './columns.ts'
import { hasChildren } from './rows.ts'

/** Deeper rows are not indented further: a number says their level. */
const MAX_INDENT_LEVELS = 10

/** What a row shows besides the columns. */
export interface RowState {
  position: number
  isCollapsed: boolean
  isSelected: boolean
  isMatch: boolean
  hasErrorBelow: boolean
}

/** One recycled row of the grid. All text goes in as text nodes: a span's name is never markup. */
export class RowSlot {
  readonly element: HTMLDivElement
  readonly #level = span('level')
  readonly #toggle = span('toggle')
  readonly #swatch = span('swatch')
  readonly #service = span('service')
  readonly #peer = span('peer')
  readonly #name = span('name')
  readonly #note = span('note')
  readonly #marks = span('marks')
  readonly #time: HTMLSpanElement
  #row = -1
  #key = ''

  constructor(id: string) {
    this.element = document.createElement('div')
    this.element.id = id
    this.element.className = 'row'
    this.element.setAttribute('role', 'row')
    const label = document.createElement('div')
    label.className = 'label'
    label.setAttribute('role', 'gridcell')
    label.append(
      this.#level,
      this.#toggle,
      this.#swatch,
      this.#service,
      this.#peer,
      this.#name,
      this.#note,
      this.#marks,
    )
    const time = document.createElement('div')
    time.className = 'time'
    time.setAttribute('role', 'gridcell')
    this.#time = span('sr-only')
    time.append(this.#time)
    this.element.append(label, time)
  }

  get row(): number {
    return this.#row
  }

  /** Writes only what differs from what is shown. */
  show(columns: RowColumns, strings: readonly string[], row: number, state: RowState): void {
    const key = `${row} ${state.position} ${state.isCollapsed} ${state.isSelected} ${state.isMatch}`
    if (key === this.#key) return
    this.#key = key
    const { element } = this
    if (row !== this.#row) {
      this.#row = row
      this.#fill(columns, strings, row)
    }
    element.setAttribute('aria-rowindex', String(state.position + 2))
    element.setAttribute('aria-selected', String(state.isSelected))
    element.classList.toggle('selected', state.isSelected)
    element.classList.toggle('match', state.isMatch)
    element.classList.toggle('odd', state.position % 2 === 1)
    const isParent = hasChildren(columns, row)
    if (isParent) element.setAttribute('aria-expanded', String(!state.isCollapsed))
    else element.removeAttribute('aria-expanded')
    const below = columns.subtreeEnd[row]! - row - 1
    this.#toggle.textContent = isParent ? (state.isCollapsed ? '▸' : '▾') : ''
    this.#toggle.title = isParent ? `${below} below` : ''
    const marks = marksOf(columns.flags[row]!)
    if (state.isCollapsed)
      marks.push([state.hasErrorBelow ? `✕ in ${below} below` : `+${below}`, `${below} rows below`])
    this.#marks.textContent = marks.map(([text]) => text).join(' ')
    this.#marks.title = marks.map(([, title]) => title).join('; ')
  }

  clear(): void {
    this.#row = -1
    this.#key = ''
  }

  #fill(columns: RowColumns, strings: readonly string[], row: number): void {
    const flags = columns.flags[row]!
    const depth = columns.depth[row]!
    const service = strings[columns.service[row]!]!
    const peer = columns.peer[row]! < 0 ? '' : strings[columns.peer[row]!]!
    const name = strings[columns.name[row]!]!
    const note = columns.note[row]! < 0 ? '' : strings[columns.note[row]!]!
    this.element.setAttribute('aria-level', String(depth + 1))
    this.element.style.setProperty('--indent', String(Math.min(depth, MAX_INDENT_LEVELS)))
    this.#level.textContent = depth > MAX_INDENT_LEVELS ? String(depth) : ''
    this.#swatch.style.setProperty('--swatch', serviceColour(flags & FLAG.hop && peer ? peer : service))
    this.#swatch.classList.toggle('hollow', (flags & FLAG.untraced) !== 0)
    this.#service.textContent = service
    this.#peer.textContent = peer === '' ? '' : `→ ${peer}`
    this.#name.textContent = name
    this.#note.replaceChildren(...piecesOf(note))
    this.#note.hidden = note === ''
    this.element.classList.toggle('error', (flags & FLAG.error) !== 0)
    this.element.classList.toggle('inferred', (flags & FLAG.inferred) !== 0)
    this.element.classList.toggle('is-hop', (flags & FLAG.hop) !== 0)
    this.element.title = `${service}${peer === '' ? '' : ` → ${peer}`} ${name}${note === '' ? '' : `\n${note}`}`
    this.#time.textContent = describeTime(columns, row)
  }
}

/** `3 attempts, 24ms lost` → `3 attempts` and `, 24ms lost`: what has no room goes whole, and is not cut. */
function piecesOf(note: string): HTMLSpanElement[] {
  return note.split(/(?=, )/).map(text => {
    const piece = document.createElement('span')
    piece.textContent = text
    return piece
  })
}

/** The bar in words. */
export function describeTime(columns: RowColumns, row: number): string {
  const flags = columns.flags[row]!
  const parts = [
    flags & FLAG.noDuration ? 'unfinished' : `duration ${formatDuration(columns.duration[row]!)}`,
    `at ${formatDuration(columns.start[row]!)}`,
  ]
  if (flags & FLAG.error) parts.push('failed')
  if (flags & FLAG.critical) parts.push('on the critical path')
  for (const [, title] of marksOf(flags)) parts.push(title)
  return parts.join(', ')
}

function marksOf(flags: number): [text: string, title: string][] {
  const marks: [string, string][] = []
  if (flags & FLAG.retried) marks.push(['↻', 'retried'])
  if (flags & FLAG.untraced) marks.push(['untraced', 'the called side sent no span'])
  if (flags & FLAG.missingParent) marks.push(['⌀ parent', 'its parent is not in the trace'])
  if (flags & FLAG.cycle) marks.push(['⟲ circle', 'its parents form a circle'])
  if (flags & FLAG.moved) marks.push(['⇄', 'moved: the clock of its host was off'])
  if (flags & FLAG.inferred) marks.push(['⋯ inferred', 'joined by inference: its headers were not passed on'])
  if (flags & FLAG.late) marks.push(['◷ late', 'works on when nobody waits any more'])
  if (flags & FLAG.overBudget) marks.push(['> budget', 'would wait longer than the one who asked it'])
  if (flags & FLAG.inexact) marks.push(['±', 'a part of it came out negative: measurement error'])
  if (flags & FLAG.noTime) marks.push(['no time', 'no time reported: drawn at its parent’s start'])
  return marks
}

function span(className: string): HTMLSpanElement {
  const element = document.createElement('span')
  element.className = className
  return element
}
