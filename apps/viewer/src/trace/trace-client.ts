import type { TraceColumns } from './columns.ts'
import { connect } from './connect-worker.ts'
import type { LostCall } from './find-lost-calls.ts'
import type { ExportFormat, Problem, TraceSource, WorkerAnswer, WorkerRequest } from './worker-protocol.ts'

export type RowDetail = Pick<WorkerAnswer & { type: 'detail' }, 'details' | 'anatomy'>
type Pending = { resolve: (answer: WorkerAnswer) => void; reject: (problem: Problem) => void }
type WithoutNumber<T> = T extends unknown ? Omit<T, 'number'> : never

/** The other end, wherever it runs. */
export interface Connection {
  send(request: WorkerRequest): void
  close(): void
}

/** The page's end of the trace worker: one worker a trace, ended with it. */
export class TraceClient {
  readonly #connection: Connection
  readonly #pending = new Map<number, Pending>()
  #next = 0

  constructor() {
    this.#connection = connect(
      answer => {
        const pending = this.#pending.get(answer.number)
        this.#pending.delete(answer.number)
        if (answer.type === 'failed') pending?.reject(answer.problem)
        else pending?.resolve(answer)
      },
      message => {
        for (const pending of this.#pending.values()) pending.reject({ message })
        this.#pending.clear()
      },
    )
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

  /** Calls in other traces that may belong to this one; `api` is the address of Zipkin's API. */
  async findLost(api: string): Promise<LostCall[]> {
    const answer = await this.#ask({ type: 'lost', api })
    return (answer as WorkerAnswer & { type: 'lost' }).lost
  }

  /** The trace's rows with times as they were reported, clock skew and all. */
  async raw(): Promise<TraceColumns> {
    const answer = await this.#ask({ type: 'raw' })
    return (answer as WorkerAnswer & { type: 'raw' }).trace
  }

  /** The spans as they were reported. */
  async export(format: ExportFormat): Promise<string> {
    const answer = await this.#ask({ type: 'export', format })
    return (answer as WorkerAnswer & { type: 'exported' }).json
  }

  close(): void {
    this.#connection.close()
    this.#pending.clear()
  }

  #ask(request: WithoutNumber<WorkerRequest>): Promise<WorkerAnswer> {
    const number = ++this.#next
    return new Promise((resolve, reject) => {
      this.#pending.set(number, { resolve, reject })
      this.#connection.send({ ...request, number })
    })
  }
}
