/**
 * Spans of one program say mostly the same: a tag that is as it was in the span before need not be written anew, its bytes are in the
 * batch. Neighbours are copied in one go:
 *
 *     before   node_id=a  url=/1  method=GET  protocol=HTTP/1.1  size=7
 *     now      node_id=a  url=/2  method=GET  protocol=HTTP/1.1  size=7
 *              └ copied ┘ written └────────────── copied ──────────────┘
 *
 * The n-th tag is compared with the n-th; whoever owns the batch copies and writes.
 */
export class RepeatedTags {
  /** Where in the batch the bytes are that are to be copied to its end before anything else is written; none while `bytes` is 0. */
  from = 0
  bytes = 0
  #next = 0
  readonly #keys: string[] = []
  readonly #values: string[] = []
  readonly #starts: number[] = []
  readonly #ends: number[] = []

  /** Of another span. */
  begin(): void {
    this.#next = 0
  }

  /** True: the next tag is there already, and is to be copied; `end` is the length of the batch, without what is to be copied. */
  repeats(key: string, value: string, end: number): boolean {
    const n = this.#next
    if (this.#keys[n] !== key || this.#values[n] !== value) return false
    const start = this.#starts[n]!
    if (this.bytes === 0) this.from = start
    // The tag before it is of another span than this one: they are no neighbours.
    else if (start !== this.from + this.bytes) return false
    const size = this.#ends[n]! - start
    this.#starts[n] = end + this.bytes
    this.bytes += size
    this.#ends[n] = end + this.bytes
    this.#next++
    return true
  }

  /** Of the next tag, which was written. */
  wrote(key: string, value: string, start: number, end: number): void {
    const n = this.#next++
    this.#keys[n] = key
    this.#values[n] = value
    this.#starts[n] = start
    this.#ends[n] = end
  }

  /** The batch is gone. */
  forget(): void {
    this.#keys.length = 0
    this.#values.length = 0
    this.bytes = 0
  }
}
