import type { Config } from './config.ts'

/**
 * What came in and what became of it, as zipkin-server counts and names it, and in our own words.
 *
 *   messages = readable + messages_dropped                     (a POST that cannot be read is dropped as a whole)
 *   spans    = stored + spans_dropped                          (of readable messages, once all are answered; dropped:
 *                                                               sampled out, not stored, or rejected by OTLP)
 *   accepted = stored + rejected + dropped                     (ours; always, since all four move at once, when a message
 *                                                               is answered)
 *
 * A reporter's loss is messages_dropped and spans_dropped; both at 0 means that all that was sent is in the store.
 */
export class CollectorMetrics {
  readonly transports: Transport[]
  readonly http: Transport
  readonly grpc: Transport
  readonly otlp: Transport
  /** The collector's spans of itself. */
  readonly local: Transport

  /** Ways in that are closed are not told of. */
  constructor(config?: Pick<Config, 'collectorEnabled' | 'grpcEnabled' | 'selfTracing'>) {
    const { collectorEnabled, grpcEnabled, selfTracing } = config ?? { collectorEnabled: true, grpcEnabled: true }
    this.http = new Transport('http')
    this.grpc = new Transport('grpc')
    this.otlp = new Transport('otlp')
    this.local = new Transport('local')
    this.transports = [
      ...(collectorEnabled ? [this.http] : []),
      ...(grpcEnabled ? [this.grpc] : []),
      ...(collectorEnabled ? [this.otlp] : []),
      ...(selfTracing ? [this.local] : []),
    ]
  }
}

export class Transport {
  readonly name: string
  messages = 0
  messagesDropped = 0
  bytes = 0
  spans = 0
  spansDropped = 0
  /** Of the last message that could be read, and was not empty. */
  messageSpans = 0
  /** Of the last message, after gunzip. */
  messageBytes = 0

  /** Spans of answered messages. */
  accepted = 0
  stored = 0
  /** Left out one by one, as OTLP's partial success says to the sender. */
  rejected = 0
  /** Sampled out, or not stored because the store could not. */
  dropped = 0

  constructor(name: string) {
    this.name = name
  }

  received(bytes: number): void {
    this.bytes += bytes
    this.messageBytes = bytes
  }

  decoded(spans: number): void {
    this.spans += spans
    if (spans > 0) this.messageSpans = spans
  }

  settled(stored: number, rejected: number, dropped: number): void {
    this.accepted += stored + rejected + dropped
    this.stored += stored
    this.rejected += rejected
    this.dropped += dropped
    this.spansDropped += rejected + dropped
  }
}

interface Meter {
  type: 'counter' | 'gauge'
  name: string
  help: string
  value: (transport: Transport) => number
}

const METERS: Meter[] = [
  { type: 'counter', name: 'messages', help: 'cumulative amount of messages received', value: t => t.messages },
  {
    type: 'counter',
    name: 'messages_dropped',
    help: 'cumulative amount of messages received that were later dropped',
    value: t => t.messagesDropped,
  },
  { type: 'counter', name: 'bytes', help: 'cumulative amount of bytes received', value: t => t.bytes },
  { type: 'counter', name: 'spans', help: 'cumulative amount of spans received', value: t => t.spans },
  {
    type: 'counter',
    name: 'spans_dropped',
    help: 'cumulative amount of spans received that were later dropped',
    value: t => t.spansDropped,
  },
  { type: 'gauge', name: 'message_spans', help: 'count of spans per message', value: t => t.messageSpans },
  {
    type: 'gauge',
    name: 'message_bytes',
    help: 'size of a message containing serialized spans',
    value: t => t.messageBytes,
  },
]

/** Ours, under names of our own: what `spans` and `spans_dropped` do not tell apart. */
const OUTCOMES: { name: string; help: string; value: (transport: Transport) => number }[] = [
  { name: 'accepted', help: 'spans of answered messages: stored + rejected + dropped', value: t => t.accepted },
  { name: 'stored', help: 'spans committed to the store', value: t => t.stored },
  { name: 'rejected', help: "spans left out one by one (OTLP's partial success)", value: t => t.rejected },
  { name: 'dropped', help: 'spans sampled out, or not stored because the store could not', value: t => t.dropped },
]

/** zipkin-server's /metrics: one flat object. */
export function metricsJson({ transports }: CollectorMetrics): Record<string, number> {
  const entries = METERS.flatMap(meter =>
    transports.map(t => [`${meter.type}.zipkin_collector.${meter.name}.${t.name}`, meter.value(t)] as const),
  )
  return Object.fromEntries(entries)
}

/** Prometheus text, version 0.0.4. */
export function metricsPrometheus({ transports }: CollectorMetrics): string {
  return METERS.map(({ type, name, help, value }) => {
    const metric = `zipkin_collector_${name}${type === 'counter' ? '_total' : ''}`
    return metricText(transports, metric, help, type, value)
  })
    .concat(
      OUTCOMES.map(({ name, help, value }) =>
        metricText(transports, `hopscope_collector_spans_${name}_total`, help, 'counter', value),
      ),
    )
    .join('')
}

function metricText(
  transports: readonly Transport[],
  metric: string,
  help: string,
  type: string,
  value: (transport: Transport) => number,
): string {
  const samples = transports.map(t => `${metric}{transport="${t.name}"} ${value(t)}\n`)
  return `# HELP ${metric} ${help}\n# TYPE ${metric} ${type}\n${samples.join('')}`
}
