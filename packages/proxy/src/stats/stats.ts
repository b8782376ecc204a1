/**
 * Named counters, gauges, histograms, with Envoy's names (`cluster.a.upstream_rq_total`). Hot code asks for one once, when
 * a snapshot is applied, and keeps the object. Creating one makes it visible in `/stats` with its value, as in Envoy.
 */
export class Stats {
  readonly counters = new Map<string, Counter>()
  readonly gauges = new Map<string, Gauge>()
  readonly histograms = new Map<string, Histogram>()
  readonly texts = new Map<string, string>()

  counter(name: string): Counter {
    let found = this.counters.get(name)
    if (found === undefined) this.counters.set(name, (found = new Counter(name)))
    return found
  }

  gauge(name: string): Gauge {
    let found = this.gauges.get(name)
    if (found === undefined) this.gauges.set(name, (found = new Gauge(name)))
    return found
  }

  /** Whole milliseconds, unless the name says otherwise. */
  histogram(name: string): Histogram {
    let found = this.histograms.get(name)
    if (found === undefined) this.histograms.set(name, (found = new Histogram(name)))
    return found
  }
}

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
  }

  set(n: number): void {
    this.value = n
    this.used = true
  }
}

export class Histogram {
  readonly name: string
  /** Values since the last flush. */
  interval: number[] = []

  constructor(name: string) {
    this.name = name
  }

  record(value: number): void {
    this.interval.push(value)
  }
}
