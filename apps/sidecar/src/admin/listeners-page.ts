import type { SocketAddress } from '@hopscope/envoy-config'
import type { AdminReply } from './admin-server.ts'
import { dumpJson } from './dump-json.ts'

export interface ListenerStatus {
  name: string
  /** Where it really listens. */
  address: SocketAddress
}

export function listenersPage(listeners: readonly ListenerStatus[], query: URLSearchParams): AdminReply {
  if (query.get('format') === 'json') {
    const listener_statuses = listeners.map(({ name, address }) => ({
      name,
      local_address: isPath(address.address)
        ? { pipe: { path: address.address } }
        : { socket_address: { address: address.address, port_value: address.port } },
    }))
    return { type: 'json', body: dumpJson(listeners.length === 0 ? {} : { listener_statuses }) }
  }
  return { body: listeners.map(({ name, address }) => `${name}::${addressText(address)}\n`).join('') }
}

/** Of a Unix socket. */
export function isPath(address: string): boolean {
  return address.startsWith('/') || address.startsWith('@')
}

/** `127.0.0.1:80`, `[::1]:80`, or the path of a Unix socket. */
export function addressText({ address, port }: SocketAddress): string {
  if (isPath(address)) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
