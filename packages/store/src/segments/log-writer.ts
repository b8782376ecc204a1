import { type FileHandle, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pass } from './fault-point.ts'
import { EMPTY, type Head, type Mark } from './head.ts'
import { encodeHeader, encodeRecord, HEADER_BYTES } from './log-record.ts'

interface Waiting {
  resolve: () => void
  reject: (error: unknown) => void
}

/**
 * Makes what a head holds durable, in groups: while one is being synced, the next gathers.
 *
 *   commit(a) ─► write, fdatasync ─► a resolves
 *   commit(b) ┐                      └─► write, fdatasync ─► b, c resolve
 *   commit(c) ┘
 */
export class LogWriter {
  readonly file: string
  readonly #head: Head
  readonly #number: number
  #handle: FileHandle | undefined
  #durable: Mark
  #offset: number
  /** Memory of the record before, which is written: the next one uses it again. */
  #record: Buffer | undefined
  #waiting: Waiting[] = []
  #pumping: Promise<void> | undefined
  /** The file can no longer be trusted: what it holds durably goes into a segment, and a new log begins. */
  failed = false

  /** `offset`: where a log that was replayed goes on; its file is opened then. */
  constructor(file: string, number: number, head: Head, offset = 0) {
    this.file = file
    this.#number = number
    this.#head = head
    this.#offset = offset
    this.#durable = offset === 0 ? EMPTY : head.mark()
  }

  /** What the file holds for sure. */
  get durable(): Mark {
    return this.#durable
  }

  /** Bytes of the file. */
  get byteLength(): number {
    return this.#offset
  }

  /** Resolves when all that the head holds now is durable. Rejects when it is not; the head has forgotten it then. */
  commit(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#pumping ??= this.#pump()
    })
  }

  async #pump(): Promise<void> {
    // Requests that are read in the same turn of the event loop share the first group.
    await new Promise(resolve => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      const to = this.#head.mark()
      try {
        await this.#write(to)
        this.#durable = to
        for (const { resolve } of group) resolve()
      } catch (error) {
        // Who came meanwhile may refer to what this group brought.
        this.#head.rollback(this.#durable)
        for (const { reject } of [...group, ...this.#waiting]) reject(error)
        this.#waiting = []
      }
    }
    this.#pumping = undefined
  }

  async #write(to: Mark): Promise<void> {
    if (to.rows === this.#durable.rows) return
    const record = encodeRecord(this.#head, this.#durable, this.#record)
    this.#record = record
    this.#handle ??= await this.#open()
    try {
      for (let written = 0; written < record.length; ) {
        const { bytesWritten } = await this.#handle.write(
          record,
          written,
          record.length - written,
          this.#offset + written,
        )
        written += bytesWritten
      }
    } catch (error) {
      // What was written in part must not stand behind a shorter record of later.
      await this.#handle.truncate(this.#offset).catch(() => {
        this.failed = true
      })
      throw error
    }
    pass('log-written')
    try {
      await this.#handle.datasync()
    } catch (error) {
      // The kernel may hold the pages for clean now: another fdatasync would prove nothing.
      this.failed = true
      throw error
    }
    pass('log-synced')
    this.#offset += record.length
  }

  async #open(): Promise<FileHandle> {
    if (this.#offset > 0) {
      const old = await open(this.file, 'r+')
      // What a write that did not finish has left.
      await old.truncate(this.#offset)
      return old
    }
    const handle = await open(this.file, 'w')
    try {
      await handle.write(encodeHeader(this.#number), 0, HEADER_BYTES, 0)
      await handle.datasync()
      // The name is durable when its folder is.
      const folder = await open(dirname(this.file), 'r')
      await folder.sync().finally(() => folder.close())
    } catch (error) {
      await handle.close().catch(() => {})
      await rm(this.file, { force: true }).catch(() => {})
      throw error
    }
    pass('log-created')
    this.#offset = HEADER_BYTES
    return handle
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#pumping
  }

  /** Nothing more is added; what waits is written first. */
  async close(): Promise<void> {
    await this.#pumping
    await this.#handle?.close().catch(() => {})
    this.#handle = undefined
  }
}
