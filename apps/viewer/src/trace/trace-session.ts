import type { Span } from '@hopscope/model'
import { COLUMNS_CONTENT_TYPE, type DecodedColumns, decodeColumns } from '@hopscope/model/columns'
import { buffersOf, type TraceColumns } from './columns.ts'
import { decodeFile, parseJson } from './decode-file.ts'
import { decodeSpans } from './decode-spans.ts'
import { findLostCalls } from './find-lost-calls.ts'
import { joinTraces } from './join-traces.ts'
import { LoadedTrace, type SpanDetail } from './loaded-trace.ts'
import type { ExportFormat, Problem, StoredTrace, TraceSource, WorkerAnswer, WorkerRequest } from './worker-protocol.ts'

export type Send = (answer: WorkerAnswer, transfer?: Transferable[]) => void

/** Of smaller traces the tags are fetched behind the columns, of larger ones when somebody asks for what needs all. */
const EAGER_SPANS = 200_000
/** ms for the page to draw its rows in, undisturbed. */
const EAGER_AFTER = 200
/** Spans looked through at a time: the first hits are told before all is read, and a newer question is heard. */
const FIND_AT_ONCE = 8_000
/** ms in which the spans of a trace that grows are gathered. */
const GATHER_MS = 100

/** One trace, kept with all its tags: loaded once, then asked for rows, details and exports; and followed while it grows. */
export class TraceSession {
  readonly #send: Send
  #loaded: LoadedTrace | undefined
  #source: TraceSource | undefined
  /** The tags that are on their way. */
  #tags: Promise<LoadedTrace> | undefined
  #find = 0
  #arrived: Span[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(send: Send) {
    this.#send = send
  }

  /** Every request has an answer, a failure in words when nothing else. */
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
      this.#source = request.source
      this.#loaded = await load(request.source)
      const isEager = this.#loaded.columns.counts.spans <= EAGER_SPANS
      this.#sendTrace('loaded', number, this.#loaded)
      // Who needs them is told when they fail.
      if (isEager) setTimeout(() => void this.#withTags().catch(() => undefined), EAGER_AFTER)
      return
    }
    const loaded = this.#loaded
    if (!loaded) throw new Error('No trace is loaded')
    switch (request.type) {
      case 'raw': {
        const trace = loaded.rawColumns()
        this.#send({ type: 'raw', number, trace }, buffersOfTrace(trace))
        break
      }
      case 'detail': {
        const anatomy = loaded.anatomy(request.spans[0] ?? -1)
        const details = await this.#details(loaded, request.spans)
        this.#send({ type: 'detail', number, details, ...(anatomy ? { anatomy } : {}) })
        break
      }
      case 'find':
        await this.#findAll(await this.#withTags(), request.text, number)
        break
      case 'lost': {
        const load = async (path: string) => parseJson(await fetchText(request.api + path))
        const { own } = await this.#withTags()
        this.#send({ type: 'lost', number, lost: await findLostCalls(own!, load) })
        break
      }
      case 'follow':
        this.#follow(request.stream)
        break
      case 'export':
        this.#send({ type: 'exported', number, json: await exported(await this.#withTags(), request.format) })
    }
  }

  #sendTrace(type: 'loaded' | 'grown', number: number, { columns }: LoadedTrace): void {
    this.#send({ type, number, trace: columns }, buffersOfTrace(columns))
  }

  /** The trace when its tags are here too. */
  #withTags(): Promise<LoadedTrace> {
    const loaded = this.#loaded!
    if (loaded.hasTags) return Promise.resolve(loaded)
    this.#tags ??= this.#fetchTags(loaded).finally(() => {
      this.#tags = undefined
    })
    return this.#tags
  }

  async #fetchTags(loaded: LoadedTrace): Promise<LoadedTrace> {
    const { spans } = await fetchSpans((this.#source as StoredTrace).url)
    if (loaded.give(spans)) return loaded
    // It has grown since its columns came.
    this.#loaded = new LoadedTrace(spans)
    this.#sendTrace('grown', 0, this.#loaded)
    return this.#loaded
  }

  /** Of a large trace only the spans of one row are fetched. */
  async #details(loaded: LoadedTrace, spans: readonly number[]): Promise<SpanDetail[]> {
    const source = this.#source!
    if (loaded.hasTags || this.#tags || !('url' in source) || source.own === undefined) {
      const tagged = await this.#withTags()
      return spans.map(index => tagged.detail(index)).filter(detail => detail !== undefined)
    }
    const { table } = loaded.read
    const ids = new Set(spans.map(span => table.ids[table.id[span]!]!))
    const fetched = new Map<string, Span[]>()
    for (const id of ids) {
      const url = `${source.own}/spans/${encodeURIComponent(id)}`
      fetched.set(id, decodeSpans(parseJson(await fetchText(url))).spans)
    }
    return spans.flatMap(index => {
      const id = table.id[index]!
      const nth = index - table.id.indexOf(id)
      const span = fetched.get(table.ids[id]!)?.[nth]
      return span ? [loaded.detailOf(index, span)] : []
    })
  }

  async #findAll(loaded: LoadedTrace, text: string, number: number): Promise<void> {
    const own = ++this.#find
    const { count } = loaded.read.table
    for (let from = 0; own === this.#find; from += FIND_AT_ONCE) {
      const spans = Int32Array.from(loaded.findFrom(text, from, Math.min(count, from + FIND_AT_ONCE)))
      const isDone = from + FIND_AT_ONCE >= count
      if (spans.length > 0 || isDone) this.#send({ type: 'found', number, spans, isDone }, [spans.buffer])
      if (isDone) return
      await new Promise(resolve => setTimeout(resolve))
    }
    this.#send({ type: 'found', number, spans: new Int32Array(0), isDone: true })
  }

  /** Spans of the trace as they are stored; it ends with the worker. */
  #follow(stream: string): void {
    new EventSource(stream).addEventListener('span', event => {
      this.#arrived.push(JSON.parse(event.data) as Span)
      this.#timer ??= setTimeout(() => void this.#grow(), GATHER_MS)
    })
  }

  async #grow(): Promise<void> {
    const began = performance.now()
    try {
      const { own } = await this.#withTags()
      const known = new Set(own!.map(keyOf))
      const fresh = decodeSpans(this.#arrived.splice(0)).spans.filter(span => !known.has(keyOf(span)))
      if (fresh.length > 0) {
        this.#loaded = new LoadedTrace([...own!, ...fresh])
        this.#sendTrace('grown', 0, this.#loaded)
      }
    } catch {
      // The trace on screen stays as it is; what comes next tries again.
    }
    // A large trace is not read anew all the time.
    const rest = Math.max(GATHER_MS, 2 * (performance.now() - began))
    this.#timer = undefined
    if (this.#arrived.length > 0) this.#timer = setTimeout(() => void this.#grow(), rest)
  }
}

/** The same span told twice: by the trace as it was read, and by the stream. */
function keyOf({ id, kind, shared, timestamp, duration, localEndpoint }: Span): string {
  return `${id} ${kind} ${shared} ${timestamp} ${duration} ${localEndpoint?.serviceName}`
}

function buffersOfTrace({ spans, hops, spanIds }: TraceColumns): ArrayBuffer[] {
  return [...buffersOf(spans), ...buffersOf(hops), spanIds.high.buffer, spanIds.low.buffer] as ArrayBuffer[]
}

async function load(source: TraceSource): Promise<LoadedTrace> {
  if ('bytes' in source) {
    const { spans, unreadable, otherTraces } = await decodeFile(source.bytes)
    return new LoadedTrace(spans, { unreadable, otherTraces })
  }
  const joins = source.joins ?? []
  if (joins.length === 0 && source.own !== undefined) {
    const columns = await fetchColumns(`${source.own}/columns`)
    if (columns) return new LoadedTrace(columns)
  }
  const { spans, unreadable } = await fetchSpans(source.url)
  const others = await Promise.all(
    joins.map(async ({ url, parentId }) => ({ spans: (await fetchSpans(url)).spans, parentId })),
  )
  const { spans: all, inferred } = joinTraces(spans, others)
  return new LoadedTrace(all, { unreadable, inferred, own: spans })
}

/** Undefined where the server has no such thing, or not this trace: Zipkin's API then says which. */
async function fetchColumns(url: string): Promise<DecodedColumns | undefined> {
  const response = await fetch(url, { headers: { accept: COLUMNS_CONTENT_TYPE } }).catch(() => undefined)
  if (!response?.ok || response.headers.get('content-type') !== COLUMNS_CONTENT_TYPE) return undefined
  return decodeColumns(new Uint8Array(await response.arrayBuffer()))
}

async function exported(loaded: LoadedTrace, format: ExportFormat): Promise<string> {
  // Without what was joined to it: an inference is not written down as if somebody had reported it.
  if (format === 'zipkin') return JSON.stringify(loaded.own)
  const { encodeOtlpJson } = await import('@hopscope/model/formats')
  return encodeOtlpJson(loaded.own!)
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
