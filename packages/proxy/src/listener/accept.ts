import { createServer, type Server } from 'node:net'
import type { Listener } from '@hopscope/envoy-config'
import { ListenError } from '../errors.ts'
import { ConnectionManager } from '../http/connection-manager.ts'
import type { ConnectionManagerContext } from '../http/connection-manager-context.ts'
import type { Stats } from '../stats/stats.ts'
import { formatAddress, SocketTransport } from './socket-transport.ts'
import type { TransportHandler } from './transport.ts'

/** A bound listener: accepts connections for the connection manager it was last given. */
export interface Acceptor {
  readonly name: string
  /** `ip:port` as bound. */
  readonly address: string
  readonly port: number
  readonly direction: Listener['trafficDirection']
  /** New connections get this one; present ones keep what they have. */
  use(listener: Listener, context: ConnectionManagerContext): void
  /** No new connections; those there are go on. */
  stopListening(): void
  /** No new connections; idle ones close, busy ones after their response. */
  drain(): void
  close(): void
}

/** Connections waiting to be accepted, as Envoy's default. */
const BACKLOG = 128

/** Rejects with a `ListenError` when the address cannot be had. */
export async function listen(listener: Listener, stats: Stats, nextConnectionId: () => number): Promise<Acceptor> {
  const server = createServer({
    allowHalfOpen: true,
    noDelay: true,
    pauseOnConnect: false,
    highWaterMark: listener.perConnectionBufferLimitBytes,
  })
  await bind(server, listener)
  const bound = server.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : listener.address.port
  const address = formatAddress(listener.address.address, port)
  const numbers = createListenerStats(stats, listenerStatName(listener))
  const connections = new Set<ConnectionManager>()
  let context: ConnectionManagerContext | undefined
  let name = listener.name
  let direction = listener.trafficDirection

  server.on('error', () => {
    // A failed accept (no descriptors left) concerns that one connection; it is tried again with the next.
  })
  server.on('connection', socket => {
    if (context === undefined) {
      socket.destroy()
      return
    }
    const { clock } = context
    const acceptedAt = clock.now()
    numbers.total.add()
    numbers.active.add()
    numbers.workerTotal.add()
    numbers.workerActive.add()
    const transport = new SocketTransport(socket, IGNORE)
    const connection = new ConnectionManager(context, transport, nextConnectionId(), () => {
      connections.delete(connection)
      numbers.active.sub()
      numbers.workerActive.sub()
      numbers.destroy.add()
      numbers.length.record(Math.trunc(clock.now() - acceptedAt))
    })
    connections.add(connection)
  })

  return {
    get name() {
      return name
    },
    get direction() {
      return direction
    },
    address,
    port,
    use(present, next) {
      name = present.name
      direction = present.trafficDirection
      context = next
    },
    stopListening() {
      server.close()
    },
    drain() {
      server.close()
      for (const connection of [...connections]) connection.drain()
    },
    close() {
      server.close()
      for (const connection of [...connections]) connection.destroy()
    },
  }
}

const IGNORE: TransportHandler = { onData() {}, onDrain() {}, onEnd() {}, onClose() {} }

/** `127.0.0.1_8080`, the configured address: stats cannot have colons. */
export function listenerStatName({ address }: Listener): string {
  return formatAddress(address.address, address.port).replaceAll(':', '_')
}

function bind(server: Server, { address }: Listener): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = formatAddress(address.address, address.port)
      reject(new ListenError(`cannot bind '${where}': ${bindError(error)}`, { cause: error }))
    })
    server.listen({ host: address.address, port: address.port, backlog: BACKLOG }, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

function bindError(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'Address already in use'
    case 'EACCES':
      return 'Permission denied'
    case 'EADDRNOTAVAIL':
      return 'Cannot assign requested address'
    default:
      return error.message
  }
}

function createListenerStats(stats: Stats, name: string) {
  const prefix = `listener.${name}.`
  for (const counter of [
    'downstream_cx_overflow',
    'downstream_cx_overload_reject',
    'downstream_cx_transport_socket_connect_timeout',
    'downstream_global_cx_overflow',
    'downstream_listener_filter_error',
    'downstream_listener_filter_remote_close',
    'downstream_pre_cx_timeout',
    'extension_config_missing',
    'network_extension_config_missing',
    'no_filter_chain_match',
  ]) {
    stats.counter(prefix + counter)
  }
  stats.gauge(`${prefix}downstream_pre_cx_active`)
  return {
    total: stats.counter(`${prefix}downstream_cx_total`),
    active: stats.gauge(`${prefix}downstream_cx_active`),
    destroy: stats.counter(`${prefix}downstream_cx_destroy`),
    length: stats.histogram(`${prefix}downstream_cx_length_ms`),
    workerTotal: stats.counter(`${prefix}worker_0.downstream_cx_total`),
    workerActive: stats.gauge(`${prefix}worker_0.downstream_cx_active`),
  }
}
