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
      local_address: { socket_address: { address: address.address, port_value: address.port } },
    }))
    return { type: 'json', body: dumpJson(listeners.length === 0 ? {} : { listener_statuses }) }
  }
  return { body: listeners.map(({ name, address }) => `${name}::${addressText(address)}\n`).join('') }
}

/** `127.0.0.1:80`, `[::1]:80` */
export function addressText({ address, port }: SocketAddress): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
