import { Histogram } from './histogram.ts'
import { RecentLookups } from './recent-lookups.ts'

export { Histogram }

/**
 * Named counters, gauges, histograms, with Envoy's names (`cluster.a.upstream_rq_total`). Hot code asks for one once, when
 * a snapshot is applied, and keeps the object. Creating one makes it visible in `/stats` with its value, as in Envoy.
 */
export class Stats {
  readonly counters = new Map<string, Counter>()
  readonly gauges = new Map<string, Gauge>()
  readonly histograms = new Map<string, Histogram>()
  readonly texts = new Map<string, string>()
  readonly lookups = new RecentLookups()

  counter(asked: string): Counter {
    const name = sanitised(asked)
    this.lookups.note(name)
    let found = this.counters.get(name)
    if (found === undefined) {
      found = new Counter(name)
      this.counters.set(name, found)
    }
    return found
  }

  gauge(asked: string): Gauge {
    const name = sanitised(asked)
    this.lookups.note(name)
    let found = this.gauges.get(name)
    if (found === undefined) {
      found = new Gauge(name)
      this.gauges.set(name, found)
    }
    return found
  }

  /** Whole milliseconds, unless the name says otherwise. */
  histogram(asked: string): Histogram {
    const name = sanitised(asked)
    this.lookups.note(name)
    let found = this.histograms.get(name)
    if (found === undefined) {
      found = new Histogram(name)
      this.histograms.set(name, found)
    }
    return found
  }

  /** Values of histograms are seen after the flush of their interval (`stats_flush_interval`). */
  flushHistograms(): void {
    for (const histogram of this.histograms.values()) histogram.flush()
  }

  resetCounters(): void {
    for (const counter of this.counters.values()) counter.value = 0
  }
}

/** Only grows. */
export class Counter {
  readonly name: string
  value = 0
  /** Written to at least once: what `?usedonly` shows. */
  used = false

  constructor(name: string) {
    this.name = name
  }

  add(n = 1): void {
    this.value += n
    this.used = true
  }
}

/** As pages write it: below 0 it is 64 bits without a sign, as in Envoy; -1 is 2^64 - 1. */
export function gaugeText(value: number): string {
  return value < 0 ? String(BigInt.asUintN(64, BigInt(value))) : String(value)
}

/** Goes up and down. */
export class Gauge {
  readonly name: string
  value = 0
  used = false

  constructor(name: string) {
    this.name = name
  }

  add(n = 1): void {
    this.value += n
    this.used = true
  }

  sub(n = 1): void {
    this.value -= n
    this.used = true
  }

  set(n: number): void {
    this.value = n
    this.used = true
  }
}

/** A name of a cluster may have colons, its stats have underscores instead. (Envoy `sanitizeStatsName`) */
function sanitised(name: string): string {
  return name.includes(':') && name.startsWith('cluster.') ? name.replace(/:\/{0,2}/g, '_') : name
}
