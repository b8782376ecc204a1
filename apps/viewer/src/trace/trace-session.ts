import { buffersOf, type TraceColumns } from './columns.ts'
import { decodeFile, parseJson } from './decode-file.ts'
import { decodeSpans } from './decode-spans.ts'
import { joinTraces } from './join-traces.ts'
import { LoadedTrace } from './loaded-trace.ts'
import type { ExportFormat, Problem, TraceSource, WorkerAnswer, WorkerRequest } from './worker-protocol.ts'

export type Send = (answer: WorkerAnswer, transfer?: Transferable[]) => void

/** One trace, kept with all its tags: loaded once, then asked for rows, details and exports. */
export class TraceSession {
  readonly #send: Send
  #loaded: LoadedTrace | undefined

  constructor(send: Send) {
    this.#send = send
  }

  /** Every request has one answer, a failure in words when nothing else. */
  async handle(request: WorkerRequest): Promise<void> {
    try {
      await this.#answer(request)
    } catch (error) {
      const problem = isProblem(error) ? error : { message: (error as Error).message }
      this.#send({ type: 'failed', number: request.number, problem })
    }
  }

  async #answer(request: WorkerRequest): Promise<void> {
    const { number } = request
    if (request.type === 'load') {
      this.#loaded = await load(request.source)
      this.#sendTrace('loaded', number, this.#loaded.columns)
      return
    }
    const loaded = this.#loaded
    if (!loaded) throw new Error('No trace is loaded')
    switch (request.type) {
      case 'raw':
        this.#sendTrace('raw', number, loaded.rawColumns())
        break
      case 'detail': {
        const details = request.spans.map(index => loaded.detail(index)).filter(detail => detail !== undefined)
        const anatomy = loaded.anatomy(request.spans[0] ?? -1)
        this.#send({ type: 'detail', number, details, ...(anatomy ? { anatomy } : {}) })
        break
      }
      case 'find': {
        const spans = Int32Array.from(loaded.find(request.text))
        this.#send({ type: 'found', number, spans }, [spans.buffer])
        break
      }
      case 'lost': {
        const { findLostCalls } = await import('./find-lost-calls.ts')
        const load = async (path: string) => parseJson(await fetchText(request.api + path))
        this.#send({ type: 'lost', number, lost: await findLostCalls(loaded.own, load) })
        break
      }
      case 'export':
        this.#send({ type: 'exported', number, json: await exported(loaded, request.format) })
    }
  }

  #sendTrace(type: 'loaded' | 'raw', number: number, trace: TraceColumns): void {
    const { high, low } = trace.spanIds
    const buffers = [...buffersOf(trace.spans), ...buffersOf(trace.hops), high.buffer, low.buffer]
    this.#send({ type, number, trace }, buffers as ArrayBuffer[])
  }
}

async function load(source: TraceSource): Promise<LoadedTrace> {
  if ('bytes' in source) {
    const { spans, unreadable, otherTraces } = await decodeFile(source.bytes)
    return new LoadedTrace(spans, { unreadable, otherTraces })
  }
  const { spans, unreadable } = await fetchSpans(source.url)
  const others = await Promise.all(
    (source.joins ?? []).map(async ({ url, parentId }) => ({ spans: (await fetchSpans(url)).spans, parentId })),
  )
  const { spans: all, inferred } = joinTraces(spans, others)
  return new LoadedTrace(all, { unreadable, inferred, own: spans })
}

async function exported(loaded: LoadedTrace, format: ExportFormat): Promise<string> {
  // Without what was joined to it: an inference is not written down as if somebody had reported it.
  if (format === 'zipkin') return JSON.stringify(loaded.own)
  const { encodeOtlpJson } = await import('@hopscope/model/formats')
  return encodeOtlpJson(loaded.own)
}

async function fetchSpans(url: string) {
  return decodeSpans(parseJson(await fetchText(url)))
}

async function fetchText(url: string): Promise<string> {
  let response: Response
  try {
    response = await fetch(url, { headers: { accept: 'application/json' } })
  } catch {
    throw { message: 'The request failed before an answer came.', isDown: true } satisfies Problem
  }
  if (!response.ok) {
    const text = (await response.text()).slice(0, 500)
    throw { message: text || response.statusText, status: response.status } satisfies Problem
  }
  return response.text()
}

function isProblem(error: unknown): error is Problem {
  return typeof error === 'object' && error !== null && !(error instanceof Error) && 'message' in error
}
