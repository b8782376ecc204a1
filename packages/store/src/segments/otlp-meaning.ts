import { decodeOtlpProto } from '@hopscope/model/formats'
import type { Head } from './head.ts'
import { encodeMessage } from './otlp-message.ts'
import type { Row } from './row.ts'
import { NOT_ORDINARY } from './scan.ts'

/** Kinds of OTLP → of a row. */
export const OTLP_KINDS = [0, 0, 2, 1, 3, 4]
export const STATUS_OK = 1
export const STATUS_ERROR = 2

/** What may name a peer: the model decides which of these does. (`PEER_ATTRIBUTES` of `otlp-to-zipkin.ts`) */
const PEER_KEYS = new Set([
  'peer.service',
  'server.address',
  'net.peer.name',
  'network.peer.address',
  'network.peer.port',
  'server.socket.domain',
  'server.socket.address',
  'server.socket.port',
  'net.sock.peer.name',
  'net.sock.peer.addr',
  'net.sock.peer.port',
  'peer.hostname',
  'peer.address',
  'db.name',
])
const LOOKED_AT_LENGTHS = new Set([...PEER_KEYS, 'error'].map(key => key.length))
/** What a pair is to a span. */
const UNKNOWN = 0
const TAG = 1
const PEER = 2
const NO_ERROR = 3

const MAX_PEERS = 20_000

/** What the spans of a scope have in common, as entries of a head. */
export interface OtlpContext {
  local: number
  tags: number[]
}

/** What both encodings of OTLP mean in a head, beside what stands in their bytes. What is rare is asked of the model. */
export class OtlpMeaning {
  readonly #head: Head
  /** By pair. */
  #roles = new Uint8Array(4096)
  #peers = new Map<string, number>()
  #spanPeers: number[] = []
  /** Tags of the span that win over attributes of the same key. */
  late: number[] = []

  constructor(head: Head) {
    this.#head = head
  }

  /** Entries may have another meaning from now on. */
  forget(): void {
    this.#roles.fill(UNKNOWN)
    this.#peers.clear()
  }

  /** Before the attributes of a span. */
  begin(row: Row, context: OtlpContext): void {
    row.clear()
    row.local = context.local
    for (let i = 0; i < context.tags.length; i++) this.#head.tag(context.tags[i]!)
    this.#spanPeers.length = 0
    this.late.length = 0
  }

  /** An attribute of the span. */
  attribute(pair: number): void {
    if (pair >= this.#roles.length) {
      const grown = new Uint8Array(Math.max(pair + 1, this.#roles.length * 2))
      grown.set(this.#roles)
      this.#roles = grown
    }
    if (this.#roles[pair] === UNKNOWN) this.#roles[pair] = this.#roleOf(pair)
    const role = this.#roles[pair]!
    // Remembered: it may name the peer of the span.
    if (role === PEER) this.#spanPeers.push(pair)
    // It takes the tag away, also one of the resource.
    else if (role === NO_ERROR) throw NOT_ORDINARY
    this.#head.tag(pair)
  }

  #roleOf(pair: number): number {
    const { dictionary } = this.#head
    if (!LOOKED_AT_LENGTHS.has(dictionary.kind(pair))) return TAG
    const key = dictionary.key(pair)
    if (key === 'error' && dictionary.value(pair) === 'false') return NO_ERROR
    return PEER_KEYS.has(key) ? PEER : TAG
  }

  /** Whole microseconds, cut; what took less than one took one. The rests are nanoseconds. */
  time(row: Row, start: number, startRest: number, finish: number, finishRest: number): void {
    row.timestamp = start
    const nanoseconds = finishRest - startRest
    const duration = finish - start - (nanoseconds < 0 ? 1 : 0)
    if (duration >= 0 && (duration > 0 || nanoseconds !== 0)) row.duration = Math.max(duration, 1)
  }

  /** Behind all that a span has. */
  end(row: Row, statusCode: number, statusText: string): void {
    const head = this.#head
    if (row.kind !== 0 && this.#spanPeers.length > 0) row.remote = this.#peer()
    if (statusCode === STATUS_OK) head.tag(head.dictionary.pair('otel.status_code', 'OK'))
    else if (statusCode === STATUS_ERROR) {
      head.tag(head.dictionary.pair('otel.status_code', 'ERROR'))
      head.tag(head.dictionary.pair('error', statusText))
    }
    for (let i = 0; i < this.late.length; i++) head.tag(this.late[i]!)
  }

  #peer(): number {
    const pairs = this.#spanPeers.join()
    let entry = this.#peers.get(pairs)
    if (entry === undefined) {
      const { dictionary } = this.#head
      const attributes = this.#spanPeers.map(pair => ({ key: dictionary.key(pair), value: dictionary.value(pair) }))
      entry = this.#head.endpointEntry(decodeOtlpProto(encodeMessage({ attributes })).spans[0]!.remoteEndpoint)
      if (this.#peers.size >= MAX_PEERS) this.#peers.clear()
      this.#peers.set(pairs, entry)
    }
    return entry
  }
}
