import { peerOf } from '../peer.ts'
import type { Annotation, Endpoint, Span } from '../span.ts'
import { requestOf } from '../summary.ts'
import { KIND_OF, MISSING, type TabledSpans, TRAIT } from './span-table.ts'
import { StringTable } from './string-table.ts'
import { uniteSpans } from './unite-spans.ts'

/** Spans of one trace, in any order → columns. Linear: no span is compared with another. */
export function tableSpans(reported: readonly Span[]): TabledSpans {
  const { spans, repeats } = uniteSpans(reported)
  const count = spans.length
  const strings = new StringTable()
  const ids = new StringTable()
  const endpoints = new EndpointTable()
  const table = {
    count,
    strings: strings.strings,
    ids: ids.strings,
    id: new Int32Array(count),
    parent: new Int32Array(count),
    service: new Int32Array(count),
    name: new Int32Array(count),
    peer: new Int32Array(count),
    request: new Int32Array(count).fill(-1),
    status: new Int32Array(count).fill(-1),
    responseFlags: new Int32Array(count).fill(-1),
    endpoint: new Int32Array(count),
    ipv4OfEndpoint: endpoints.ipv4,
    ipv6OfEndpoint: endpoints.ipv6,
    kind: new Uint8Array(count),
    traits: new Uint8Array(count),
    start: new Float64Array(count),
    duration: new Float64Array(count),
    sent: new Float64Array(count),
    received: new Float64Array(count),
    timeout: new Float64Array(count).fill(Number.NaN),
    retries: new Uint16Array(count),
  }
  let known = 0
  for (let i = 0; i < count; i++) {
    // Neighbours share an id: the table is asked once for both.
    if (i === 0 || spans[i]!.id !== spans[i - 1]!.id) known = ids.add(spans[i]!.id)
    table.id[i] = known
  }
  const idCount = ids.strings.length
  for (let i = 0; i < count; i++) {
    const span = spans[i]!
    const { parentId, localEndpoint, tags, annotations } = span
    let parent = parentId === undefined || parentId === span.id ? -1 : ids.add(parentId)
    if (parent >= idCount) parent = MISSING
    table.parent[i] = parent
    table.service[i] = strings.addOptional(localEndpoint?.serviceName)
    table.name[i] = strings.addOptional(span.name)
    table.peer[i] = strings.addOptional(peerOf(span))
    table.endpoint[i] = localEndpoint ? endpoints.add(localEndpoint) : -1
    table.kind[i] = span.kind ? KIND_OF[span.kind] : 0
    let traits = span.shared && span.kind !== 'CLIENT' ? TRAIT.shared : 0
    if (tags) {
      if (tags.error !== undefined) traits |= TRAIT.error
      if (tags.component === 'proxy') traits |= TRAIT.proxy
      if (tags.node_id !== undefined) traits |= TRAIT.node
      table.request[i] = strings.addOptional(requestOf(span))
      table.status[i] = strings.addOptional(tags['http.status_code'] ?? tags['grpc.status_code'])
      const flags = tags.response_flags
      if (flags && flags !== '-') table.responseFlags[i] = strings.add(flags)
      const timeout = tags.expected_rq_timeout_ms
      if (timeout) table.timeout[i] = Number(timeout) > 0 ? Number(timeout) * 1_000 : Number.NaN
      const retries = tags['retry.count']
      if (retries) table.retries[i] = Math.max(0, Number(retries))
    }
    if (repeats.size > 0 && repeats.has(i)) traits |= TRAIT.repeat
    table.traits[i] = traits
    table.start[i] = span.timestamp ?? Number.NaN
    table.duration[i] = span.duration ?? Number.NaN
    table.sent[i] = timeOf(annotations, 'first_upstream_tx_byte_sent')
    table.received[i] = timeOf(annotations, 'last_upstream_rx_byte_received')
  }
  return { table, texts: strings, spans }
}

function timeOf(annotations: readonly Annotation[] | undefined, value: string): number {
  if (annotations) for (const annotation of annotations) if (annotation.value === value) return annotation.timestamp
  return Number.NaN
}

class EndpointTable {
  readonly ipv4: number[] = []
  readonly ipv6: number[] = []
  readonly #addresses = new StringTable()
  readonly #index = new Map<string, number>()
  #last: Endpoint = {}
  #lastIndex = -1

  add(endpoint: Endpoint): number {
    const last = this.#last
    if (
      this.#lastIndex >= 0 &&
      last.serviceName === endpoint.serviceName &&
      last.ipv4 === endpoint.ipv4 &&
      last.ipv6 === endpoint.ipv6 &&
      last.port === endpoint.port
    ) {
      return this.#lastIndex
    }
    const key = `${endpoint.serviceName ?? ''}|${endpoint.ipv4 ?? ''}|${endpoint.ipv6 ?? ''}|${endpoint.port ?? ''}`
    let index = this.#index.get(key)
    if (index === undefined) {
      index = this.ipv4.length
      this.ipv4.push(this.#addresses.addOptional(endpoint.ipv4))
      this.ipv6.push(this.#addresses.addOptional(endpoint.ipv6))
      this.#index.set(key, index)
    }
    this.#last = endpoint
    this.#lastIndex = index
    return index
  }
}
