import type { TraceColumns } from './columns.ts'
import type { Problem, TraceSource, WorkerAnswer, WorkerRequest } from './worker-protocol.ts'

export type RowDetail = Pick<WorkerAnswer & { type: 'detail' }, 'details' | 'anatomy'>
type Pending = { resolve: (answer: WorkerAnswer) => void; reject: (problem: Problem) => void }
type WithoutNumber<T> = T extends unknown ? Omit<T, 'number'> : never

/** The page's end of the trace worker: one worker a trace, ended with it. */
export class TraceClient {
  readonly #worker = new Worker(new URL('./trace-worker.ts', import.meta.url), { type: 'module' })
  readonly #pending = new Map<number, Pending>()
  #next = 0

  constructor() {
    this.#worker.addEventListener('message', (event: MessageEvent<WorkerAnswer>) => {
      const pending = this.#pending.get(event.data.number)
      this.#pending.delete(event.data.number)
      if (event.data.type === 'failed') pending?.reject(event.data.problem)
      else pending?.resolve(event.data)
    })
    this.#worker.addEventListener('error', event => {
      const problem = { message: event.message || 'The trace worker could not start.' }
      for (const pending of this.#pending.values()) pending.reject(problem)
      this.#pending.clear()
    })
  }

  async load(source: TraceSource): Promise<TraceColumns> {
    const answer = await this.#ask({ type: 'load', source })
    return (answer as WorkerAnswer & { type: 'loaded' }).trace
  }

  /** Tags and all of some spans, and the parts of the call that the first of them belongs to. */
  async detail(spans: readonly number[]): Promise<RowDetail> {
    const answer = await this.#ask({ type: 'detail', spans })
    return answer as WorkerAnswer & { type: 'detail' }
  }

  /** Indices of spans that have every word of the text in their names, tags or annotations. */
  async find(text: string): Promise<Int32Array> {
    const answer = await this.#ask({ type: 'find', text })
    return (answer as WorkerAnswer & { type: 'found' }).spans
  }

  /** The trace's rows with times as they were reported, clock skew and all. */
  async raw(): Promise<TraceColumns> {
    const answer = await this.#ask({ type: 'raw' })
    return (answer as WorkerAnswer & { type: 'raw' }).trace
  }

  /** The spans as they were reported, as Zipkin JSON v2. */
  async export(): Promise<string> {
    const answer = await this.#ask({ type: 'export' })
    return (answer as WorkerAnswer & { type: 'exported' }).json
  }

  close(): void {
    this.#worker.terminate()
    this.#pending.clear()
  }

  #ask(request: WithoutNumber<WorkerRequest>): Promise<WorkerAnswer> {
    const number = ++this.#next
    return new Promise((resolve, reject) => {
      this.#pending.set(number, { resolve, reject })
      this.#worker.postMessage({ ...request, number } satisfies WorkerRequest)
    })
  }
}
