import type { Span } from '@hopscope/model'
import { encodeSpanJsonV2 } from '@hopscope/model'
import type { ClickHouseClient } from './client.ts'

/** Text of one insert, about; ClickHouse likes few large ones. */
const MAX_INSERT_LENGTH = 8 * 1024 * 1024

interface Waiting {
  lines: string
  resolve: () => void
  reject: (error: unknown) => void
}

/**
 * One insert at a time: what arrives meanwhile goes into the next, so that inserts grow with the load. Each call resolves
 * when the insert that has its spans is answered.
 */
export class InsertQueue {
  readonly #client: ClickHouseClient
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  #lastSeq = 0n

  constructor(client: ClickHouseClient) {
    this.#client = client
  }

  insert(spans: readonly Span[]): Promise<void> {
    if (spans.length === 0) return Promise.resolve()
    const lines = spans.map(span => this.#line(span)).join('')
    return new Promise((resolve, reject) => {
      this.#waiting.push({ lines, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.#running) await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch()
      try {
        await this.#client.insert('ingest', batch.map(({ lines }) => lines).join(''))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#running = undefined
  }

  #takeBatch(): Waiting[] {
    let length = 0
    let count = 0
    while (
      count < this.#waiting.length &&
      (count === 0 || length + this.#waiting[count]!.lines.length <= MAX_INSERT_LENGTH)
    ) {
      length += this.#waiting[count++]!.lines.length
    }
    return this.#waiting.splice(0, count)
  }

  #line(span: Span): string {
    const row = {
      trace_id: span.traceId,
      id: span.id,
      ms: Math.floor((span.timestamp ?? 0) / 1000),
      duration: span.duration ?? 0,
      service: text(span.localEndpoint?.serviceName),
      name: text(span.name),
      remote: text(span.remoteEndpoint?.serviceName),
      tags: tagsOf(span),
      annotations: (span.annotations ?? []).map(({ value }) => text(value)),
      json: encodeSpanJsonV2(span),
    }
    return `{"seq":${this.#nextSeq()},${JSON.stringify(row).slice(1)}\n`
  }

  /** Order of arrival, also among several collectors, as far as their clocks agree: ns of the clock, never twice. */
  #nextSeq(): bigint {
    const now = BigInt(Date.now()) * 1_000_000n
    this.#lastSeq = now > this.#lastSeq ? now : this.#lastSeq + 1n
    return this.#lastSeq
  }
}

/** Half a character cannot be written in UTF-8. */
const text = (value: string | undefined): string => value?.toWellFormed() ?? ''

function tagsOf({ tags }: Span): Record<string, string> {
  const result: Record<string, string> = Object.create(null)
  for (const key in tags) result[text(key)] = text(tags[key])
  return result
}
