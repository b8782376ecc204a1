import { isIPv4 } from 'node:net'
import type { Endpoint, Microseconds } from '@hopscope/model'
import { ProtoBytes } from './proto-bytes.ts'
import type { SpanHead, ZipkinBatch } from './span-batch.ts'

/** zipkin.proto3.Span.Kind */
const KINDS = { CLIENT: 1, SERVER: 2, PRODUCER: 3, CONSUMER: 4 } as const

/** Writes a batch of spans as a zipkin.proto3.ListOfSpans, as `SpanWriter` does in JSON. Field numbers: zipkin-api, zipkin.proto. */
export class ZipkinProtoWriter implements ZipkinBatch {
  count = 0
  readonly #spans: ProtoBytes
  readonly #endpoint: Endpoint
  #start = 0

  constructor(localEndpoint: Endpoint, encoding: 'utf8' | 'latin1' = 'utf8') {
    this.#endpoint = localEndpoint
    this.#spans = new ProtoBytes(encoding)
  }

  get byteLength(): number {
    return this.#spans.length
  }

  begin(head: SpanHead): void {
    const spans = this.#spans
    this.#start = spans.open(1)
    spans.hex(1, head.traceId)
    if (head.parentId !== undefined) spans.hex(2, head.parentId)
    spans.hex(3, head.id)
    if (head.kind !== undefined) spans.varint(4, KINDS[head.kind])
    spans.string(5, head.name)
    spans.fixed64(6, head.timestamp)
    spans.varint(7, head.duration)
    const { serviceName, ipv4, ipv6, port } = this.#endpoint
    const start = spans.open(8)
    if (serviceName !== undefined) spans.string(1, serviceName)
    if (ipv4 !== undefined && isIPv4(ipv4)) spans.hex(2, ipv4Hex(ipv4))
    if (ipv6 !== undefined) spans.hex(3, ipv6Hex(ipv6))
    if (port !== undefined && port !== 0) spans.varint(4, port)
    spans.close(start)
  }

  annotation(timestamp: Microseconds, value: string): void {
    const spans = this.#spans
    const start = spans.open(10)
    spans.fixed64(1, timestamp)
    spans.string(2, value)
    spans.close(start)
  }

  tag(key: string, value: string): void {
    const spans = this.#spans
    const start = spans.open(11)
    spans.string(1, key)
    spans.string(2, value)
    spans.close(start)
  }

  end(flags: { shared?: boolean; debug?: boolean }): void {
    const spans = this.#spans
    if (flags.debug === true) spans.varint(12, 1)
    if (flags.shared === true) spans.varint(13, 1)
    spans.close(this.#start)
    this.count++
  }

  take(): Uint8Array {
    const body = Buffer.from(this.#spans.bytes())
    this.clear()
    return body
  }

  clear(): void {
    this.#spans.length = 0
    this.count = 0
  }
}

function ipv4Hex(address: string): string {
  return Buffer.from(address.split('.').map(Number)).toString('hex')
}

/** `2001:db8::1` as 32 hex characters. */
function ipv6Hex(address: string): string {
  const [head = '', tail] = address.split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':').map(group => group.padStart(4, '0')))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = Array<string>(8 - before.length - after.length).fill('0000')
  return [...before, ...zeros, ...after].join('')
}
