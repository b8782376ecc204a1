/**
 * Spans of one program say mostly the same: a tag that is as it was in the span before need not be written anew, its bytes are in the
 * batch. Neighbours are copied in one go:
 *
 *     before   node_id=a  url=/1  method=GET  protocol=HTTP/1.1  size=7
 *     now      node_id=a  url=/2  method=GET  protocol=HTTP/1.1  size=7
 *              └ copied ┘ written └────────────── copied ──────────────┘
 *
 * The n-th tag is compared with the n-th; whoever owns the batch copies and writes. All that a repeated tag costs is the comparison:
 * where it is is told from where its span begins, which moves only when a tag before it had another length.
 */
export class RepeatedTags {
  /** Where the span before begins in the batch, and this one. */
  #before = 0
  #origin = 0
  /** Of this span so far. */
  #next = 0
  /** The first of those that are to be copied before anything else is written: up to `#next`. */
  #firstToCopy = 0
  /** Of the span before; those that were passed already are of this one. */
  #count = 0
  readonly #keys: string[] = []
  readonly #values: string[] = []
  /** From the beginning of its span. */
  readonly #starts: number[] = []
  readonly #ends: number[] = []

  /** Of another span, which begins at `origin` in the batch. */
  begin(origin: number): void {
    this.#before = this.#origin
    this.#origin = origin
    this.#count = this.#next
    this.#next = this.#firstToCopy = 0
  }

  /** True: the next tag is there already, and is to be copied. */
  repeats(key: string, value: string): boolean {
    const n = this.#next
    if (n >= this.#count || this.#keys[n] !== key || this.#values[n] !== value) return false
    this.#next = n + 1
    return true
  }

  /** Whether there are tags to be copied. */
  get any(): boolean {
    return this.#firstToCopy < this.#next
  }

  /** Where in the batch those that are to be copied begin. */
  get from(): number {
    return this.#before + this.#starts[this.#firstToCopy]!
  }

  /** All bytes of those that are to be copied. */
  get bytes(): number {
    return this.#ends[this.#next - 1]! - this.#starts[this.#firstToCopy]!
  }

  /** They are at `start` in the batch now. */
  copied(start: number): void {
    const moved = start - this.#origin - this.#starts[this.#firstToCopy]!
    if (moved !== 0)
      for (let n = this.#firstToCopy; n < this.#next; n++) {
        this.#starts[n]! += moved
        this.#ends[n]! += moved
      }
    this.#firstToCopy = this.#next
  }

  /** Of the next tag, which was written. */
  wrote(key: string, value: string, start: number, end: number): void {
    const n = this.#next++
    this.#keys[n] = key
    this.#values[n] = value
    this.#starts[n] = start - this.#origin
    this.#ends[n] = end - this.#origin
    this.#firstToCopy = this.#next
  }

  /** The batch is gone. */
  forget(): void {
    this.#count = this.#next = this.#firstToCopy = 0
  }
}
