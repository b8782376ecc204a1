import { between, pan, type Range, toTime } from './time-axis.ts'

/** A shorter drag is a click. */
const MIN_DRAG = 4

/** The time axis that is dragged on, as it is now; lengths in pixels. */
interface DraggedAxis {
  element: HTMLElement
  range(): Range
  total(): number
  width(): number
  /** Of the column of names, left of it. */
  labelWidth(): number
  onRange(range: Range): void
}

/** A drag over the bars chooses a range of time; with shift it moves the range that is shown. */
export class TimeDrag {
  /** What is chosen so far. */
  readonly brush = document.createElement('div')
  /** The click that follows a drag means nothing. */
  hasMoved = false
  readonly #axis: DraggedAxis
  #held: { x: number; isPan: boolean; range: Range } | undefined

  constructor(axis: DraggedAxis) {
    this.#axis = axis
    this.brush.className = 'brush'
    this.brush.hidden = true
    this.brush.setAttribute('aria-hidden', 'true')
  }

  listen(signal: AbortSignal): void {
    const { element } = this.#axis
    element.addEventListener('pointerdown', event => this.#onDown(event), { signal })
    element.addEventListener('pointermove', event => this.#onMove(event), { signal })
    element.addEventListener('pointerup', event => this.#onUp(event), { signal })
    element.addEventListener('pointercancel', () => this.#end(), { signal })
  }

  /** Pixels from the left edge of the time column; negative in the column of names. */
  timeX(clientX: number): number {
    return clientX - this.#axis.element.getBoundingClientRect().left - this.#axis.labelWidth()
  }

  #onDown(event: PointerEvent): void {
    this.hasMoved = false
    const x = this.timeX(event.clientX)
    if (event.button !== 0 || event.pointerType === 'touch' || x < 0 || x > this.#axis.width()) return
    this.#held = { x, isPan: event.shiftKey, range: this.#axis.range() }
  }

  #onMove(event: PointerEvent): void {
    const held = this.#held
    const { element } = this.#axis
    const total = this.#axis.total()
    if (!held || total === 0) return
    const x = this.timeX(event.clientX)
    if (Math.abs(x - held.x) < MIN_DRAG && this.brush.hidden) return
    if (!element.hasPointerCapture(event.pointerId)) element.setPointerCapture(event.pointerId)
    if (held.isPan) {
      const by = ((held.x - x) / this.#axis.width()) * (held.range.to - held.range.from)
      this.hasMoved = true
      this.#axis.onRange(pan(held.range, by, total))
      return
    }
    const left = Math.max(0, Math.min(x, held.x))
    const right = Math.min(this.#axis.width(), Math.max(x, held.x))
    this.brush.hidden = false
    this.brush.style.left = `${this.#axis.labelWidth() + left}px`
    this.brush.style.width = `${right - left}px`
  }

  #onUp(event: PointerEvent): void {
    const held = this.#held
    if (held && !this.brush.hidden) {
      const range = this.#axis.range()
      const width = this.#axis.width()
      const until = this.timeX(event.clientX)
      this.#axis.onRange(between(toTime(held.x, range, width), toTime(until, range, width), this.#axis.total()))
      this.hasMoved = true
    }
    this.#end()
  }

  #end(): void {
    this.#held = undefined
    this.brush.hidden = true
  }
}
