import type { Node } from '@hopscope/envoy-config'
import type { SpanWriter } from '@hopscope/tracer'
import { withoutPort } from '../format/address-text.ts'
import type { RequestHeaders } from '../http/headers.ts'
import type { Instant, StreamInfo } from '../stream-info.ts'
import { wireText } from './custom-tags.ts'
import type { AttemptOutcome } from './http-tracer.ts'

const GRPC_ERRORS = new Set(['2', '4', '8', '12', '13', '14', '15'])

/** The tags of one span: built-in ones give way to custom ones of the same name, empty ones are left out. */
export class TagWriter {
  readonly #writer: SpanWriter
  readonly #custom: ReadonlyMap<string, string> | undefined

  constructor(writer: SpanWriter, custom: ReadonlyMap<string, string> | undefined) {
    this.#writer = writer
    this.#custom = custom
  }

  set(key: string, value: string): void {
    if (value !== '' && (this.#custom === undefined || !this.#custom.has(key))) this.#writer.tag(key, value)
  }

  finish(): void {
    if (this.#custom !== undefined) for (const [key, value] of this.#custom) this.#writer.tag(key, value)
  }
}

export interface DownstreamTags {
  nodeId: string
  zone: string
  maxPathTagLength: number
}

export function downstreamTags(node: Node, maxPathTagLength: number): DownstreamTags {
  return { nodeId: wireText(node.id), zone: wireText(node.locality.zone), maxPathTagLength }
}

/** What Envoy says of a request on the span of the whole request. */
export function writeDownstreamTags(tags: TagWriter, config: DownstreamTags, info: StreamInfo): void {
  tags.set('node_id', config.nodeId)
  tags.set('zone', config.zone)
  const headers = info.requestHeaders
  if (headers !== undefined) writeRequestTags(tags, headers, config.maxPathTagLength, info)
  tags.set('request_size', String(info.bytesReceived))
  tags.set('response_size', String(info.bytesSent))
  tags.set('component', 'proxy')
  tags.set('upstream_cluster', wireText(info.clusterName))
  tags.set('upstream_cluster.name', wireText(info.clusterObservabilityName))
  tags.set('http.status_code', String(info.responseCode))
  tags.set('response_flags', info.flags.size === 0 ? '-' : [...info.flags].join(','))
  let failed = isFailure(info.responseCode)
  const grpcStatus = info.responseHeaders?.get('grpc-status')
  if (grpcStatus !== undefined) {
    tags.set('grpc.status_code', grpcStatus)
    tags.set('grpc.message', info.responseHeaders?.get('grpc-message') ?? '')
    failed ||= GRPC_ERRORS.has(grpcStatus)
  }
  if (failed) tags.set('error', 'true')
  tags.finish()
}

function writeRequestTags(tags: TagWriter, headers: RequestHeaders, maxPathTagLength: number, info: StreamInfo): void {
  tags.set('guid:x-request-id', headers.get('x-request-id') ?? '')
  const path = headers.get('x-envoy-original-path') ?? headers.path
  tags.set('http.url', `${headers.scheme}://${headers.authority}${path.slice(0, maxPathTagLength)}`)
  tags.set('http.method', headers.method)
  tags.set('downstream_cluster', headers.get('x-envoy-downstream-service-cluster') ?? '-')
  tags.set('user_agent', headers.get('user-agent') ?? '-')
  tags.set('http.protocol', info.protocol)
  tags.set('peer.address', withoutPort(info.downstreamDirectRemoteAddress))
  tags.set('guid:x-client-trace-id', headers.get('x-client-trace-id') ?? '')
  const contentType = headers.get('content-type')
  if (
    contentType !== undefined &&
    (contentType === 'application/grpc' || contentType.startsWith('application/grpc+'))
  ) {
    tags.set('grpc.path', headers.path)
    tags.set('grpc.authority', headers.authority)
    tags.set('grpc.content_type', contentType)
    tags.set('grpc.timeout', headers.get('grpc-timeout') ?? '')
  }
}

export interface AttemptTags {
  clusterName: string
  clusterObservabilityName: string
  number: number
}

/** What Envoy says of one attempt on the span of its own. */
export function writeAttemptTags(tags: TagWriter, attempt: AttemptTags, outcome: AttemptOutcome): void {
  if (attempt.number > 1) tags.set('retry.count', String(attempt.number - 1))
  // Envoy knows the protocol once the attempt has a connection.
  tags.set('http.protocol', Number.isNaN(outcome.firstUpstreamTxByte) ? '-' : 'HTTP/1.1')
  tags.set('upstream_address', outcome.upstreamAddress)
  tags.set('peer.address', outcome.upstreamAddress)
  tags.set('component', 'proxy')
  tags.set('upstream_cluster', wireText(attempt.clusterName))
  tags.set('upstream_cluster.name', wireText(attempt.clusterObservabilityName))
  tags.set('http.status_code', String(outcome.statusCode))
  tags.set('response_flags', outcome.responseFlags === '' ? '-' : outcome.responseFlags)
  if (outcome.resetReason !== undefined) tags.set('error.reason', outcome.resetReason)
  if (outcome.canceled) tags.set('canceled', 'true')
  if (isFailure(outcome.statusCode) || outcome.resetReason !== undefined || outcome.canceled) tags.set('error', 'true')
  tags.finish()
}

function isFailure(status: number): boolean {
  return status === 0 || (status >= 500 && status < 600)
}

/** Names of the moments that `verbose` adds, in Envoy's order. */
export type Moment = readonly [name: string, at: Instant]

export function upstreamMoments(timing: AttemptOutcome | StreamInfo): Moment[] {
  return [
    ['first_upstream_tx_byte_sent', timing.firstUpstreamTxByte],
    ['last_upstream_tx_byte_sent', timing.lastUpstreamTxByte],
    ['first_upstream_rx_byte_received', timing.firstUpstreamRxByte],
    ['last_upstream_rx_byte_received', timing.lastUpstreamRxByte],
  ]
}

export function downstreamMoments(info: StreamInfo): Moment[] {
  return [
    ['last_downstream_rx_byte_received', info.lastDownstreamRxByte],
    ...upstreamMoments(info),
    ['first_downstream_tx_byte_sent', info.firstDownstreamTxByte],
    ['last_downstream_tx_byte_sent', info.lastDownstreamTxByte],
  ]
}
