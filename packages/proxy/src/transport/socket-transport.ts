import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer, type NetConnectOpts, type Server, Socket } from 'node:net'
import { getSystemErrorMap } from 'node:util'
import type { Milliseconds, SocketAddress } from '@hopscope/envoy-config'
import { formatAddress } from './address-text.ts'
import { familyError, isLateBindError } from './bind-error.ts'
import { JOIN_LIMIT, joinInto } from './join.ts'
import { setKeepAlive } from './keep-alive.ts'
import { slab } from './slab.ts'
import type { Transport, TransportHandler } from './transport.ts'
import { BACKLOG, type ConnectOptions, NOBODY, type Transports } from './transports.ts'

/** A `Transport` on Node's public socket. */
export class SocketTransport implements Transport {
  handler: TransportHandler
  localAddress = ''
  remoteAddress = ''
  readonly #socket: Socket
  #error: NodeJS.ErrnoException | undefined

  constructor(socket: Socket, handler: TransportHandler) {
    this.#socket = socket
    this.handler = handler
    if (!socket.connecting) this.#readAddresses()
    socket.on('data', chunk => this.handler.onData(chunk))
    socket.on('drain', () => this.handler.onDrain())
    socket.on('end', () => this.handler.onEnd())
    socket.on('error', error => {
      this.#error = error
    })
    socket.on('close', () => this.handler.onClose(this.#error))
  }

  /** Begins to connect; `onConnect` or `onClose` follows. */
  static connect(
    host: string,
    port: number,
    highWaterMark: number,
    handler: TransportHandler,
    { from, keepAlive }: ConnectOptions = {},
  ): SocketTransport {
    const options: NetConnectOpts & { highWaterMark: number } = {
      host,
      port,
      noDelay: true,
      allowHalfOpen: true,
      highWaterMark,
    }
    const socket = from === undefined ? connect(options) : connectFrom(from, host, options)
    if (keepAlive !== undefined) socket.once('connect', () => setKeepAlive(socket, keepAlive))
    return SocketTransport.#connecting(socket, handler)
  }

  static connectPipe(path: string, highWaterMark: number, handler: TransportHandler): SocketTransport {
    const options: NetConnectOpts & { highWaterMark: number } = {
      path: pipePath(path),
      allowHalfOpen: true,
      highWaterMark,
    }
    return SocketTransport.#connecting(connect(options), handler)
  }

  static #connecting(socket: Socket, handler: TransportHandler): SocketTransport {
    const transport = new SocketTransport(socket, handler)
    socket.on('connect', () => {
      transport.#readAddresses()
      transport.handler.onConnect?.()
    })
    return transport
  }

  get unsent(): number {
    return this.#socket.writableLength
  }

  write(data: Uint8Array | string): boolean {
    if (!this.#socket.writable) return true
    return typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data)
  }

  writeAll(pieces: readonly (Uint8Array | string)[], bytes: number, spent = false): boolean {
    if (bytes <= JOIN_LIMIT) {
      const all = joinInto(Buffer.allocUnsafe(bytes), pieces)
      if (spent) for (const piece of pieces) if (typeof piece !== 'string') slab.giveBack(piece)
      return this.write(all)
    }
    this.#socket.cork()
    let writable = true
    for (const piece of pieces) writable = this.write(piece)
    this.#socket.uncork()
    return writable
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(patience: Milliseconds, onGivenUp: () => void): void {
    const socket = this.#socket
    if (socket.destroyed) return
    // Node closes its side once the data is out; the peer's FIN is not waited for.
    socket.end(() => socket.destroy())
    // Node's timeout begins anew with every byte that leaves.
    socket.setTimeout(patience, () => {
      onGivenUp()
      socket.destroy()
    })
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #readAddresses(): void {
    // A Unix socket has none.
    if (this.#socket.remoteFamily === undefined) return
    this.localAddress = formatAddress(this.#socket.localAddress ?? '', this.#socket.localPort ?? 0)
    this.remoteAddress = formatAddress(this.#socket.remoteAddress ?? '', this.#socket.remotePort ?? 0)
  }
}

function connectFrom(from: SocketAddress, host: string, options: NetConnectOpts): Socket {
  const errno = familyError(host, from.address)
  const socket =
    errno === 0
      ? connect({ ...options, localAddress: from.address, localPort: from.port } as NetConnectOpts)
      : new Socket().destroy(bindError(errno))
  socket.prependListener('error', (error: NodeJS.ErrnoException) => {
    if (isLateBindError(error.errno)) error.syscall = 'bind'
  })
  return socket
}

/** As Node makes them. */
function bindError(errno: number): NodeJS.ErrnoException {
  const [code, message] = getSystemErrorMap().get(errno)!
  return Object.assign(new Error(message), { code, errno, syscall: 'bind' })
}

/** As Node wants it: an abstract socket begins with a byte 0. */
export function pipePath(path: string): string {
  return path.startsWith('@') ? `\0${path.slice(1)}` : path
}

/** Over `node:net`, which every Node has. */
export const socketTransports: Transports = {
  name: 'socket',
  connect: SocketTransport.connect,
  connectPipe: SocketTransport.connectPipe,
  listen({ ip, port, highWaterMark, backlog = BACKLOG, ipv6Only = false, reusePort }, onConnection) {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: false, highWaterMark })
    // Each process has its own descriptor: with `exclusive` Node's cluster module hands none around.
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: ip, port, backlog, ipv6Only, exclusive: true, reusePort }, () => {
        outliveErrors(server)
        server.on('connection', socket => onConnection(new SocketTransport(socket, NOBODY)))
        const bound = server.address()
        resolve({
          port: bound !== null && typeof bound === 'object' ? bound.port : port,
          close: () => void server.close(),
        })
      })
    })
  },
  listenPipe({ path, mode, highWaterMark }, onConnection) {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: false, highWaterMark })
    const isFile = !path.startsWith('@')
    // As Envoy does: what a process that is gone has left there.
    if (isFile) rmSync(path, { force: true })
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path: pipePath(path), backlog: BACKLOG, exclusive: true }, () => {
        outliveErrors(server)
        if (isFile && mode !== 0) chmodSync(path, mode)
        server.on('connection', socket => {
          const transport = new SocketTransport(socket, NOBODY)
          transport.localAddress = path
          transport.remoteAddress = path
          onConnection(transport)
        })
        resolve({ port: 0, close: () => void server.close() })
      })
    })
  },
}

/** A failed accept (no descriptors left) concerns that one connection; it is tried again with the next. */
function outliveErrors(server: Server): void {
  server.removeAllListeners('error')
  server.on('error', () => {})
}
