import type { IncomingMessage } from 'node:http'
import type { AccessLog } from '@hopscope/envoy-config'
import { type AccessLogs, localIp, RequestHeaders, ResponseHeaders, type Runtime, StreamInfo } from '@hopscope/proxy'

/** What was answered, and how much of a body was read before. */
export interface AdminAnswer {
  status: number
  contentType: string
  received: number
  sent: number
}

/** Notes a request of the admin port when it begins; what is returned writes its line when its answer has left. */
export type AdminAccessLog = (request: IncomingMessage) => (answer: AdminAnswer) => void

/** Lines of the admin port, which say what Envoy's say of its own. Throws when a file cannot be opened. */
export function createAdminAccessLog(
  configs: readonly AccessLog[],
  accessLogs: AccessLogs,
  runtime: Runtime,
): AdminAccessLog {
  if (configs.length === 0) return () => () => {}
  const logger = accessLogs.logger(configs, { runtime, random: Math.random })
  let connections = 0
  const ids = new WeakMap<object, number>()
  return request => {
    const { socket, method = '', url = '' } = request
    const id = ids.get(socket) ?? connections++
    ids.set(socket, id)
    const info = new StreamInfo()
    info.startTime = Math.trunc((performance.timeOrigin + performance.now()) * 1000)
    info.startInstant = performance.now()
    info.connectionId = id
    info.protocol = request.httpVersion === '1.0' ? 'HTTP/1.0' : 'HTTP/1.1'
    info.downstreamDirectRemoteAddress = addressOf(socket.remoteAddress, socket.remotePort)
    info.downstreamRemoteAddress = info.downstreamDirectRemoteAddress
    info.downstreamLocalAddress = addressOf(socket.localAddress, socket.localPort)
    const headers = new RequestHeaders(request.rawHeaders.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text)))
    headers.method = method
    headers.path = url
    headers.authority = request.headers.host ?? ''
    headers.set('x-forwarded-proto', 'http')
    // As if it used the remote address, in whose place a client on this machine has the machine's.
    const ip = socket.remoteAddress ?? ''
    if (ip !== '') headers.appendJoined('x-forwarded-for', /^(127\.|::1$)/.test(ip) ? localIp() : ip, ',')
    info.requestHeaders = headers
    return ({ status, contentType, received, sent }) => {
      info.endInstant = performance.now()
      info.responseCode = status
      info.responseCodeDetails = 'admin_filter_response'
      info.responseHeaders = new ResponseHeaders(['content-type', contentType])
      info.bytesReceived = received
      info.bytesSent = sent
      logger.log(info, 'DownstreamEnd')
    }
  }
}

function addressOf(ip: string | undefined, port: number | undefined): string {
  if (ip === undefined) return ''
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
}
