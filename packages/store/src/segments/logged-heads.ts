import { renameSync, writeFileSync } from 'node:fs'
import type { Milliseconds } from '@hopscope/model'
import { StoreError } from '../store.ts'
import { EMPTY, Head } from './head.ts'
import { logFiles, recoverLog } from './log-files.ts'
import { encodeHeader, encodeRecord } from './log-record.ts'
import { LogWriter } from './log-writer.ts'
import { HeadPart } from './part.ts'
import type { Reads } from './reads.ts'
import { Scanners } from './scanners.ts'
import { Sieve } from './sieve.ts'
import type { TraceDirectory } from './trace-directory.ts'

/** Entries and bytes of a dictionary after which a head is sealed, too: what a flood of unique values may take. */
const MAX_ENTRIES = 200_000
const MAX_DICTIONARY_BYTES = 24 * 1024 * 1024
/** A log is durable, but has to be read at the next start. */
const MAX_AGE_MS: Milliseconds = 15 * 60_000
/** Spans accepted and not yet durable, and bytes of logs not yet sealed, above which more are refused. */
const MAX_PENDING_SPANS = 400_000
const MAX_UNSEALED_BYTES = 256 * 1024 * 1024

/** A head, and the log that makes it durable. */
export interface LoggedHead {
  part: HeadPart
  scanners: Scanners
  /** For bodies that are sampled. */
  sieve: Sieve
  log: LogWriter
  number: number
  /** `performance.now()` */
  begun: number
  /** Retention took it before it was sealed. */
  isDropped: boolean
}

export interface LoggedHeadsOptions {
  /** Of the database: logs stand beside it. */
  file: string
  autocompleteKeys: readonly string[]
  /** Spans, and bytes of its log, after which a head is full. */
  maxSpans: number
  maxLogBytes: number
  directory: TraceDirectory
  reads: Reads
  /** A part came or went. */
  changed: () => void
  warn: (line: string) => void
}

/** The spans that no segment has yet: one head takes what comes, others are full and wait to be sealed. */
export class LoggedHeads {
  readonly #options: LoggedHeadsOptions
  #nextNumber: number
  #active: LoggedHead
  /** Oldest first. */
  #frozen: LoggedHead[] = []
  /**
   * Was sealed; the next head takes its memory. V8 counts what is allocated outside of its heap, and a head of ten megabytes
   * brought about a full collection each time, whether or not the one before was freed.
   */
  #spare: Head | undefined

  /** Reads the logs that were not sealed; the last of them goes on. `nextNumber` is that of no log or segment. */
  constructor(options: LoggedHeadsOptions, nextNumber: number) {
    this.#options = options
    this.#nextNumber = nextNumber
    for (const file of logFiles(options.file)) {
      const replayed = recoverLog(file, options.warn)
      if (replayed === undefined) continue
      const log = new LogWriter(file.path, file.number, replayed.head, replayed.end)
      this.#frozen.push(this.#open(replayed.head, log, file.number))
    }
    const last = this.#frozen.at(-1)
    if (last === undefined || this.#isFull(last)) this.#active = this.#begin()
    else {
      this.#frozen.pop()
      this.#active = last
    }
  }

  get active(): LoggedHead {
    return this.#active
  }

  get frozen(): readonly LoggedHead[] {
    return this.#frozen
  }

  /** Those that reads see, oldest first. */
  all(): LoggedHead[] {
    return [...this.#frozen, this.#active].filter(head => !head.isDropped)
  }

  takeNumber(): number {
    return this.#nextNumber++
  }

  get isFull(): boolean {
    return this.#active.log.failed || this.#isFull(this.#active)
  }

  #isFull({ part: { head }, log, begun }: LoggedHead): boolean {
    return (
      head.spanCount >= this.#options.maxSpans ||
      head.dictionary.entries.length >= MAX_ENTRIES ||
      head.dictionary.byteLength >= MAX_DICTIONARY_BYTES ||
      log.byteLength >= this.#options.maxLogBytes ||
      (head.spanCount > 0 && performance.now() - begun > MAX_AGE_MS)
    )
  }

  /** Throws StoreError when no more spans can be taken now; `sealError` is why heads are not sealed. */
  checkRoom(sealError: unknown): void {
    const { file } = this.#options
    const { part, log } = this.#active
    if (part.spanCount - log.durable.rows > MAX_PENDING_SPANS) {
      throw new StoreError('busy', `${file} takes spans more slowly than they come: try again later`)
    }
    if (this.#frozen.length === 0) return
    let unsealed = 0
    for (const one of this.#frozen) unsealed += one.log.byteLength
    if (unsealed <= MAX_UNSEALED_BYTES) return
    if (sealError !== undefined) throw sealError
    throw new StoreError('busy', `${file} is written more slowly than spans come: try again later`)
  }

  /** Makes what was added to the active head findable, from trace `firstTrace` on, and durable. */
  commit(firstTrace: number): Promise<void> {
    const { part, log } = this.#active
    this.#addTraces(part, firstTrace)
    return log.commit()
  }

  /** Begins another head; the active one is full. */
  rotate(): void {
    this.#frozen.push(this.#active)
    this.#active = this.#begin()
    this.changed()
  }

  /** The oldest that waits was sealed, or need not be. */
  removeOldest(): void {
    const { part } = this.#frozen.shift()!
    const { directory, reads } = this.#options
    directory.close(part)
    reads.afterThese(() => {
      directory.forget(part)
      if (this.#spare === undefined) this.#spare = part.head
      else part.head.free()
    })
    this.changed()
  }

  changed(): void {
    this.#options.changed()
  }

  /** A log that cannot be read back is written again from memory. Returns whether it was. */
  rewrite(logged: LoggedHead): boolean {
    const { log, number, part } = logged
    try {
      this.#options.warn(`${log.file} could not be read back: it is written again from memory`)
      const bytes = Buffer.concat([encodeHeader(number), encodeRecord(part.head, EMPTY)])
      writeFileSync(`${log.file}.new`, bytes, { flush: true })
      renameSync(`${log.file}.new`, log.file)
      logged.log = new LogWriter(log.file, number, part.head, bytes.length)
      return true
    } catch {
      return false
    }
  }

  #begin(): LoggedHead {
    const number = this.takeNumber()
    const head = new Head(this.#spare)
    this.#spare = undefined
    return this.#open(head, new LogWriter(`${this.#options.file}-log-${number}`, number, head), number)
  }

  #open(head: Head, log: LogWriter, number: number): LoggedHead {
    const part = new HeadPart(head, number, this.#options.autocompleteKeys)
    this.#options.directory.open(part)
    this.#addTraces(part, 0)
    const [scanners, sieve] = [new Scanners(head), new Sieve(head)]
    return { part, scanners, sieve, log, number, begun: performance.now(), isDropped: false }
  }

  #addTraces(part: HeadPart, from: number): void {
    const { traces } = part.head
    const { lowHigh, lowLow } = traces.columns
    for (let trace = from; trace < traces.length; trace++) {
      this.#options.directory.add(part, trace, lowHigh[trace]!, lowLow[trace]!)
    }
  }
}
