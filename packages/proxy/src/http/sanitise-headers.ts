import type { HttpConnectionManager, Node } from '@hopscope/envoy-config'
import { isPath, portOf } from '../format/address-text.ts'
import type { StreamInfo } from '../stream-info.ts'
import { compileRanges, forwardedAddress, ipOf, isLoopback, localIp } from './client-address.ts'
import { CONNECTION_HEADER_REJECTED, type CodecError } from './codec/codec-error.ts'
import { hasToken } from './codec/response-decoder.ts'
import { NameSet, type RequestHeaders } from './headers.ts'
import { compileOriginalIp } from './original-ip.ts'
import { applyRequestId } from './request-id.ts'

const HOP_BY_HOP = ['x-envoy-internal', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'connection', 'upgrade']

/** Only an internal client may steer the proxy. */
const CONTROL = [
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-upstream-alt-stat-name',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-upstream-rq-timeout-alt-response',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-force-trace',
  'x-envoy-ip-tags',
  'x-envoy-original-url',
  'x-envoy-hedge-on-per-try-timeout',
]

/** What an edge proxy takes away besides. */
const EDGE = [
  'x-envoy-decorator-operation',
  'x-envoy-downstream-service-cluster',
  'x-envoy-downstream-service-node',
  'x-envoy-original-path',
  'x-envoy-original-host',
]

/** Nominating one of these in Connection is an attack, not a wish. */
const NOT_NOMINABLE: ReadonlySet<string> = new Set(['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'])

export interface Sanitised {
  internal: boolean
}

/** The client's address is unknown, and the configuration refuses such requests. */
export interface UnknownOrigin {
  rejectWith: number
}

/** Header sanitising of one HttpConnectionManager, in Envoy's order (`ConnectionManagerUtility::mutateRequestHeaders`). */
export function createSanitiser(
  config: HttpConnectionManager,
  node: Node,
): (headers: RequestHeaders, connection: string, info: StreamInfo) => Sanitised | CodecError | UnknownOrigin {
  const { cidrRanges = [], unixSockets = false } = config.internalAddressConfig ?? {}
  const isInRange = compileRanges(cidrRanges)
  const isInternal = unixSockets ? (ip: string) => isPath(ip) || isInRange(ip) : isInRange
  const internalOnly = config.routeConfig.internalOnlyHeaders.map(name => name.toLowerCase())
  const dropped = {
    internal: new NameSet(HOP_BY_HOP),
    external: new NameSet([...HOP_BY_HOP, ...CONTROL, ...internalOnly]),
    edge: new NameSet([...HOP_BY_HOP, ...CONTROL, ...internalOnly, ...EDGE]),
  }
  const hops = config.xffNumTrustedHops
  const detect = compileOriginalIp(config)
  const ownIp = localIp()

  return (headers, connection, info) => {
    const nominated = connection === '' ? undefined : removeNominated(headers, connection)
    if (nominated !== undefined) return nominated
    keepOnlyTrailers(headers)
    const peerIp = ipOf(info.downstreamDirectRemoteAddress)
    let clientIp = peerIp
    let eligible = false
    if (config.useRemoteAddress) {
      const xff = headers.get('x-forwarded-for')
      if (hops > 0) clientIp = forwardedAddress(xff, hops - 1)?.ip ?? peerIp
      eligible = xff === undefined
      if (!config.skipXffAppend && !isPath(peerIp)) {
        headers.appendJoined('x-forwarded-for', isLoopback(peerIp) ? ownIp : peerIp, ',')
      }
      if (hops === 0 || !headers.has('x-forwarded-proto')) headers.set('x-forwarded-proto', 'http')
    } else {
      const origin = detect(headers, peerIp)
      if (origin.rejectWith !== 0) return origin
      if (origin.ip !== undefined) {
        clientIp = origin.ip
        eligible = origin.trusted
      }
      if (origin.appends && !isPath(peerIp))
        headers.appendJoined('x-forwarded-for', isLoopback(peerIp) ? ownIp : peerIp, ',')
      if (!headers.has('x-forwarded-proto')) headers.append('x-forwarded-proto', 'http')
    }
    if (config.appendXForwardedPort && ((config.useRemoteAddress && hops === 0) || !headers.has('x-forwarded-port'))) {
      const port = portOf(info.downstreamLocalAddress)
      if (!Number.isNaN(port)) headers.set('x-forwarded-port', String(port))
    }
    if (clientIp !== peerIp) info.downstreamRemoteAddress = clientIp.includes(':') ? `[${clientIp}]:0` : `${clientIp}:0`

    if (config.schemeToOverwrite !== '') headers.set('x-forwarded-proto', config.schemeToOverwrite)
    headers.scheme = headers.get('x-forwarded-proto')?.toLowerCase() === 'https' ? 'https' : 'http'
    const internal = eligible && isInternal(clientIp)
    const edge = !internal && config.useRemoteAddress
    headers.removeAll(internal ? dropped.internal : edge ? dropped.edge : dropped.external)
    if (internal) headers.append('x-envoy-internal', 'true')
    if (config.addUserAgent && node.cluster !== '') {
      headers.set('x-envoy-downstream-service-cluster', node.cluster)
      const userAgent = headers.get('user-agent')
      if (userAgent === undefined || userAgent === '') headers.set('user-agent', node.cluster)
      if (node.id !== '') headers.set('x-envoy-downstream-service-node', node.id)
    }
    if (config.via !== '') headers.appendJoined('via', config.via, ', ')
    if (edge && !isPath(clientIp)) headers.set('x-envoy-external-address', clientIp)
    applyRequestId(config, headers, edge)
    if (!config.forwardClientCert && headers.has('x-forwarded-client-cert')) headers.remove('x-forwarded-client-cert')
    return { internal }
  }
}

/** Takes out every header that Connection names (RFC 9110 §7.6.1). */
function removeNominated(headers: RequestHeaders, connection: string): CodecError | undefined {
  for (const token of connection.split(',')) {
    const name = token.trim()
    if (name === '' || name === 'close' || name === 'keep-alive' || name === 'te') continue
    if (NOT_NOMINABLE.has(name) || name.startsWith(':')) return CONNECTION_HEADER_REJECTED
    if (name === 'host') headers.authority = ''
    else headers.remove(name)
  }
  return undefined
}

/** `te: trailers` is end to end in effect; all else in it is for this hop. */
function keepOnlyTrailers(headers: RequestHeaders): void {
  const te = headers.get('te')
  if (te === undefined) return
  if (hasToken(te.toLowerCase(), 'trailers')) headers.set('te', 'trailers')
  else headers.remove('te')
}
