import type { Metadata, Route } from '@hopscope/envoy-config'
import { BytesMeter } from './http/bytes-meter.ts'
import type { HeaderMap, RequestHeaders, ResponseHeaders } from './http/headers.ts'

/** Monotonic milliseconds with fraction (`performance.now()`); NaN: did not happen. */
export type Instant = number

/** Envoy's short flags, in the order in which Envoy prints them. */
export const RESPONSE_FLAGS = [
  'LH',
  'UH',
  'UT',
  'LR',
  'UR',
  'UF',
  'UC',
  'UO',
  'NR',
  'DI',
  'FI',
  'RL',
  'UAEX',
  'RLSE',
  'DC',
  'URX',
  'SI',
  'IH',
  'DPE',
  'UMSDR',
  'RFCF',
  'NFCF',
  'DT',
  'UPE',
  'NC',
  'OM',
  'DF',
  'DO',
  'DR',
  'UDO',
] as const
export type ResponseFlag = (typeof RESPONSE_FLAGS)[number]

/** Of envoy.data.accesslog.v3.AccessLogType, those of HTTP requests. */
export type AccessLogType = 'NotSet' | 'DownstreamStart' | 'DownstreamPeriodic' | 'DownstreamEnd'

/** A request's flags, in the order in which they were raised; nearly always none. */
export class ResponseFlags {
  #raised: readonly ResponseFlag[] = NONE

  add(flag: ResponseFlag): this {
    if (!this.#raised.includes(flag)) this.#raised = [...this.#raised, flag]
    return this
  }

  has(flag: ResponseFlag): boolean {
    return this.#raised.includes(flag)
  }

  get size(): number {
    return this.#raised.length
  }

  [Symbol.iterator](): Iterator<ResponseFlag> {
    return this.#raised[Symbol.iterator]()
  }
}

const NONE: readonly ResponseFlag[] = []

/** A connection to a host, of which several requests may tell. */
export interface UpstreamConnectionFacts {
  readonly id: number
  readonly connectBegin: Instant
  readonly connectEnd: Instant
}

export interface UpstreamHostFacts {
  /** `ip:port` */
  readonly address: string
  /** "": it has none. */
  readonly hostname: string
  readonly metadata: Metadata | undefined
}

/** Where a request came in, by the configuration. */
export interface ListenerFacts {
  name: string
  metadata: Metadata | undefined
  filterChainName: string
  filterChainMetadata: Metadata | undefined
}

const NO_LISTENER: ListenerFacts = {
  name: '',
  metadata: undefined,
  filterChainName: '',
  filterChainMetadata: undefined,
}

/**
 * What is known of one request; filled in on its way through the proxy, read by access log, header formats and tracing.
 * (Envoy's StreamInfo.)
 */
export class StreamInfo {
  /** Wall clock of the start, µs since the epoch. All later moments are `startTime + (instant - startInstant) * 1000`. */
  startTime = 0
  startInstant: Instant = 0
  protocol: 'HTTP/1.1' | 'HTTP/1.0' = 'HTTP/1.1'

  connectionId = 0
  listener: ListenerFacts = NO_LISTENER
  /** `ip:port` of the peer. */
  downstreamDirectRemoteAddress = ''
  /** `ip:port` of the client, after x-forwarded-for rules. */
  downstreamRemoteAddress = ''
  downstreamLocalAddress = ''

  /** Absent when the codec refused the head. */
  requestHeaders: RequestHeaders | undefined
  responseHeaders: ResponseHeaders | undefined
  /** Of the upstream, where its codec keeps them. */
  responseTrailers: HeaderMap | undefined
  /** 0: no response was begun. */
  responseCode = 0
  /** RESPONSE_CODE_DETAILS, blanks already `_`; "" when unset. */
  responseCodeDetails = ''
  readonly flags = new ResponseFlags()
  /** Body bytes. */
  bytesReceived = 0
  bytesSent = 0
  readonly downstreamBytes = new BytesMeter()
  /** Of all attempts. */
  readonly upstreamBytes = new BytesMeter()

  /** The trace decision's outcome; false without tracing. */
  traced = false
  /** It is a health check, which a filter answers. */
  healthCheck = false

  route: Route | undefined
  /** Routes were looked for again so many times. */
  reroutes = 0
  virtualHostName = ''
  /** "": none counts the request. */
  virtualClusterName = ''
  virtualHostMetadata: Metadata | undefined
  clusterMetadata: Metadata | undefined
  /** What filters say of the request, by namespace. */
  dynamicMetadata: Map<string, unknown> | undefined
  clusterName = ''
  /** alt_stat_name or name; "" when no cluster was selected. */
  clusterObservabilityName = ''
  /** `ip:port`; "" when no host was chosen. */
  upstreamHost = ''
  upstreamHostName = ''
  /** Of the host, as its endpoint's configuration has it. */
  upstreamMetadata: Metadata | undefined
  upstreamLocalAddress = ''
  /** Of the last attempt, which has one. */
  upstreamConnection: UpstreamConnectionFacts | undefined
  /** How long the last attempt waited for it, or to hear that there is none; ms. */
  upstreamPoolWait: number = Number.NaN
  upstreamTransportFailureReason = ''
  upstreamAttemptCount = 0

  downstreamConnectBegin: Instant = Number.NaN
  downstreamHeadEnd: Instant = Number.NaN
  lastDownstreamRxByte: Instant = Number.NaN
  firstUpstreamTxByte: Instant = Number.NaN
  lastUpstreamTxByte: Instant = Number.NaN
  firstUpstreamRxByte: Instant = Number.NaN
  firstUpstreamRxBodyByte: Instant = Number.NaN
  lastUpstreamRxByte: Instant = Number.NaN
  firstDownstreamTxByte: Instant = Number.NaN
  lastDownstreamTxByte: Instant = Number.NaN
  /** The stream is done. */
  endInstant: Instant = Number.NaN

  /** Lower hex; "" without a tracer. */
  traceId = ''
  spanId = ''

  /** Of the line that is being made; elsewhere `NotSet`. */
  accessLogType: AccessLogType = 'NotSet'
  /** Of the local reply whose body or headers are being made; "" otherwise. */
  localReplyBody = ''

  /** The host that the request goes to; undefined: it is not told which. */
  tellUpstreamHost(host: UpstreamHostFacts | undefined): void {
    this.upstreamHost = host?.address ?? ''
    this.upstreamHostName = host?.hostname ?? ''
    this.upstreamMetadata = host?.metadata
  }

  /** Of what its route says: nothing is known any more. */
  forgetRoute(): void {
    this.route = undefined
    this.virtualHostName = this.clusterName = this.clusterObservabilityName = ''
    this.virtualHostMetadata = this.clusterMetadata = undefined
  }

  /** A filter's word on the request, beside what its namespace holds already. */
  addMetadata(namespace: string, fields: Readonly<Record<string, unknown>>): void {
    this.dynamicMetadata ??= new Map()
    const present = this.dynamicMetadata.get(namespace) as Record<string, unknown> | undefined
    this.dynamicMetadata.set(namespace, { ...present, ...fields })
  }
}
