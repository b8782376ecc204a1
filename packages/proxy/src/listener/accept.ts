import type { ListenAddress, Listener } from '@hopscope/envoy-config'
import { ListenError } from '../errors.ts'
import { ConnectionManager } from '../http/connection-manager.ts'
import type { ConnectionManagerContext } from '../http/connection-manager-context.ts'
import type { Runtime } from '../runtime.ts'
import type { Stats } from '../stats/stats.ts'
import { formatAddress } from '../transport/address-text.ts'
import type { Transport } from '../transport/transport.ts'
import { BACKLOG, type BoundPort, type Transports } from '../transport/transports.ts'
import type { Ends } from './choose-filter-chain.ts'

/** The connection manager of a connection; undefined: no filter chain takes it. */
export type ChooseContext = (ends: Ends) => ConnectionManagerContext | undefined

/** A bound listener: accepts connections for the connection manager it was last given. */
export interface Acceptor {
  readonly name: string
  /** `ip:port` as bound, or the path of a Unix socket. */
  readonly address: string
  readonly port: number
  readonly direction: Listener['trafficDirection']
  /** New connections get this one; present ones keep what they have. */
  use(listener: Listener, choose: ChooseContext): void
  /** Takes no new connections; the present ones go on. */
  stopListening(): void
  /** Takes no new connections; idle ones close at once, busy ones after their response. */
  drain(): void
  close(): void
}

export interface AcceptorServices {
  stats: Stats
  runtime: Runtime
  transports: Transports
  /** Which one this is of the processes that share the port. */
  worker: number | undefined
  portOf(listener: Listener): number
  nextConnectionId: () => number
}

/** Rejects with a `ListenError` when the address cannot be had. */
export async function listen(listener: Listener, services: AcceptorServices): Promise<Acceptor> {
  const { stats, runtime, nextConnectionId } = services
  const numbers = createListenerStats(stats, listenerStatName(listener), services.worker ?? 0)
  const connections = new Set<ConnectionManager>()
  let choose: ChooseContext | undefined
  let name = listener.name
  let direction = listener.trafficDirection
  let limitKey = connectionLimitKey(name)

  function accept(transport: Transport): void {
    if (connections.size >= runtime.number(limitKey, Number.POSITIVE_INFINITY)) {
      numbers.overflow.add()
      transport.destroy()
      return
    }
    const context = choose?.(transport)
    if (context === undefined) {
      if (choose !== undefined) numbers.unmatched.add()
      transport.destroy()
      return
    }
    const { clock } = context
    const acceptedAt = clock.now()
    // There are no listener filters to wait for.
    numbers.before.set(0)
    numbers.total.add()
    numbers.active.add()
    numbers.workerTotal.add()
    numbers.workerActive.add()
    const connection = new ConnectionManager(context, transport, nextConnectionId(), () => {
      connections.delete(connection)
      numbers.active.sub()
      numbers.workerActive.sub()
      numbers.destroy.add()
      numbers.length.record(Math.trunc(clock.now() - acceptedAt))
    })
    connections.add(connection)
  }

  const bound = await bind(listener, services, accept)
  const { port } = bound
  const address = listener.address.isPipe ? listener.address.address : formatAddress(listener.address.address, port)

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
      limitKey = connectionLimitKey(name)
      direction = present.trafficDirection
      choose = next
    },
    stopListening() {
      bound.close()
    },
    drain() {
      bound.close()
      for (const connection of [...connections]) connection.drain()
    },
    close() {
      bound.close()
      for (const connection of [...connections]) connection.destroy()
    },
  }
}

/** Its prefix, or `127.0.0.1_8080`, the configured address: stats cannot have colons. */
export function listenerStatName({ address, statPrefix }: Listener): string {
  return (statPrefix || addressOf(address)).replaceAll(':', '_')
}

/** The runtime key that says how many connections a listener may have at a time. */
function connectionLimitKey(name: string): string {
  return `envoy.resource_limits.listener.${name}.connection_limit`
}

function addressOf({ address, port, isPipe }: ListenAddress): string {
  return isPipe ? address : formatAddress(address, port)
}

async function bind(
  listener: Listener,
  { transports, worker, portOf }: AcceptorServices,
  onConnection: (transport: Transport) => void,
): Promise<BoundPort> {
  const { address, perConnectionBufferLimitBytes: highWaterMark, tcpBacklogSize: backlog = BACKLOG } = listener
  // A Unix socket cannot be shared as a port can: of several processes the first alone listens on it.
  if (address.isPipe && worker !== undefined && worker > 0) return { port: 0, close() {} }
  const options = {
    ip: address.address,
    port: portOf(listener),
    highWaterMark,
    backlog,
    ipv6Only: address.address.includes(':') && address.ipv4Compat !== true,
    reusePort: worker !== undefined,
  }
  try {
    if (address.isPipe) return await transports.listenPipe({ path: address.address, mode: address.mode, highWaterMark }, onConnection) // biome-ignore format: one line
    return await transports.listen(options, onConnection)
  } catch (error) {
    throw new ListenError(`cannot bind '${addressOf(address)}': ${bindError(error as NodeJS.ErrnoException)}`, {
      cause: error,
    })
  }
}

function bindError(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'Address already in use'
    case 'EACCES':
      return 'Permission denied'
    case 'EADDRNOTAVAIL':
      return 'Cannot assign requested address'
    case 'ENOENT':
      return 'No such file or directory'
    default:
      return error.message
  }
}

function createListenerStats(stats: Stats, name: string, worker: number) {
  const prefix = `listener.${name}.`
  for (const counter of [
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
  return {
    before: stats.gauge(`${prefix}downstream_pre_cx_active`),
    overflow: stats.counter(`${prefix}downstream_cx_overflow`),
    unmatched: stats.counter(`${prefix}no_filter_chain_match`),
    total: stats.counter(`${prefix}downstream_cx_total`),
    active: stats.gauge(`${prefix}downstream_cx_active`),
    destroy: stats.counter(`${prefix}downstream_cx_destroy`),
    length: stats.histogram(`${prefix}downstream_cx_length_ms`),
    workerTotal: stats.counter(`${prefix}worker_${worker}.downstream_cx_total`),
    workerActive: stats.gauge(`${prefix}worker_${worker}.downstream_cx_active`),
  }
}
