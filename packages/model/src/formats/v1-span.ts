import { normaliseEndpoint, normaliseSpan, type SpanFields } from '../normalise-span.ts'
import type { Endpoint, Kind, Microseconds, Span } from '../span.ts'
import { DecodeError } from './decode-error.ts'

/** An event of a v1 span, on one of the hosts that take part in it. */
export interface V1Annotation {
  timestamp: Microseconds
  value: string
  endpoint: Endpoint | undefined
}

/** A tag (with a text) or an address (without) of a v1 span. */
export type V1BinaryAnnotation =
  | { key: string; value: string; endpoint: Endpoint | undefined }
  | { key: AddressKey; value: undefined; endpoint: Endpoint }

/** Whose address it is: the server's, the client's, the message broker's. */
export type AddressKey = 'sa' | 'ca' | 'ma'

/** A Zipkin v1 span: one span of several hosts, whose kind and times are said by annotations. Of absent numbers, 0. */
export interface V1Span {
  /** 16 or 32 lower-hex characters. */
  traceId: string
  id: string
  parentId: string | undefined
  name: string | undefined
  timestamp: Microseconds
  duration: Microseconds
  annotations: V1Annotation[]
  binaryAnnotations: V1BinaryAnnotation[]
  debug: boolean
}

const LOWER_HEX = /^[0-9a-f]+$/
const ZEROS = '0000000000000000'

/**
 * A v1 id as text → its low 64 bits, 16 characters; v1 looks at no more than these. Throws {@link DecodeError}.
 */
export function v1Id(text: string): string {
  const low = text.slice(-16)
  if (text.length === 0 || text.length > 32 || !LOWER_HEX.test(low)) throw badId(text)
  return low.padStart(16, '0')
}

/** As {@link v1Id}, but 32 characters keep their high half. */
export function v1TraceId(text: string): string {
  const low = v1Id(text)
  const high = text.length === 32 ? text.slice(0, 16) : ''
  if (high !== '' && !LOWER_HEX.test(high)) throw badId(text)
  if (low === ZEROS) throw new DecodeError('bad_id', 'traceId == 0')
  return high === ZEROS ? low : high + low
}

function badId(text: string): DecodeError {
  return new DecodeError('bad_id', `${text} should be a 1 to 32 character lower-hex string with no prefix`)
}

/** An address, from an address key with an endpoint; undefined when the key is none. Endpoints with nothing in them are none. */
export function isAddressKey(key: string): key is AddressKey {
  return key === 'sa' || key === 'ca' || key === 'ma'
}

/** What is known of a v2 span while its v1 span is taken apart. */
type Draft = SpanFields & { annotations: { timestamp: Microseconds; value: string }[]; tags: Record<string, string> }
/** An annotation that says where a span is: it was logged by somebody. */
type CoreAnnotation = V1Annotation & { endpoint: Endpoint }

const CORE_KIND: Readonly<Record<string, Kind | undefined>> = {
  cs: 'CLIENT',
  cr: 'CLIENT',
  sr: 'SERVER',
  ss: 'SERVER',
  ms: 'PRODUCER',
  mr: 'CONSUMER',
}
const CORE: ReadonlySet<string> = new Set(['cs', 'cr', 'sr', 'ss', 'ms', 'mr', 'ws', 'wr'])

/**
 * A v1 span → the v2 spans in it, one for each service that logged to it. (zipkin `V1SpanConverter`)
 *
 *     cs web 10 · sr app 20 · ss app 30 · cr web 40   →   CLIENT web 10..40 · SERVER app 20..30 shared
 */
export function v2SpansOf(span: V1Span): Span[] {
  return new V1Conversion(span).convert()
}

class V1Conversion {
  readonly #source: V1Span
  readonly #first: Draft
  readonly #others: Draft[] = []
  readonly #core = new Map<string, CoreAnnotation>()

  constructor(source: V1Span) {
    this.#source = source
    this.#first = this.#draft(undefined)
  }

  convert(): Span[] {
    this.#readAnnotations()
    this.#inferStarts()
    this.#timeCalls()
    this.#inferShared()
    this.#timeMessages()
    this.#readBinaryAnnotations()
    return [this.#first, ...this.#others].map(draft => {
      const { localEndpoint, remoteEndpoint, ...fields } = draft
      return normaliseSpan({
        ...fields,
        localEndpoint: localEndpoint && normaliseEndpoint(localEndpoint),
        remoteEndpoint: remoteEndpoint && normaliseEndpoint(remoteEndpoint),
      })
    })
  }

  #readAnnotations(): void {
    const sorted = this.#source.annotations.toSorted(
      (a, b) => a.timestamp - b.timestamp || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0),
    )
    for (const { timestamp, value, endpoint } of sorted) {
      const draft = this.#of(endpoint)
      if (endpoint && CORE.has(value)) {
        const kind = CORE_KIND[value]
        if (kind) draft.kind = kind
        this.#core.set(value, { timestamp, value, endpoint })
      } else draft.annotations.push({ timestamp, value })
    }
  }

  /** The end alone was logged, and the span says how long it took: so that is when it began. */
  #inferStarts(): void {
    const { timestamp, duration } = this.#source
    for (const [start, end] of [
      ['cs', 'cr'],
      ['sr', 'ss'],
    ] as const) {
      const known = this.#core.get(end)
      if (this.#core.has(start) || !known || timestamp === 0 || duration === 0) continue
      if (timestamp + duration === known.timestamp) {
        this.#core.set(start, { timestamp, value: start, endpoint: known.endpoint })
      }
    }
  }

  #timeCalls(): void {
    const { cs, cr, sr, ss } = this.#cores()
    if (cs && sr) {
      this.#time(cs, cr)
      const client = this.#of(cs.endpoint)
      const server = this.#partner(cs, sr, 'CLIENT', 'SERVER')
      server.shared = true
      server.timestamp = sr.timestamp
      if (ss) server.duration = ss.timestamp - sr.timestamp
      // Nobody waits for the answer of a one-way call.
      if (!cr && this.#source.duration === 0) client.duration = undefined
    } else if (cs && cr) this.#time(cs, cr)
    else if (sr && ss) this.#time(sr, ss)
    else this.#keepIncomplete()
  }

  /** A call of which one end is not known (yet): what was logged stays to be seen. */
  #keepIncomplete(): void {
    const { cs, cr, sr, ss } = this.#cores()
    for (const draft of [this.#first, ...this.#others]) {
      const [start, end] = draft.kind === 'CLIENT' ? [cs, cr] : draft.kind === 'SERVER' ? [sr, ss] : []
      if (start) draft.timestamp = start.timestamp
      if (end) draft.annotations.push({ timestamp: end.timestamp, value: end.value })
    }
    const { timestamp, duration } = this.#source
    if (timestamp === 0) return
    this.#first.timestamp = timestamp
    this.#first.duration = duration
  }

  /** v1 has no flag for it: a server that does not own the span leaves its times to the client. */
  #inferShared(): void {
    const { cs, sr, ss } = this.#cores()
    const { timestamp, duration } = this.#source
    if (!cs && sr && (timestamp === 0 || (ss && duration === 0))) this.#of(sr.endpoint).shared = true
  }

  #timeMessages(): void {
    const { ms, mr, ws, wr } = this.#cores()
    if (ms && mr) {
      const producer = this.#of(ms.endpoint)
      const consumer = this.#partner(ms, mr, 'PRODUCER', 'CONSUMER')
      consumer.shared = true
      consumer.timestamp = (wr ?? mr).timestamp
      if (wr) consumer.duration = mr.timestamp - wr.timestamp
      producer.timestamp = ms.timestamp
      producer.duration = ws ? ws.timestamp - ms.timestamp : undefined
    } else if (ms) this.#time(ms, ws)
    else if (mr) this.#time(wr ?? mr, wr ? mr : undefined)
    else {
      for (const core of [ws, wr]) {
        if (core) this.#of(core.endpoint).annotations.push({ timestamp: core.timestamp, value: core.value })
      }
    }
  }

  #readBinaryAnnotations(): void {
    const addresses = new Map<AddressKey, Endpoint>()
    const sorted = this.#source.binaryAnnotations.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    for (const { key, value, endpoint } of sorted) {
      if (value === undefined) {
        addresses.set(key, endpoint)
        continue
      }
      const draft = this.#of(endpoint)
      // Says who logged the span, and nothing else.
      if (key === 'lc' && value === '') continue
      draft.tags[key] = value
    }
    this.#addressPeers(addresses.get('ca'), addresses.get('sa'), addresses.get('ma'))
  }

  #addressPeers(ca: Endpoint | undefined, sa: Endpoint | undefined, ma: Endpoint | undefined): void {
    const { cs, cr, sr, ss, ms, mr } = this.#cores()
    if (!cs && !cr && !sr && !ss && (ca || sa)) {
      if (ca && sa) this.#of(ca).remoteEndpoint = sa
      else if (sa) this.#first.remoteEndpoint = sa
      else {
        this.#first.kind = 'SERVER'
        this.#first.remoteEndpoint = ca
      }
      return
    }
    const server = sr ?? ss
    if (ca && server && !isSameEndpoint(ca, server.endpoint)) {
      // Finagle writes the port of the client's socket under the name of the server: it would look like a call to itself.
      const { serviceName, ...address } = ca
      this.#of(server.endpoint).remoteEndpoint = serviceName === server.endpoint.serviceName ? address : ca
    }
    const client = cs ?? cr
    if (sa && client) this.#of(client.endpoint).remoteEndpoint = sa
    if (ma) {
      if (ms) this.#of(ms.endpoint).remoteEndpoint = ma
      if (mr) this.#of(mr.endpoint).remoteEndpoint = ma
    }
  }

  /** The other side of a call or message; a service that calls itself gets a span for either. */
  #partner(near: CoreAnnotation, far: CoreAnnotation, nearKind: Kind, farKind: Kind): Draft {
    if (near.endpoint.serviceName !== far.endpoint.serviceName) return this.#of(far.endpoint)
    this.#of(near.endpoint).kind = nearKind
    const draft = this.#draft(far.endpoint)
    draft.kind = farKind
    this.#others.push(draft)
    return draft
  }

  #time(begin: CoreAnnotation, end: CoreAnnotation | undefined): void {
    const { timestamp, duration } = this.#source
    const draft = this.#of(begin.endpoint)
    if (timestamp !== 0 && duration !== 0) {
      draft.timestamp = timestamp
      draft.duration = duration
    } else {
      draft.timestamp = begin.timestamp
      if (end) draft.duration = end.timestamp - begin.timestamp
    }
  }

  /** The span of a service. What nobody logged is the first span's, which belongs to the first that is named. */
  #of(endpoint: Endpoint | undefined): Draft {
    if (!endpoint) return this.#first
    for (const draft of [this.#first, ...this.#others]) {
      draft.localEndpoint ??= endpoint
      if (draft.localEndpoint.serviceName === endpoint.serviceName) return draft
    }
    const draft = this.#draft(endpoint)
    this.#others.push(draft)
    return draft
  }

  #draft(localEndpoint: Endpoint | undefined): Draft {
    const { traceId, parentId, id, name, debug } = this.#source
    return { traceId, parentId, id, name, debug, localEndpoint, annotations: [], tags: Object.create(null) }
  }

  #cores(): { [value in 'cs' | 'cr' | 'sr' | 'ss' | 'ms' | 'mr' | 'ws' | 'wr']: CoreAnnotation | undefined } {
    const core = this.#core
    return {
      cs: core.get('cs'),
      cr: core.get('cr'),
      sr: core.get('sr'),
      ss: core.get('ss'),
      ms: core.get('ms'),
      mr: core.get('mr'),
      ws: core.get('ws'),
      wr: core.get('wr'),
    }
  }
}

function isSameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.serviceName === b.serviceName && a.ipv4 === b.ipv4 && a.ipv6 === b.ipv6 && a.port === b.port
}
