// Runs off the main thread: fetches, decodes, orders and lays out a trace, then keeps its tags for the side panel.
import { buffersOf, type TraceColumns } from './columns.ts'
import { decodeSpans } from './decode-spans.ts'
import { LoadedTrace } from './loaded-trace.ts'
import type { Problem, TraceSource, WorkerAnswer, WorkerRequest } from './worker-protocol.ts'

let loaded: LoadedTrace | undefined

addEventListener('message', async (event: MessageEvent<WorkerRequest>) => {
  const request = event.data
  try {
    await answer(request)
  } catch (error) {
    const problem = isProblem(error) ? error : { message: (error as Error).message }
    send({ type: 'failed', number: request.number, problem })
  }
})

async function answer(request: WorkerRequest): Promise<void> {
  const { number } = request
  if (request.type === 'load') {
    const { spans, unreadable } = decodeSpans(await read(request.source))
    loaded = new LoadedTrace(spans, unreadable)
    sendTrace('loaded', number, loaded.columns)
    return
  }
  if (!loaded) throw new Error('No trace is loaded')
  if (request.type === 'raw') sendTrace('raw', number, loaded.rawColumns())
  else if (request.type === 'detail') {
    const details = request.spans.map(index => loaded!.detail(index)).filter(detail => detail !== undefined)
    const anatomy = loaded.anatomy(request.spans[0] ?? -1)
    send({ type: 'detail', number, details, ...(anatomy ? { anatomy } : {}) })
  } else if (request.type === 'find') {
    const spans = Int32Array.from(loaded.find(request.text))
    send({ type: 'found', number, spans }, [spans.buffer])
  } else {
    send({ type: 'exported', number, json: JSON.stringify(loaded.reported) })
  }
}

function sendTrace(type: 'loaded' | 'raw', number: number, trace: TraceColumns): void {
  const { high, low } = trace.spanIds
  const buffers = [...buffersOf(trace.spans), ...buffersOf(trace.hops), high.buffer, low.buffer]
  send({ type, number, trace }, buffers as ArrayBuffer[])
}

async function read(source: TraceSource): Promise<string> {
  if ('bytes' in source) return new TextDecoder().decode(source.bytes)
  let response: Response
  try {
    response = await fetch(source.url, { headers: { accept: 'application/json' } })
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

function send(message: WorkerAnswer, transfer: Transferable[] = []): void {
  postMessage(message, { transfer })
}
