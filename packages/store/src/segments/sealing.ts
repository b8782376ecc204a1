import { rmSync } from 'node:fs'
import type { LoggedHead, LoggedHeads } from './logged-heads.ts'
import { DamageError } from './piece.ts'
import type { Sealer } from './sealer.ts'
import type { SegmentList } from './segment-list.ts'
import { storeError } from './sqlite-error.ts'

const RETRY_MS = 1000

/** Makes segments of the heads that are full, oldest first. What cannot be written now is tried again. */
export class Sealing {
  readonly #file: string
  readonly #sealer: Sealer
  readonly #heads: LoggedHeads
  readonly #segments: SegmentList
  readonly #sealed: () => void
  #running: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #closed = false
  /** What keeps the oldest head from being written. */
  error: unknown

  /** `sealed` is called after each segment. */
  constructor(file: string, sealer: Sealer, heads: LoggedHeads, segments: SegmentList, sealed: () => void) {
    this.#file = file
    this.#sealer = sealer
    this.#heads = heads
    this.#segments = segments
    this.#sealed = sealed
  }

  start(): void {
    if (this.#running !== undefined || this.#retry !== undefined || this.#heads.frozen.length === 0) return
    this.#running = this.#sealAll().finally(() => {
      this.#running = undefined
    })
  }

  get running(): Promise<void> | undefined {
    return this.#running
  }

  /** Ends with what is being written. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    this.#retry = undefined
    await this.#running
  }

  async #sealAll(): Promise<void> {
    for (let logged = this.#heads.frozen[0]; logged !== undefined; logged = this.#heads.frozen[0]) {
      await logged.log.close()
      try {
        await this.#sealOne(logged)
      } catch (error) {
        if (error instanceof DamageError && this.#heads.rewrite(logged)) continue
        this.error = storeError(this.#file, error)
        if (!this.#closed) this.#tryAgain()
        return
      }
    }
  }

  async #sealOne(logged: LoggedHead): Promise<void> {
    const { log, number } = logged
    if (logged.isDropped || log.byteLength === 0 || log.durable.rows === 0) {
      this.#heads.removeOldest()
      rmSync(log.file, { force: true })
      return
    }
    const meta = await this.#sealer.seal(log.file, number, log.byteLength)
    this.error = undefined
    this.#heads.removeOldest()
    // Retention may have taken it meanwhile.
    if (logged.isDropped) void this.#sealer.delete([meta.id]).catch(() => {})
    else this.#segments.append(meta)
    this.#sealed()
  }

  #tryAgain(): void {
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.start()
    }, RETRY_MS)
    this.#retry.unref()
  }
}
