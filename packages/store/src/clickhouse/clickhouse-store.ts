import {
  type DependencyLink,
  DependencyLinker,
  decodeJsonV2,
  lowTraceId,
  type Milliseconds,
  matches,
  type QueryRequest,
  type Span,
} from '@hopscope/model'
import { isInSample } from '../is-in-sample.ts'
import { untilAborted } from '../pause.ts'
import {
  AUTOCOMPLETE_CARDINALITY,
  type SampleRequest,
  type SpanStore,
  StoreError,
  type StoreOptions,
  type StoreStats,
} from '../store.ts'
import { ClickHouseClient, type ClickHouseOptions } from './client.ts'
import { InsertQueue } from './insert-queue.ts'
import { schema } from './schema.ts'
import { searchSql, slices } from './search.ts'

export interface ClickHouseStoreOptions extends StoreOptions, ClickHouseOptions {
  /** Days that spans are kept after they came. There is no limit by count. */
  ttlDays?: number
}

/** Traces that are read at once. */
const CHUNK = 200
/** Of a sample, traces that are read at once, and at most. */
const CHUNK_SAMPLED = 50
const MOST_SAMPLED = 5_000
/** How old what `stats` tells may be, ms. */
const STATS_EVERY_MS = 10_000

/**
 * Spans in ClickHouse, for who outgrows one machine: several collectors may share one. Answers as every store does; what
 * ClickHouse finds, `matches` looks at again. Spans go with the day that they came, not with their number.
 */
export class ClickHouseStore implements SpanStore {
  readonly name: string
  readonly #client: ClickHouseClient
  readonly #queue: InsertQueue
  readonly #database: string
  readonly #ttlDays: number
  readonly #strictTraceId: boolean
  readonly #searchEnabled: boolean
  readonly #autocompleteKeys: ReadonlySet<string>
  #schema: Promise<void> | undefined
  #stats: StoreStats = { spans: 0, traces: 0, bytes: 0 }
  #refresh: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: ClickHouseStoreOptions) {
    this.#client = new ClickHouseClient(options)
    this.#queue = new InsertQueue(this.#client)
    this.#database = options.database
    this.#ttlDays = options.ttlDays ?? 7
    this.#strictTraceId = options.strictTraceId ?? true
    this.#searchEnabled = options.searchEnabled ?? true
    this.#autocompleteKeys = new Set(options.autocompleteKeys)
    this.name = `ClickHouseStorage{${options.url}, ${options.database}}`
  }

  async accept(spans: readonly Span[]): Promise<void> {
    await this.#ready()
    await this.#queue.insert(spans)
  }

  async getTraces(request: QueryRequest, signal?: AbortSignal): Promise<Span[][]> {
    if (!this.#searchEnabled) return []
    await untilAborted(this.#ready(), signal)
    const found: Span[][] = []
    const { having, parameters } = searchSql(request)
    const key = this.#strictTraceId ? 'trace_id' : 'low_id'
    const start = request.endTs - request.lookback
    for (const [from, to] of slices(request.endTs, request.lookback)) {
      // In a slice are the traces whose newest span of the window is there; a timeless span stands at 0 and is in none.
      const candidates = await this.#client.all<{ key: string }>(
        `SELECT ${key} AS key, any(low_id) AS low, maxIf(ms, ms > 0 AND ms BETWEEN {start:Int64} AND {end:Int64}) AS newest
         FROM moments
         WHERE low_id IN (SELECT low_id FROM moments WHERE ms > 0 AND ms BETWEEN {from:Int64} AND {to:Int64})
         GROUP BY ${key}
         HAVING newest BETWEEN {from:Int64} AND {to:Int64} AND newest > 0 AND ${having}
         ORDER BY newest DESC, low DESC, key DESC`,
        { ...parameters, start, end: request.endTs, from, to },
        signal,
      )
      // As many as are wanted, then ever more: only where `matches` says otherwise than ClickHouse.
      for (let i = 0, size = request.limit - found.length; i < candidates.length; size *= 4) {
        const next = candidates.slice(i, i + Math.min(CHUNK, size))
        i += next.length
        const traces = await this.#read(
          next.map(candidate => candidate.key),
          signal,
        )
        for (const trace of traces) {
          if (matches(request, trace)) found.push(trace)
          if (found.length === request.limit) return found
        }
      }
    }
    return found
  }

  async getTrace(traceId: string, signal?: AbortSignal): Promise<Span[]> {
    await untilAborted(this.#ready(), signal)
    return (await this.#read([traceId], signal))[0] ?? []
  }

  async getTracesByIds(traceIds: readonly string[], signal?: AbortSignal): Promise<Span[][]> {
    await untilAborted(this.#ready(), signal)
    return this.#read(traceIds, signal)
  }

  /** In the order of a hash of their ids: whatever is first of them lies all over the window. */
  async sampleTraces(request: SampleRequest, visit: (spans: Span[]) => boolean, signal?: AbortSignal): Promise<number> {
    await untilAborted(this.#ready(), signal)
    const { having, parameters } = searchSql({ ...request, limit: 1 })
    const candidates = await this.#client.all<{ key: string; total: number }>(
      `SELECT key, count() OVER () AS total FROM
         (SELECT ${this.#strictTraceId ? 'trace_id' : 'low_id'} AS key FROM moments
          WHERE low_id IN (SELECT low_id FROM moments WHERE ms > 0 AND ms BETWEEN {start:Int64} AND {end:Int64})
          GROUP BY key
          HAVING countIf(ms > 0 AND ms BETWEEN {start:Int64} AND {end:Int64}) > 0 AND ${having})
       ORDER BY cityHash64(key) LIMIT ${MOST_SAMPLED}`,
      { ...parameters, start: request.endTs - request.lookback, end: request.endTs },
      signal,
    )
    for (let i = 0; i < candidates.length; i += CHUNK_SAMPLED) {
      const keys = candidates.slice(i, i + CHUNK_SAMPLED).map(({ key }) => key)
      for (const trace of await this.#read(keys, signal)) {
        if (isInSample(request, trace) && !visit(trace)) return candidates[0]!.total
      }
    }
    return candidates[0]?.total ?? 0
  }

  async getServiceNames(signal?: AbortSignal): Promise<string[]> {
    return this.#names('SELECT DISTINCT service AS value FROM names', '', signal)
  }

  async getSpanNames(service: string, signal?: AbortSignal): Promise<string[]> {
    return this.#names(
      "SELECT DISTINCT name AS value FROM names WHERE service = {service:String} AND name != ''",
      service,
      signal,
    )
  }

  async getRemoteServiceNames(service: string, signal?: AbortSignal): Promise<string[]> {
    return this.#names(
      "SELECT DISTINCT remote AS value FROM names WHERE service = {service:String} AND remote != ''",
      service,
      signal,
    )
  }

  async getAutocompleteValues(key: string, signal?: AbortSignal): Promise<string[]> {
    if (!this.#searchEnabled || !this.#autocompleteKeys.has(key)) return []
    await untilAborted(this.#ready(), signal)
    const rows = await this.#client.all<{ value: string }>(
      `SELECT DISTINCT tags[{key:String}] AS value FROM moments WHERE mapContains(tags, {key:String})
       LIMIT ${AUTOCOMPLETE_CARDINALITY}`,
      { key },
      signal,
    )
    return rows.map(({ value }) => value).sort()
  }

  async getDependencies(endTs: Milliseconds, lookback: Milliseconds, signal?: AbortSignal): Promise<DependencyLink[]> {
    await untilAborted(this.#ready(), signal)
    const linker = new DependencyLinker()
    const rows = this.#client.rows<{ low_id: string; json: string }>(
      `SELECT low_id, json FROM spans
       WHERE low_id IN (SELECT low_id FROM moments WHERE ms BETWEEN {start:Int64} AND {end:Int64})
       ORDER BY low_id, seq`,
      { start: endTs - lookback, end: endTs },
      signal,
    )
    let current = ''
    let texts: string[] = []
    for await (const { low_id, json } of rows) {
      if (low_id !== current) linker.putTrace(spansOf(texts))
      if (low_id !== current) texts = []
      current = low_id
      texts.push(json)
    }
    linker.putTrace(spansOf(texts))
    return linker.links()
  }

  stats(): StoreStats {
    return this.#stats
  }

  async check(): Promise<void> {
    await this.#ready()
    await this.#refreshStats()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#refresh)
    await this.#queue.drain()
  }

  /** In the order of the keys (whole ids, or low ones), those that are there, each once. */
  async #read(ids: readonly string[], signal?: AbortSignal): Promise<Span[][]> {
    const keyOf = this.#strictTraceId ? (id: string) => id : lowTraceId
    const keys = [...new Set(ids.map(keyOf))]
    if (keys.length === 0) return []
    const texts = new Map<string, string[]>(keys.map(key => [key, []]))
    const rows = this.#client.rows<{ trace_id: string; json: string }>(
      'SELECT trace_id, json FROM spans WHERE low_id IN {low:Array(String)} ORDER BY low_id, seq',
      { low: [...new Set(keys.map(lowTraceId))] },
      signal,
    )
    for await (const { trace_id, json } of rows) texts.get(keyOf(trace_id))?.push(json)
    return [...texts.values()].filter(ofTrace => ofTrace.length > 0).map(spansOf)
  }

  async #names(sql: string, service: string, signal: AbortSignal | undefined): Promise<string[]> {
    if (!this.#searchEnabled) return []
    await untilAborted(this.#ready(), signal)
    const rows = await this.#client.all<{ value: string }>(sql, { service }, signal)
    return rows.map(({ value }) => value).sort()
  }

  /** Makes the tables when they are not there; tried again while ClickHouse cannot be reached. */
  #ready(): Promise<void> {
    if (this.#isClosed) return Promise.reject(new StoreError('closed', 'The store is closed'))
    this.#schema ??= this.#createSchema().catch(error => {
      this.#schema = undefined
      throw error
    })
    return this.#schema
  }

  async #createSchema(): Promise<void> {
    if (!/^[A-Za-z_]\w*$/.test(this.#database)) {
      throw new StoreError('cannot-open', `ClickHouse: ${this.#database} is no name of a database`)
    }
    await this.#client.run(`CREATE DATABASE IF NOT EXISTS ${this.#database}`, 'default')
    for (const statement of schema(this.#ttlDays)) await this.#client.run(statement)
    this.#refresh = setInterval(() => void this.#refreshStats().catch(() => {}), STATS_EVERY_MS)
    this.#refresh.unref()
  }

  async #refreshStats(): Promise<void> {
    const [row] = await this.#client.all<StoreStats>(
      `SELECT (SELECT count() FROM spans) AS spans, (SELECT uniq(low_id) FROM spans) AS traces,
              (SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()) AS bytes`,
    )
    if (row) this.#stats = row
  }
}

/** Equal texts are equal spans: tags and annotations are written in one order. */
function spansOf(texts: readonly string[]): Span[] {
  if (texts.length === 0) return []
  return decodeJsonV2(new TextEncoder().encode(`[${[...new Set(texts)].join(',')}]`))
}
