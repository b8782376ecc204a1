import type { Node } from '@hopscope/envoy-config'
import { ipOf } from '../http/client-address.ts'
import type { RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import type { StreamInfo } from '../stream-info.ts'
import { wireText } from './custom-tags.ts'
import type { AttemptOutcome, SentAttempt } from './http-tracer.ts'

const GRPC_ERRORS = new Set(['2', '4', '8', '12', '13', '14', '15'])

/** The tags of one span: built-in ones give way to custom ones of the same name; empty ones are left out, by Zipkin. */
export class TagWriter {
  readonly #writer: { tag(key: string, value: string): void }
  readonly #custom: ReadonlyMap<string, string> | undefined
  readonly #keepEmpty: boolean

  constructor(
    writer: { tag(key: string, value: string): void },
    custom: ReadonlyMap<string, string> | undefined,
    empty: 'drop empty' | 'keep empty' = 'drop empty',
  ) {
    this.#writer = writer
    this.#custom = custom
    this.#keepEmpty = empty === 'keep empty'
  }

  /** Of something that is there, empty or not. */
  set(key: string, value: string): void {
    if (value !== '' || this.#keepEmpty) this.#write(key, value)
  }

  /** Of something that may not be there: "". */
  setIf(key: string, value: string): void {
    if (value !== '') this.#write(key, value)
  }

  #write(key: string, value: string): void {
    if (this.#custom === undefined || !this.#custom.has(key)) this.#writer.tag(key, value)
  }

  finish(): void {
    if (this.#custom !== undefined) for (const [key, value] of this.#custom) this.#writer.tag(key, value)
  }
}

export interface DownstreamTags {
  nodeId: string
  zone: string
  maxPathTagLength: number
  /** Other methods than these are `_OTHER`; undefined: all are told. */
  methods?: ReadonlySet<string>
}

export function downstreamTags(node: Node, maxPathTagLength: number): DownstreamTags {
  return { nodeId: wireText(node.id), zone: wireText(node.locality.zone), maxPathTagLength }
}

/** What Envoy says of a request on the span of the whole request. */
export function writeDownstreamTags(tags: TagWriter, config: DownstreamTags, info: StreamInfo): void {
  tags.set('node_id', config.nodeId)
  tags.set('zone', config.zone)
  const headers = info.requestHeaders
  if (headers !== undefined) writeRequestTags(tags, headers, config, info)
  tags.set('request_size', String(info.bytesReceived))
  tags.set('response_size', String(info.bytesSent))
  tags.set('component', 'proxy')
  tags.setIf('upstream_cluster', wireText(info.clusterName))
  tags.setIf('upstream_cluster.name', wireText(info.clusterObservabilityName))
  tags.set('http.status_code', String(info.responseCode))
  tags.set('response_flags', info.flags.size === 0 ? '-' : [...info.flags].join(','))
  const failedGrpc = writeGrpcStatus(tags, info.responseHeaders)
  if (isFailure(info.responseCode) || failedGrpc) tags.set('error', 'true')
  tags.finish()
}

/** Whether it is a failure. */
function writeGrpcStatus(tags: TagWriter, headers: ResponseHeaders | undefined): boolean {
  const status = headers?.get('grpc-status')
  if (status === undefined) return false
  tags.set('grpc.status_code', status)
  tags.setIf('grpc.message', headers?.get('grpc-message') ?? '')
  return GRPC_ERRORS.has(status)
}

function writeRequestTags(tags: TagWriter, headers: RequestHeaders, config: DownstreamTags, info: StreamInfo): void {
  const { maxPathTagLength, methods } = config
  tags.setIf('guid:x-request-id', headers.get('x-request-id') ?? '')
  const path = headers.get('x-envoy-original-path') ?? headers.path
  tags.set('http.url', urlOf(headers.scheme, headers.authority, path.slice(0, maxPathTagLength)))
  tags.set('http.method', methods === undefined || methods.has(headers.method) ? headers.method : '_OTHER')
  tags.set('downstream_cluster', headers.get('x-envoy-downstream-service-cluster') ?? '-')
  tags.set('user_agent', headers.get('user-agent') ?? '-')
  tags.set('http.protocol', info.protocol)
  tags.set('peer.address', ipOf(info.downstreamDirectRemoteAddress))
  tags.setIf('guid:x-client-trace-id', headers.get('x-client-trace-id') ?? '')
  const contentType = headers.get('content-type')
  if (
    contentType !== undefined &&
    (contentType === 'application/grpc' || contentType.startsWith('application/grpc+'))
  ) {
    tags.set('grpc.path', headers.path)
    tags.set('grpc.authority', headers.authority)
    tags.set('grpc.content_type', contentType)
    tags.setIf('grpc.timeout', headers.get('grpc-timeout') ?? '')
  }
}

let last = { scheme: '', authority: '', path: '', url: '' }

/** Mostly that of the request before: to compare three texts costs less than to make one of them. */
function urlOf(scheme: string, authority: string, path: string): string {
  if (last.path !== path || last.authority !== authority || last.scheme !== scheme)
    last = { scheme, authority, path, url: `${scheme}://${authority}${path}` }
  return last.url
}

/** What Envoy says of one attempt on the span of its own. */
export function writeAttemptTags(
  tags: TagWriter,
  attempt: SentAttempt,
  cluster: string,
  outcome: AttemptOutcome,
): void {
  if (attempt.number > 1) tags.set('retry.count', String(attempt.number - 1))
  // Envoy knows the protocol once the attempt has a connection.
  tags.set('http.protocol', Number.isNaN(outcome.firstUpstreamTxByte) ? '-' : 'HTTP/1.1')
  tags.setIf('upstream_address', outcome.upstreamAddress)
  tags.setIf('peer.address', outcome.upstreamAddress)
  tags.set('component', 'proxy')
  tags.set('upstream_cluster', wireText(cluster))
  tags.set('upstream_cluster.name', wireText(attempt.clusterName))
  tags.set('http.status_code', String(outcome.statusCode))
  tags.set('response_flags', outcome.responseFlags === '' ? '-' : outcome.responseFlags)
  if (outcome.resetReason !== undefined) tags.set('error.reason', outcome.resetReason)
  if (outcome.canceled) tags.set('canceled', 'true')
  for (const [name, value] of outcome.tags ?? []) tags.set(name, value)
  const failed = writeGrpcStatus(tags, outcome.responseHeaders) || outcome.resetReason !== undefined
  if (isFailure(outcome.statusCode) || failed) tags.set('error', 'true')
  tags.finish()
}

function isFailure(status: number): boolean {
  return status === 0 || (status >= 500 && status < 600)
}
