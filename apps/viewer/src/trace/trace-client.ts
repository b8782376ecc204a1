import type { TraceColumns } from './columns.ts'
import { connect } from './connect-worker.ts'
import type { LostCalls } from './find-lost-calls.ts'
import type { Connection, ExportFormat, Problem, TraceSource, WorkerAnswer, WorkerRequest } from './worker-protocol.ts'

export type RowDetail = Pick<WorkerAnswer & { type: 'detail' }, 'details' | 'anatomy'>
interface Pending {
  resolve: (answer: WorkerAnswer) => void
  reject: (problem: Problem) => void
  onPart?: ((spans: Int32Array) => void) | undefined
}
type WithoutNumber<T> = T extends unknown ? Omit<T, 'number'> : never

/** The page's end of the trace worker: one worker a trace, ended with it. */
export class TraceClient {
  readonly #connection: Connection
  readonly #pending = new Map<number, Pending>()
  #next = 0
  #onGrown: ((trace: TraceColumns) => void) | undefined

  constructor() {
    this.#connection = connect(
      answer => {
        if (answer.type === 'grown') {
          this.#onGrown?.(answer.trace)
          return
        }
        const pending = this.#pending.get(answer.number)
        if (answer.type === 'found' && !answer.isDone) {
          pending?.onPart?.(answer.spans)
          return
        }
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

  /** Indices of spans that have every word of the text in their names, tags or annotations; some, then the rest. */
  async find(text: string, onPart: (spans: Int32Array) => void): Promise<void> {
    const answer = await this.#ask({ type: 'find', text }, onPart)
    onPart((answer as WorkerAnswer & { type: 'found' }).spans)
  }

  /** From now on `onGrown` is told the whole trace whenever spans of it come. `stream`: address of the events. */
  follow(stream: string, onGrown: (trace: TraceColumns) => void): void {
    this.#onGrown = onGrown
    this.#connection.send({ type: 'follow', number: 0, stream })
  }

  /** Calls in other traces that may belong to this one; `api` is the address of Zipkin's API. */
  async findLost(api: string): Promise<LostCalls> {
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

  #ask(request: WithoutNumber<WorkerRequest>, onPart?: Pending['onPart']): Promise<WorkerAnswer> {
    const number = ++this.#next
    return new Promise((resolve, reject) => {
      this.#pending.set(number, { resolve, reject, onPart })
      this.#connection.send({ ...request, number })
    })
  }
}
