import { Worker } from 'node:worker_threads'
import { DamageError } from './piece.ts'
import type { KeptLink, SealerAnswer, SealerOptions, SealerRequest } from './sealer-protocol.ts'
import type { SegmentMeta } from './segment.ts'
import { storeError } from './sqlite-error.ts'

interface Asked {
  resolve: (meta: SegmentMeta | undefined) => void
  reject: (error: unknown) => void
}

/** Writes segments on a thread of its own, in the order in which it is asked; started with the first request. */
export class Sealer {
  readonly #options: SealerOptions
  #worker: Worker | undefined
  #asked: Asked[] = []

  constructor(options: SealerOptions) {
    this.#options = options
  }

  async seal(log: string, number: number, end: number): Promise<SegmentMeta> {
    return (await this.#ask({ do: 'seal', log, number, end }))!
  }

  async merge(ids: number[], id: number): Promise<SegmentMeta> {
    return (await this.#ask({ do: 'merge', ids, id }))!
  }

  async delete(ids: number[]): Promise<void> {
    await this.#ask({ do: 'delete', ids })
  }

  async keep(links: KeptLink[]): Promise<void> {
    await this.#ask({ do: 'keep', links })
  }

  async close(): Promise<void> {
    if (this.#worker !== undefined) await this.#ask({ do: 'close' })
    await this.#worker?.terminate()
  }

  #ask(request: SealerRequest): Promise<SegmentMeta | undefined> {
    return new Promise((resolve, reject) => {
      this.#worker ??= this.#start()
      this.#asked.push({ resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage(request)
    })
  }

  #start(): Worker {
    const worker = new Worker(new URL('./sealer-worker.ts', import.meta.url), { workerData: this.#options })
    worker.on('message', (answer: SealerAnswer) => {
      const { resolve, reject } = this.#asked.shift()!
      if (this.#asked.length === 0) worker.unref()
      if (!('error' in answer)) resolve(answer.meta)
      else reject(storeError(this.#options.file, errorOf(answer.error)))
    })
    const end = (error: unknown): void => {
      if (this.#worker !== worker) return
      // The next request starts another; what this one was at is asked again by who waits for it.
      this.#worker = undefined
      const asked = this.#asked
      this.#asked = []
      for (const { reject } of asked) reject(storeError(this.#options.file, error))
    }
    worker.on('error', end)
    worker.on('exit', code => end(new Error(`the thread that writes segments ended with ${code}`)))
    return worker
  }
}

function errorOf({ name, message, code }: { name: string; message: string; code?: string }): Error {
  const error = name === 'DamageError' ? new DamageError(message) : new Error(message)
  return code === undefined ? error : Object.assign(error, { code })
}
