/**
 * What came in and what became of it, as zipkin-server counts and names it.
 *
 *   messages = accepted + messages_dropped                     (a POST that cannot be read is dropped as a whole)
 *   spans    = stored + spans_dropped                          (of accepted messages; dropped: sampled out, not stored,
 *                                                               or rejected by OTLP's partial success)
 *
 * A reporter's loss is messages_dropped and spans_dropped; both at 0 means that all that was sent is in the store.
 */
export class CollectorMetrics {
  readonly transports: Transport[]
  readonly http: Transport
  readonly otlp: Transport

  constructor() {
    this.http = new Transport('http')
    this.otlp = new Transport('otlp')
    this.transports = [this.http, this.otlp]
  }
}

export class Transport {
  readonly name: string
  messages = 0
  messagesDropped = 0
  bytes = 0
  spans = 0
  spansDropped = 0
  /** Of the last message that could be read. */
  messageSpans = 0
  /** Of the last message, after gunzip. */
  messageBytes = 0

  constructor(name: string) {
    this.name = name
  }

  received(bytes: number): void {
    this.bytes += bytes
    this.messageBytes = bytes
  }

  decoded(spans: number): void {
    this.spans += spans
    this.messageSpans = spans
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
    const samples = transports.map(t => `${metric}{transport="${t.name}"} ${value(t)}\n`)
    return `# HELP ${metric} ${help}\n# TYPE ${metric} ${type}\n${samples.join('')}`
  }).join('')
}
