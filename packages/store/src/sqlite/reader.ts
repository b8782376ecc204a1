import { lowTraceId, type Milliseconds, type QueryRequest, type Span } from '@hopscope/model'
import type { Database } from 'better-sqlite3'
import { collapseEqual } from '../trace-group.ts'
import type { Names } from './names.ts'
import { encodeTerm, nameTerm, remoteTerm, tagTerm } from './terms.ts'

/** A trace as search sees it first. */
export interface TraceRow {
  id: number
  low: string
  first_ms: Milliseconds
  last_ms: Milliseconds
  spans: number
}

/** Rows read at a time: a statement is never left open while the event loop goes on, or the log could not be reset. */
const PAGE = 256

export class Reader {
  #database: Database
  #timeline
  #untimed
  #parts
  #traceByLow

  constructor(database: Database) {
    this.#database = database
    this.#timeline = database.prepare<[number, number, number, number, number], TraceRow>(
      `select id, low, first_ms, last_ms, spans from trace
       where last_ms >= ? and first_ms <= ? and (last_ms, first_ms, id) < (?, ?, ?)
       order by last_ms desc, first_ms desc, id desc limit ${PAGE}`,
    )
    this.#untimed = database.prepare<[number], { id: number; spans: number }>(
      `select id, spans from trace where untimed = 1 and id > ? order by id limit ${PAGE}`,
    )
    this.#parts = database.prepare<[number], string>('select spans from part where trace = ? order by id').pluck()
    this.#traceByLow = database.prepare<[string], number>('select id from trace where low = ?').pluck()
  }

  /** Traces that may have a span within [from, to], by their latest span, newest first. */
  *timeline(from: Milliseconds, to: Milliseconds): Generator<TraceRow> {
    let after = [Number.MAX_SAFE_INTEGER, 0, 0] as [number, number, number]
    for (;;) {
      const page = this.#timeline.all(from, to, ...after)
      yield* page
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) return
      after = [last.last_ms, last.first_ms, last.id]
    }
  }

  /** Traces with a span that has no start. */
  *untimed(): Generator<{ id: number; spans: number }> {
    let after = 0
    for (;;) {
      const page = this.#untimed.all(after)
      yield* page
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) return
      after = last.id
    }
  }

  spans(trace: number): Span[] {
    return collapseEqual(this.#parts.all(trace).flatMap(decodeSpans))
  }

  spansByTraceId(traceId: string): Span[] {
    const trace = this.#traceByLow.get(lowTraceId(traceId))
    return trace === undefined ? [] : this.spans(trace)
  }

  /**
   * A cheap first look at a trace, from the index alone: false when no span of it can meet one of the conditions.
   * Each condition may be met by another span, of the searched service if one is given (zipkin's rule).
   */
  candidateFilter(request: QueryRequest, names: Names): (trace: number) => boolean {
    const clauses: string[] = []
    const values: (number | Buffer)[] = []
    let ofService = ''
    if (request.serviceName !== undefined) {
      const service = names.id(request.serviceName)
      if (service === undefined) return () => false
      ofService = `and service = ${service}`
    }
    const someSpan = (condition: string): void => {
      clauses.push(`exists (select 1 from part where trace = @trace ${ofService} ${condition})`)
    }
    const someTerm = (term: string): void => {
      values.push(encodeTerm(term))
      someSpan(`and instr(terms, @v${values.length - 1})`)
    }
    if (request.spanName !== undefined) someTerm(nameTerm(request.spanName))
    if (request.remoteServiceName !== undefined) someTerm(remoteTerm(request.remoteServiceName))
    for (const [key, value] of request.annotationQuery ?? []) someTerm(value === '' ? key : tagTerm(key, value))
    if (request.minDuration !== undefined) {
      values.push(request.minDuration)
      someSpan(`and max_duration >= @v${values.length - 1}`)
    }
    if (clauses.length === 0) {
      if (ofService === '') return () => true
      someSpan('')
    }
    const statement = this.#database.prepare<[object], number>(`select ${clauses.join(' and ')}`).pluck()
    const bound = Object.fromEntries(values.map((value, index) => [`v${index}`, value]))
    return trace => statement.get({ ...bound, trace }) === 1
  }
}

/** What `Writer` stored; already normalised, so only tags need to become plain maps again. */
function decodeSpans(json: string): Span[] {
  const spans = JSON.parse(json) as Span[]
  for (const span of spans) {
    if (span.tags !== undefined) Object.setPrototypeOf(span.tags, null)
  }
  return spans
}
