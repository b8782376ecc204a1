import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Head } from './head.ts'
import { FIELDS, KIND_TEXTS } from './json-scanner.ts'

/** What a text stands for. */
export const NAME = 0
export const ENDPOINT = 1
export const PAIR = 2
/** u32 of a row: the trace id, its left half behind its right, id and parent id, flags, texts of name and endpoints, ends. */
export const ROW_WORDS = 20

/** Of assembly/json-kernel.ts, which says what they are. */
interface Exports {
  memory: WebAssembly.Memory
  end(): number
  after(text: number): number
  reset(seed: bigint): void
  truncate(first: number): void
  isFull(): number
  scan(length: number, maxRows: number): number
}
type Address =
  | 'FIELD_NAMES'
  | 'KIND_NAMES'
  | 'MAX_ROWS'
  | 'ROWS'
  | 'MAX_TAGS'
  | 'TAGS_OUT'
  | 'MAX_ANNOTATIONS'
  | 'ANNOTATIONS_OUT'
  | 'MAX_BODY_BYTES'
  | 'BODY'
  | 'PADDING'

/** Finds the structure of JSON bodies, and their distinct texts. One for all heads of a thread: it knows the entries of one. */
export class JsonKernel {
  readonly #exports: Exports
  readonly #body: number
  readonly #maxBodyBytes: number
  readonly #maxRows: number
  readonly #padding: number
  /** All of its memory, which never grows. */
  readonly bytes: Buffer<ArrayBuffer>
  /** Of rows: ROW_WORDS each; the last two pairs of them are `doubles`, timestamp and duration. */
  readonly words: Uint32Array
  readonly doubles: Float64Array
  readonly tagTexts: Uint32Array
  /** Four words each: the third is the text of the value; the first two are a timestamp. */
  readonly annotationWords: Uint32Array
  readonly annotationTimes: Float64Array
  /** Of text n, at n / 4: its entry in the head; 0: none, and of text 0. */
  readonly entries: Uint32Array
  readonly #all: Uint32Array
  #head: Head | undefined
  #rollbacks = 0

  constructor() {
    const module = new WebAssembly.Module(readFileSync(new URL('./json-kernel.wasm', import.meta.url)))
    const { exports } = new WebAssembly.Instance(module)
    this.#exports = exports as unknown as Exports
    const { buffer } = this.#exports.memory as { buffer: ArrayBuffer }
    const address = (name: Address): number => (exports[name] as WebAssembly.Global).value
    this.#body = address('BODY')
    this.#maxBodyBytes = address('MAX_BODY_BYTES')
    this.#maxRows = address('MAX_ROWS')
    this.#padding = address('PADDING')
    this.bytes = Buffer.from(buffer)
    this.words = new Uint32Array(buffer, address('ROWS'), this.#maxRows * ROW_WORDS)
    this.doubles = new Float64Array(buffer, address('ROWS'), (this.#maxRows * ROW_WORDS) / 2)
    this.tagTexts = new Uint32Array(buffer, address('TAGS_OUT'), address('MAX_TAGS'))
    this.annotationWords = new Uint32Array(buffer, address('ANNOTATIONS_OUT'), address('MAX_ANNOTATIONS') * 4)
    this.annotationTimes = new Float64Array(buffer, address('ANNOTATIONS_OUT'), address('MAX_ANNOTATIONS') * 2)
    this.#all = new Uint32Array(buffer)
    this.entries = this.#all.subarray(2)
    this.#writeNames(address('FIELD_NAMES'), FIELDS)
    this.#writeNames(address('KIND_NAMES'), KIND_TEXTS)
  }

  #writeNames(at: number, names: readonly Buffer[]): void {
    for (const [i, name] of names.entries()) {
      this.bytes.set(name, at + i * 16)
      this.bytes[at + i * 16 + 15] = name.length
    }
  }

  fits(body: Uint8Array): boolean {
    return body.length <= this.#maxBodyBytes
  }

  /** Texts have their entries of this head from now on. */
  use(head: Head): void {
    if (this.#head === head && this.#rollbacks === head.rollbacks && !this.#exports.isFull()) return
    this.#head = head
    this.#rollbacks = head.rollbacks
    this.#exports.reset(randomBytes(8).readBigUInt64LE())
  }

  /** What this head has taken back concerns no text that the kernel knows. */
  keep(head: Head): void {
    if (this.#head === head) this.#rollbacks = head.rollbacks
  }

  /** Reads a body. Returns its rows; undefined: it is not ordinary, or has more than `maxRows`. */
  scan(body: Uint8Array, maxRows: number): number | undefined {
    const end = this.#body + body.length
    this.bytes.set(body, this.#body)
    this.bytes.fill(0, end, end + this.#padding)
    const rows = this.#exports.scan(body.length, Math.min(maxRows, this.#maxRows))
    return rows < 0 ? undefined : rows
  }

  /** Where the next new text goes; of a body, those are new that stand from there on when it was read. */
  get textEnd(): number {
    return this.#exports.end()
  }

  textAfter(text: number): number {
    return this.#exports.after(text)
  }

  /** Forgets the texts from this one on. */
  truncate(first: number): void {
    this.#exports.truncate(first)
  }

  /** Where the bytes of a text begin. */
  startOf(text: number): number {
    return text + 16
  }

  kindOf(text: number): number {
    return this.#all[(text >> 2) + 1]! >>> 28
  }

  /** How many tags rows up to this one have. */
  tagEnd(row: number): number {
    return this.words[row * ROW_WORDS + 12]!
  }
}
