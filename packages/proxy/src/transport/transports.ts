import type { KeepAlive, SocketAddress } from '@hopscope/envoy-config'
import type { Transport, TransportHandler } from './transport.ts'

/** A way to get byte streams: over Node's sockets, or over the handles below them. */
export interface Transports {
  readonly name: 'socket' | 'handle'
  /**
   * Begins to connect to an address (no name); `onConnect` or `onClose` follows, later. Where it cannot begin where `options` say the
   * error of `onClose` is one of `bind`.
   */
  connect(
    ip: string,
    port: number,
    highWaterMark: number,
    handler: TransportHandler,
    options?: ConnectOptions,
  ): Transport
  /** …to a Unix socket; `@name` is an abstract one. */
  connectPipe(path: string, highWaterMark: number, handler: TransportHandler): Transport
  /** Rejects with Node's error (`code`: EADDRINUSE, …) when the address cannot be had. */
  listen(options: ListenOptions, onConnection: (transport: Transport) => void): Promise<BoundPort>
  /** …at a Unix socket; both addresses of what connects there are its path. What stands at the path goes. */
  listenPipe(options: ListenPipeOptions, onConnection: (transport: Transport) => void): Promise<BoundPort>
}

export interface ConnectOptions {
  /** An address of this machine; port 0: any free one. */
  from?: SocketAddress | undefined
  keepAlive?: Required<KeepAlive> | undefined
}

export interface ListenOptions {
  ip: string
  /** 0: any free one. */
  port: number
  /** Bytes to be written above which a producer is told to wait, of each connection. */
  highWaterMark: number
  /** Connections that may wait to be accepted. */
  backlog?: number
  /** Of an IPv6 address: IPv4 is not for it. */
  ipv6Only?: boolean
  /** Other processes may listen on the same port; the kernel shares connections out among them. */
  reusePort: boolean
}

export interface ListenPipeOptions extends Pick<ListenOptions, 'highWaterMark'> {
  path: string
  /** Permissions of its file; 0: as the process makes files. */
  mode: number
}

export interface BoundPort {
  readonly port: number
  /** No new connections; those there are go on. */
  close(): void
}

/** Connections waiting to be accepted, as Envoy's default: as many as the system lets wait (Linux: net.core.somaxconn, which bounds it). */
export const BACKLOG = 0x7fff_ffff

/** The handler of a new connection, until its owner sets one. */
export const NOBODY: TransportHandler = { onData() {}, onDrain() {}, onEnd() {}, onClose() {} }
