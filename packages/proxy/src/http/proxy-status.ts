import type { HttpConnectionManager, Node } from '@hopscope/envoy-config'
import type { ResponseFlag, StreamInfo } from '../stream-info.ts'
import type { ResponseHeaders } from './headers.ts'

/** Errors of RFC 9209 by Envoy's flags, of several by the first; with the status that goes with the error. */
const ERRORS: readonly (readonly [ResponseFlag, string, status?: number])[] = [
  ['LH', 'destination_unavailable', 503],
  ['UH', 'destination_unavailable', 503],
  ['UT', 'http_response_timeout', 504],
  ['DT', 'connection_timeout', 504],
  ['LR', 'connection_timeout', 504],
  ['UR', 'connection_terminated', 502],
  ['UF', 'connection_refused', 502],
  ['UAEX', 'connection_refused', 502],
  ['UC', 'connection_terminated', 502],
  ['OM', 'connection_limit_reached', 503],
  ['UO', 'connection_limit_reached', 503],
  ['NR', 'destination_not_found', 500],
  ['RL', 'connection_limit_reached', 503],
  ['RLSE', 'connection_limit_reached', 503],
  ['URX', 'destination_unavailable', 503],
  ['SI', 'http_response_timeout', 504],
  ['IH', 'http_request_error'],
  ['FI', 'http_request_error'],
  ['UMSDR', 'http_response_timeout', 504],
  ['NFCF', 'proxy_configuration_error', 500],
  ['UPE', 'http_protocol_error', 502],
  ['NC', 'destination_unavailable', 503],
  ['DF', 'dns_error', 502],
]

/** Says in an answer what went wrong, if something did. */
export type AddProxyStatus = (headers: ResponseHeaders, info: StreamInfo) => void

/** `proxy-status`, by the flags that are known when the answer leaves. (RFC 9209; Envoy `ProxyStatusUtils`) */
export function compileProxyStatus(config: HttpConnectionManager, node: Node): AddProxyStatus | undefined {
  const { proxyStatus } = config
  if (proxyStatus === undefined) return undefined
  const { proxyName, removeDetails, removeResponseFlags, setRecommendedResponseCode } = proxyStatus
  const name = proxyName === undefined ? config.serverName : proxyName.type === 'literal' ? proxyName.name : node.id
  return (headers, info) => {
    if (info.flags.size === 0) return
    const error = ERRORS.find(([flag]) => info.flags.has(flag))
    if (error === undefined) return
    const parts = [name, `error=${error[1]}`]
    if (!removeDetails && info.responseCodeDetails !== '') {
      const flags = removeResponseFlags ? [] : [[...info.flags].join(',')]
      parts.push(`details="${[info.responseCodeDetails, ...flags].join('; ')}"`)
    }
    headers.appendJoined('proxy-status', parts.join('; '), ', ')
    if (setRecommendedResponseCode && error[2] !== undefined) headers.status = error[2]
  }
}
