import { lowTraceId, type Span } from '@hopscope/model'
import type { Database } from 'better-sqlite3'
import { startMs } from '../trace-group.ts'
import type { Names } from './names.ts'
import { encodeTerms } from './terms.ts'

/** `part.service` of spans without local service. */
const NO_SERVICE = 0

/** Inserts spans; the caller has a transaction open. */
export class Writer {
  #upsertTrace
  #insertPart
  #searchEnabled: boolean

  constructor(database: Database, searchEnabled: boolean) {
    this.#searchEnabled = searchEnabled
    // SQLite's min() and max() of several values are null when one is: hence the coalesce both ways.
    this.#upsertTrace = database.prepare<
      [string, number | null, number | null, number, number],
      { id: number; spans: number }
    >(
      `insert into trace (low, first_ms, last_ms, untimed, spans) values (?, ?, ?, ?, ?)
         on conflict (low) do update set
           first_ms = min(coalesce(first_ms, excluded.first_ms), coalesce(excluded.first_ms, first_ms)),
           last_ms  = max(coalesce(last_ms,  excluded.last_ms),  coalesce(excluded.last_ms,  last_ms)),
           untimed  = max(untimed, excluded.untimed),
           spans    = spans + excluded.spans
         returning id, spans`,
    )
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

  #writeTrace(low: string, spans: readonly Span[]): { id: number; spans: number } {
    let first: number | null = null
    let last: number | null = null
    let untimed = 0
    for (const span of spans) {
      const ms = startMs(span)
      if (ms === undefined) {
        untimed = 1
        continue
      }
      if (first === null || ms < first) first = ms
      if (last === null || ms > last) last = ms
    }
    return this.#upsertTrace.get(low, first, last, untimed, spans.length)!
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
