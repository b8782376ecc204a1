import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { type CoalescedOperator, type FormatOperator, type Metadata, tlsOperators } from '@hopscope/envoy-config'
import { grpcStatusOfHttp, isGrpc } from '../http/grpc-status.ts'
import type { Instant, StreamInfo } from '../stream-info.ts'
import { isPath, portOf, withoutPort } from './address-text.ts'
import { flagNames } from './flag-names.ts'
import { maskedAddress } from './masked-address.ts'
import { metadataValue } from './metadata-value.ts'
import { compileEmitTime, compileLocalEmitTime, compileLocalStartTime, compileStartTime } from './start-time.ts'
import type { Value } from './value.ts'

export type Reader = (info: StreamInfo) => Value

/** Makes the reader of one operator from what stands in its parentheses. */
type Operator = (args: string | undefined) => Reader

/** A reader that takes no argument. */
const plain =
  (reader: Reader): Operator =>
  () =>
    reader

/** Whole milliseconds of the moment after the request's start; none if it did not happen. */
const sinceStart =
  (at: (info: StreamInfo) => Instant): Operator =>
  () =>
  info =>
    between(info.startInstant, at(info))

function between(from: Instant, to: Instant): number | undefined {
  const millis = to - from
  return Number.isNaN(millis) ? undefined : Math.floor(Math.max(0, millis))
}

const filled = (text: string): string | undefined => (text === '' ? undefined : text)
/** An address without its port; an argument is the length of the prefix that is printed (`10.1.0.0/16`). */
const ip =
  (addressOf: (info: StreamInfo) => string): Operator =>
  args => {
    if (args === undefined || args === '') return info => filled(withoutPort(addressOf(info)))
    const bits = Number(args)
    return info => {
      const address = withoutPort(addressOf(info))
      return address === '' ? undefined : maskedAddress(address, bits)
    }
  }
const port = (address: string): number | string | undefined => {
  if (address === '') return undefined
  return isPath(address) ? '' : portOf(address)
}

/** One row for each operator that a configuration may name. */
export const operators: Readonly<Record<FormatOperator, Operator>> = {
  ACCESS_LOG_TYPE: plain(info => info.accessLogType),
  BYTES_RECEIVED: plain(info => info.bytesReceived),
  // Only QUIC counts them.
  BYTES_RETRANSMITTED: plain(() => 0),
  BYTES_SENT: plain(info => info.bytesSent),
  CLUSTER_METADATA: metadata(info => info.clusterMetadata),
  COALESCE: coalesce,
  COMMON_DURATION: commonDuration,
  CONNECTION_ID: plain(info => info.connectionId),
  CONNECTION_TERMINATION_DETAILS: plain(() => undefined),
  // No filter of ours sets any.
  CUSTOM_FLAGS: plain(() => ''),
  DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED: plain(info => info.downstreamBytes.decompressedHeaderReceived),
  DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT: plain(info => info.downstreamBytes.headerSent),
  // Envoy has a reset in mind, but the log is written before it is known.
  DOWNSTREAM_DETECTED_CLOSE_TYPE: plain(() => 'Normal'),
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS: plain(info => filled(info.downstreamLocalAddress)),
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID: plain(() => ''),
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT: ip(info => info.downstreamLocalAddress),
  DOWNSTREAM_DIRECT_LOCAL_PORT: plain(info => port(info.downstreamLocalAddress)),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: plain(info => filled(info.downstreamDirectRemoteAddress)),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: ip(info => info.downstreamDirectRemoteAddress),
  DOWNSTREAM_DIRECT_REMOTE_PORT: plain(info => port(info.downstreamDirectRemoteAddress)),
  DOWNSTREAM_HEADER_BYTES_RECEIVED: plain(info => info.downstreamBytes.headerReceived),
  DOWNSTREAM_HEADER_BYTES_SENT: plain(info => info.downstreamBytes.headerSent),
  DOWNSTREAM_LOCAL_ADDRESS: plain(info => filled(info.downstreamLocalAddress)),
  DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID: plain(() => ''),
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: ip(info => info.downstreamLocalAddress),
  DOWNSTREAM_LOCAL_CLOSE_REASON: plain(() => undefined),
  DOWNSTREAM_LOCAL_PORT: plain(info => port(info.downstreamLocalAddress)),
  DOWNSTREAM_REMOTE_ADDRESS: plain(info => filled(info.downstreamRemoteAddress)),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: ip(info => info.downstreamRemoteAddress),
  DOWNSTREAM_REMOTE_PORT: plain(info => port(info.downstreamRemoteAddress)),
  DOWNSTREAM_WIRE_BYTES_RECEIVED: plain(info => info.downstreamBytes.wireReceived),
  DOWNSTREAM_WIRE_BYTES_SENT: plain(info => info.downstreamBytes.wireSent),
  DURATION: sinceStart(info => info.endInstant),
  DYNAMIC_METADATA: metadata(info => info.dynamicMetadata),
  EMIT_TIME: compileEmitTime,
  EMIT_TIME_LOCAL: compileLocalEmitTime,
  ENVIRONMENT: args => {
    const [name, length] = nameAndLength(args)
    const value = process.env[name]
    const text = value === undefined ? undefined : cut(Buffer.from(value, 'utf8').toString('latin1'), length)
    return () => text
  },
  FILTER_CHAIN_NAME: plain(info => filled(info.listener.filterChainName)),
  // No filter of ours leaves any.
  FILTER_STATE: plain(() => undefined),
  GRPC_STATUS: args => info => grpcStatus(info, args ?? ''),
  GRPC_STATUS_NUMBER: plain(info => grpcStatus(info, 'NUMBER')),
  HOSTNAME: () => {
    const name = hostname()
    return () => name
  },
  LISTENER_NAME: plain(info => filled(info.listener.name)),
  LOCAL_REPLY_BODY: plain(info => info.localReplyBody),
  METADATA: args => {
    const [which = '', ...path] = (args ?? '').split(':')
    const of = METADATA_OF[which as keyof typeof METADATA_OF]
    return info => metadataValue(of(info), path)
  },
  // Only QUIC counts them.
  PACKETS_RETRANSMITTED: plain(() => 0),
  PATH: compilePath,
  PROTOCOL: plain(info => info.protocol),
  QUERY_PARAM: args => {
    const [name, length] = nameAndLength(args)
    return info => cut(queryParameter(info.requestHeaders?.path, name), length)
  },
  QUERY_PARAMS: plain(info => query(info.requestHeaders?.path)),
  REQ: requestHeader,
  REQUEST_HEADER: requestHeader,
  REQUEST_HEADERS_BYTES: plain(info => info.requestHeaders?.byteSize ?? 0),
  REQUESTED_SERVER_NAME: requestedServerName,
  REQUEST_DURATION: sinceStart(info => info.lastDownstreamRxByte),
  REQUEST_TX_DURATION: sinceStart(info => info.lastUpstreamTxByte),
  RESP: responseHeader,
  RESPONSE_HEADER: responseHeader,
  RESPONSE_HEADERS_BYTES: plain(info => info.responseHeaders?.byteSize ?? 0),
  RESPONSE_TRAILER: trailer,
  RESPONSE_TRAILERS_BYTES: plain(info => info.responseTrailers?.byteSize ?? 0),
  RESPONSE_CODE: plain(info => info.responseCode),
  RESPONSE_CODE_DETAILS: plain(info => filled(info.responseCodeDetails)),
  RESPONSE_DURATION: sinceStart(info => info.firstUpstreamRxByte),
  RESPONSE_FLAGS: plain(info => (info.flags.size === 0 ? '-' : [...info.flags].join(','))),
  RESPONSE_FLAGS_LONG: plain(info =>
    info.flags.size === 0 ? '-' : [...info.flags].map(flag => flagNames[flag]).join(','),
  ),
  RESPONSE_TX_DURATION: plain(info => between(info.firstUpstreamRxByte, info.lastDownstreamTxByte)),
  // Only QUIC measures it.
  ROUNDTRIP_DURATION: plain(() => undefined),
  ROUTE_NAME: plain(info => filled(info.route?.name ?? '')),
  // What the codec refused is not routed; of all else Envoy looks for a route, if only for its answer's headers.
  ROUTE_RESOLUTION_COUNT: plain(info => (info.requestHeaders === undefined ? 0 : 1 + info.reroutes)),
  SPAN_ID: plain(info => filled(info.spanId)),
  START_TIME: compileStartTime,
  START_TIME_LOCAL: compileLocalStartTime,
  STREAM_ID: plain(info => info.requestHeaders?.get('x-request-id')),
  STREAM_INFO_REQ: requestHeader,
  TRACE_ID: plain(info => filled(info.traceId)),
  TRAILER: trailer,
  UNIQUE_ID: plain(() => randomUUID()),
  UPSTREAM_CLUSTER: plain(info => filled(info.clusterObservabilityName)),
  UPSTREAM_CLUSTER_RAW: plain(info => filled(info.clusterName)),
  UPSTREAM_CONNECTION_ID: plain(info => info.upstreamConnection?.id ?? 0),
  // As the hosts: the last one.
  UPSTREAM_CONNECTION_IDS_ATTEMPTED: plain(info => info.upstreamConnection && String(info.upstreamConnection.id)),
  UPSTREAM_CONNECTION_POOL_READY_DURATION: plain(info => between(0, info.upstreamPoolWait)),
  UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED: plain(info => info.upstreamBytes.decompressedHeaderReceived),
  UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT: plain(info => info.upstreamBytes.headerSent),
  UPSTREAM_DETECTED_CLOSE_TYPE: plain(info => (wasTried(info) ? 'Normal' : undefined)),
  UPSTREAM_FILTER_STATE: plain(() => undefined),
  UPSTREAM_HEADER_BYTES_RECEIVED: plain(info => info.upstreamBytes.headerReceived),
  UPSTREAM_HEADER_BYTES_SENT: plain(info => info.upstreamBytes.headerSent),
  UPSTREAM_HOST: plain(info => filled(info.upstreamHost)),
  // Envoy means all of them, and has the last one that took a connection.
  UPSTREAM_HOSTS_ATTEMPTED: plain(info => filled(upstreamPeer(info))),
  UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT: plain(info => filled(withoutPort(upstreamPeer(info)))),
  UPSTREAM_HOST_NAME: plain(info => filled(info.upstreamHostName) ?? filled(info.upstreamHost)),
  UPSTREAM_HOST_NAMES_ATTEMPTED: plain(info =>
    hasUpstream(info) ? info.upstreamHostName || info.upstreamHost : undefined,
  ),
  UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT: plain(info =>
    hasUpstream(info) ? info.upstreamHostName || withoutPort(info.upstreamHost) : undefined,
  ),
  UPSTREAM_HOST_NAME_WITHOUT_PORT: plain(
    info => filled(info.upstreamHostName) ?? filled(withoutPort(info.upstreamHost)),
  ),
  UPSTREAM_LOCAL_ADDRESS: plain(info => filled(info.upstreamLocalAddress)),
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: ip(info => info.upstreamLocalAddress),
  UPSTREAM_LOCAL_CLOSE_REASON: plain(() => undefined),
  UPSTREAM_LOCAL_PORT: plain(info => port(info.upstreamLocalAddress)),
  UPSTREAM_METADATA: metadata(info => info.upstreamMetadata),
  UPSTREAM_PROTOCOL: plain(info => (hasUpstream(info) ? 'HTTP/1.1' : undefined)),
  // The peer's address is known with the connection, not with the choice of the host.
  UPSTREAM_REMOTE_ADDRESS: plain(info => filled(upstreamPeer(info))),
  UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID: plain(info => (upstreamPeer(info) === '' ? undefined : '')),
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: ip(info => upstreamPeer(info)),
  UPSTREAM_REMOTE_PORT: plain(info => port(upstreamPeer(info))),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: plain(info => info.upstreamAttemptCount),
  UPSTREAM_TRANSPORT_FAILURE_REASON: plain(info => filled(info.upstreamTransportFailureReason)),
  UPSTREAM_WIRE_BYTES_RECEIVED: plain(info => info.upstreamBytes.wireReceived),
  UPSTREAM_WIRE_BYTES_SENT: plain(info => info.upstreamBytes.wireSent),
  VIRTUAL_CLUSTER_NAME: plain(info => filled(info.virtualClusterName)),
  ...(Object.fromEntries(Object.keys(tlsOperators).map(name => [name, plain(() => undefined)])) as unknown as Record<
    keyof typeof tlsOperators,
    Operator
  >),
}

const METADATA_OF = {
  DYNAMIC: (info: StreamInfo) => info.dynamicMetadata,
  ROUTE: (info: StreamInfo) => info.route?.metadata,
  VIRTUAL_HOST: (info: StreamInfo) => info.virtualHostMetadata,
  CLUSTER: (info: StreamInfo) => info.clusterMetadata,
  UPSTREAM_HOST: (info: StreamInfo) => info.upstreamMetadata,
  LISTENER: (info: StreamInfo) => info.listener.metadata,
  LISTENER_FILTER_CHAIN: (info: StreamInfo) => info.listener.filterChainMetadata,
}

function metadata(of: (info: StreamInfo) => Metadata | undefined): Operator {
  return args => {
    const path = (args ?? '').split(':')
    return info => metadataValue(of(info), path)
  }
}

function requestHeader(args: string | undefined): Reader {
  const [name, alternative] = headerNames(args)
  if (alternative === undefined) return info => info.requestHeaders?.get(name)
  return info => info.requestHeaders?.get(name) ?? info.requestHeaders?.get(alternative)
}

function responseHeader(args: string | undefined): Reader {
  const [name, alternative] = headerNames(args)
  if (alternative === undefined) return info => info.responseHeaders?.get(name)
  return info => info.responseHeaders?.get(name) ?? info.responseHeaders?.get(alternative)
}

function trailer(args: string | undefined): Reader {
  const [name, alternative] = headerNames(args)
  return info => info.responseTrailers?.get(name) ?? info.responseTrailers?.get(alternative ?? name)
}

/** The first of its operators that has a value. */
function coalesce(args: string | undefined): Reader {
  const { operators: given } = JSON.parse(args ?? '') as { operators: readonly CoalescedOperator[] }
  const readers = given.map((one): Reader => {
    const { command, param, max_length } =
      typeof one === 'string' ? { command: one, param: undefined, max_length: undefined } : one
    const reader = operators[command as FormatOperator](param)
    if (max_length === undefined) return reader
    return info => {
      const value = reader(info)
      return typeof value === 'string' ? cut(value, max_length) : value
    }
  })
  return info => {
    for (const reader of readers) {
      const value = reader(info)
      if (value !== undefined) return value
    }
    return undefined
  }
}

/** Moments of a stream by Envoy's names; any other name is a moment that is never set. */
const MOMENTS: Readonly<Record<string, (info: StreamInfo) => Instant>> = {
  DS_CX_BEG: info => info.downstreamConnectBegin,
  DS_RX_BEG: info => info.startInstant,
  DS_RX_HDR_END: info => info.downstreamHeadEnd,
  DS_RX_END: info => info.lastDownstreamRxByte,
  US_CX_BEG: info => info.upstreamConnection?.connectBegin ?? Number.NaN,
  US_CX_END: info => info.upstreamConnection?.connectEnd ?? Number.NaN,
  US_TX_BEG: info => info.firstUpstreamTxByte,
  US_TX_END: info => info.lastUpstreamTxByte,
  US_RX_BEG: info => info.firstUpstreamRxByte,
  US_RX_BODY_BEG: info => info.firstUpstreamRxBodyByte,
  US_RX_END: info => info.lastUpstreamRxByte,
  DS_TX_BEG: info => info.firstDownstreamTxByte,
  DS_TX_END: info => info.lastDownstreamTxByte,
}
const PER_MILLISECOND: Readonly<Record<string, number>> = { ms: 1, us: 1e3, ns: 1e6 }

/** `FROM:TO:us`; none when one of them did not happen, or they did in the other order. */
function commonDuration(args: string | undefined): Reader {
  const [from = '', to = '', unit = 'ms'] = (args ?? '').split(':')
  const begin = MOMENTS[from]
  const end = MOMENTS[to]
  const factor = PER_MILLISECOND[unit]!
  if (begin === undefined || end === undefined) return () => undefined
  return info => {
    const millis = end(info) - begin(info)
    return millis >= 0 ? Math.floor(millis * factor) : undefined
  }
}

/** Without TLS nobody names a server by it; two of the ways take the Host header then, unless it is to be that of before some rewriting. */
function requestedServerName(args: string | undefined): Reader {
  const [first = '', which = ''] = (args ?? '').split(':')
  if (first !== 'SNI_FIRST' && first !== 'HOST_FIRST') return () => undefined
  if (which === 'ORIG') return info => info.requestHeaders?.get('x-envoy-original-host')
  if (which === 'HOST') return info => filled(info.requestHeaders?.authority ?? '')
  return info => info.requestHeaders?.get('x-envoy-original-host') ?? filled(info.requestHeaders?.authority ?? '')
}

function query(path: string | undefined): string | undefined {
  const mark = path?.indexOf('?') ?? -1
  return mark === -1 ? undefined : path!.slice(mark + 1)
}

/** A host was chosen, though perhaps not asked: then logs do not name it. */
const wasTried = (info: StreamInfo): boolean => info.upstreamHost !== '' || !Number.isNaN(info.upstreamPoolWait)

const upstreamPeer = (info: StreamInfo): string => (hasUpstream(info) ? info.upstreamHost : '')

/** There is a connection; one to a Unix socket has no address here. */
function hasUpstream(info: StreamInfo): boolean {
  return info.upstreamLocalAddress !== '' || (isPath(info.upstreamHost) && !Number.isNaN(info.firstUpstreamTxByte))
}

export function cut(text: string | undefined, length: number | undefined): string | undefined {
  return length === undefined ? text : text?.slice(0, length)
}

/** `X?Y`: the first name, and the one to take when it is not there. */
function headerNames(args: string | undefined): [name: string, alternative: string | undefined] {
  const [name, alternative] = (args ?? '').toLowerCase().split('?')
  return [name!, alternative]
}

/** `name:10` */
function nameAndLength(args: string | undefined): [name: string, length: number | undefined] {
  const match = /^(.*?)(?::(\d+))?$/s.exec(args ?? '')!
  return [match[1]!, match[2] === undefined ? undefined : Number(match[2])]
}

/** `WQ`/`NQ`: with or without query; `ORIG`, `PATH`: before or after rewriting; neither: before it if there was any. */
function compilePath(args: string | undefined): Reader {
  const [query, which] = (args ?? '').split(':')
  return info => {
    const headers = info.requestHeaders
    if (headers === undefined) return undefined
    const original = headers.get('x-envoy-original-path')
    const path = which === 'ORIG' ? original : which === 'PATH' ? headers.path : (original ?? headers.path)
    if (path === undefined || path === '') return undefined
    if (query !== 'NQ') return path
    const at = path.indexOf('?')
    return at < 0 ? path : path.slice(0, at)
  }
}

function queryParameter(path: string | undefined, name: string): string | undefined {
  const at = path?.indexOf('?') ?? -1
  if (at < 0) return undefined
  for (const pair of path!.slice(at + 1).split('&')) {
    const equals = pair.indexOf('=')
    const key = equals < 0 ? pair : pair.slice(0, equals)
    if (key === name) return equals < 0 ? '' : pair.slice(equals + 1)
  }
  return undefined
}

/** By number; as Envoy names them. */
const GRPC_STATUS_NAMES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] // prettier-ignore
const GRPC_STATUS_SNAKE = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] // prettier-ignore

const toldStatus = (info: StreamInfo): string | undefined =>
  info.responseTrailers?.get('grpc-status') ?? info.responseHeaders?.get('grpc-status')

/** What a response says, else what its HTTP status means; NaN when it says no number. */
export function grpcStatusOf(info: StreamInfo): number {
  const told = toldStatus(info)
  return told === undefined ? grpcStatusOfHttp(info.responseCode) : Number(told)
}

/** Of gRPC requests alone; a response that does not say it is judged by its HTTP status. */
function grpcStatus(info: StreamInfo, style: string): Value {
  if (!isGrpc(info.requestHeaders?.get('content-type'))) return undefined
  const told = toldStatus(info)
  const number = grpcStatusOf(info)
  if (style === 'NUMBER') return number
  const names = style === 'SNAKE_STRING' ? GRPC_STATUS_SNAKE : GRPC_STATUS_NAMES
  return names[number] ?? told
}
