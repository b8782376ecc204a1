import { lowTraceId, type Milliseconds, type Span } from '@hopscope/model'
import type { Database } from 'better-sqlite3'
import { startMs } from '../trace-group.ts'
import type { Names } from './names.ts'
import { encodeTerms } from './terms.ts'

/** `part.service` of spans without local service. */
const NO_SERVICE = 0

/** Traces whose rows are known without a look: spans of a trace come within seconds of each other. */
const RECENT_TRACES = 20_000

interface Trace {
  id: number
  first_ms: Milliseconds | null
  last_ms: Milliseconds | null
  untimed: number
  spans: number
}

/** Inserts spans; the caller has a transaction open, and makes a new writer when it was rolled back. */
export class Writer {
  #findTrace
  #insertTrace
  #updateTrace
  #updateSpans
  #insertPart
  #searchEnabled: boolean
  /** By low id; the least recently made is forgotten first. */
  #recent = new Map<string, Trace>()
  #deletedUpTo = 0

  constructor(database: Database, searchEnabled: boolean) {
    this.#searchEnabled = searchEnabled
    this.#findTrace = database.prepare<[string], Trace>(
      'select id, first_ms, last_ms, untimed, spans from trace where low = ?',
    )
    this.#insertTrace = database.prepare<[string, number | null, number | null, number, number]>(
      'insert into trace (low, first_ms, last_ms, untimed, spans) values (?, ?, ?, ?, ?)',
    )
    this.#updateTrace = database.prepare<[number | null, number | null, number, number, number]>(
      'update trace set first_ms = ?, last_ms = ?, untimed = ?, spans = ? where id = ?',
    )
    this.#updateSpans = database.prepare<[number, number]>('update trace set spans = ? where id = ?')
    this.#insertPart = database.prepare<[number, number, number, Buffer, string]>(
      'insert into part (trace, service, max_duration, terms, spans) values (?, ?, ?, ?, ?)',
    )
  }

  /** Returns how many traces are new. */
  write(spans: readonly Span[], names: Names): number {
    let newTraces = 0
    for (const [low, group] of groupBy(spans, span => lowTraceId(span.traceId))) {
      const trace = this.#writeTrace(low, group)
      if (trace.spans === group.length) newTraces++
      for (const [service, part] of groupBy(group, span => span.localEndpoint?.serviceName)) {
        this.#writePart(trace.id, service, part, names)
      }
    }
    if (this.#searchEnabled) names.addTags(spans)
    return newTraces
  }

  /** Traces up to this number were deleted. */
  forget(last: number): void {
    this.#deletedUpTo = last
  }

  #find(low: string): Trace | undefined {
    const recent = this.#recent.get(low)
    return recent !== undefined && recent.id > this.#deletedUpTo ? recent : this.#findTrace.get(low)
  }

  #writeTrace(low: string, spans: readonly Span[]): Trace {
    const known = this.#find(low)
    const trace = known ?? { id: 0, first_ms: null, last_ms: null, untimed: 0, spans: 0 }
    const { first_ms, last_ms, untimed } = trace
    for (const span of spans) {
      const ms = startMs(span)
      if (ms === undefined) {
        trace.untimed = 1
        continue
      }
      if (trace.first_ms === null || ms < trace.first_ms) trace.first_ms = ms
      if (trace.last_ms === null || ms > trace.last_ms) trace.last_ms = ms
    }
    trace.spans += spans.length
    if (known === undefined) {
      const { lastInsertRowid } = this.#insertTrace.run(low, trace.first_ms, trace.last_ms, trace.untimed, trace.spans)
      trace.id = Number(lastInsertRowid)
    } else if (trace.first_ms === first_ms && trace.last_ms === last_ms && trace.untimed === untimed) {
      // The usual case, and the cheap one: the time index is left alone.
      this.#updateSpans.run(trace.spans, trace.id)
    } else {
      this.#updateTrace.run(trace.first_ms, trace.last_ms, trace.untimed, trace.spans, trace.id)
    }
    this.#remember(low, trace)
    return trace
  }

  #remember(low: string, trace: Trace): void {
    this.#recent.set(low, trace)
    if (this.#recent.size <= RECENT_TRACES) return
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest)
      break
    }
  }

  #writePart(trace: number, service: string | undefined, spans: readonly Span[], names: Names): void {
    const json = JSON.stringify(spans)
    if (!this.#searchEnabled) {
      this.#insertPart.run(trace, NO_SERVICE, 0, Buffer.alloc(0), json)
      return
    }
    const serviceId = service === undefined ? NO_SERVICE : names.add(service, spans)
    let maxDuration = 0
    for (const { duration } of spans) if (duration !== undefined && duration > maxDuration) maxDuration = duration
    this.#insertPart.run(trace, serviceId, maxDuration, encodeTerms(spans), json)
  }
}

function groupBy<K>(spans: readonly Span[], key: (span: Span) => K): Map<K, Span[]> {
  const groups = new Map<K, Span[]>()
  for (const span of spans) {
    const k = key(span)
    const group = groups.get(k)
    if (group === undefined) groups.set(k, [span])
    else group.push(span)
  }
  return groups
}
