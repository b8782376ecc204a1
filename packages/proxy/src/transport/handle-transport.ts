import { getSystemErrorMap } from 'node:util'
import type { Milliseconds, SocketAddress } from '@hopscope/envoy-config'
import { formatAddress } from './address-text.ts'
import { familyError, isLateBindError } from './bind-error.ts'
import { JOIN_LIMIT, joinInto } from './join.ts'
import { slab } from './slab.ts'
import { socketTransports } from './socket-transport.ts'
import type { Transport, TransportHandler } from './transport.ts'
import {
  BACKLOG,
  type BoundPort,
  type ConnectOptions,
  type ListenOptions,
  NOBODY,
  type Transports,
} from './transports.ts'
import { type ConnectRequest, type SocketName, type TcpHandle, UV_EOF, type Uv, type WriteRequest } from './uv.ts'

/**
 * Every read of every connection lands here first; what came is copied out at once, in just its size. So large because a large body
 * costs a third less in reads and writes of up to 256 KB than of 64 KB.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024)
/** Reads of up to this many bytes stand side by side in the slab. */
const SMALL_READ = 8 * 1024
/** Larger reads get a buffer of one of these sizes, which is used again when its bytes are spent. */
const LARGE_READ = 32 * 1024
const LENT_SIZES = [64 * 1024, READ_BUFFER.length] as const
const MAX_FREE = 16
const NO_OPTIONS: ConnectOptions = {}

/**
 * Over libuv's handles: no stream machinery between the kernel and the codec, no buffer made for a read, and a write that the kernel
 * takes at once (nearly every one) leaves nothing behind. What that is worth: docs/performance.md.
 */
export function createHandleTransports(uv: Uv): Transports {
  const { state, READ_BYTES_OR_ERROR, LAST_WRITE_WAS_ASYNC } = uv
  /** Unused still: one that was written at once. */
  let spare = new uv.WriteWrap()
  /** Where small pieces are joined; another one when the kernel does not take all of it at once. */
  let joined = Buffer.allocUnsafeSlow(JOIN_LIMIT)
  /** Free buffers for large reads, by size; and of those in use, how many bytes were read into them. */
  const free = new Map<number, Buffer[]>(LENT_SIZES.map(size => [size, []]))
  const lent = new WeakMap<ArrayBufferLike, number>()

  function onRead(this: TcpHandle): void {
    const transport = this.owner as HandleTransport
    const bytes = state[READ_BYTES_OR_ERROR]!
    if (bytes > 0) transport.received(bytes)
    else if (bytes < 0) transport.ended(bytes)
  }

  function lend(bytes: number): Buffer {
    const size = bytes > LENT_SIZES[0] ? LENT_SIZES[1] : LENT_SIZES[0]
    const buffer = free.get(size)!.pop() ?? Buffer.allocUnsafeSlow(size)
    lent.set(buffer.buffer, bytes)
    return buffer.subarray(0, bytes)
  }

  /** Of what was lent, only what is all of a read: the rest of it, the beginning of another message, is still looked at. */
  function takeBack(pieces: readonly (Uint8Array | string)[]): void {
    for (const piece of pieces) {
      if (typeof piece === 'string') continue
      slab.giveBack(piece)
      if (piece.length <= LARGE_READ || lent.get(piece.buffer) !== piece.length) continue
      lent.delete(piece.buffer)
      const stock = free.get(piece.buffer.byteLength)!
      if (stock.length < MAX_FREE) stock.push(Buffer.from(piece.buffer))
    }
  }

  function onWritten(this: WriteRequest, error: number): void {
    if (this.spent) takeBack(this.buffers!)
    ;(this.owner as HandleTransport).written(this.bytes!, error)
  }

  function onConnected(this: ConnectRequest, error: number): void {
    ;(this.owner as HandleTransport).connected(error)
  }

  class HandleTransport implements Transport {
    handler: TransportHandler
    localAddress = ''
    remoteAddress = ''
    readonly #handle: TcpHandle
    readonly #highWaterMark: number
    #state: 'connecting' | 'open' | 'ending' | 'closed' = 'connecting'
    #paused = false
    /** The peer has ended its half: there is nothing to read any more. */
    #readEnded = false
    /** Bytes that the kernel did not take at once. */
    #queued = 0
    /** A producer was told to wait. */
    #full = false
    #error: NodeJS.ErrnoException | undefined
    #isBound = false
    #keepAlive: ConnectOptions['keepAlive']
    #patience: NodeJS.Timeout | undefined

    constructor(handle: TcpHandle, highWaterMark: number, handler: TransportHandler) {
      this.#handle = handle
      this.#highWaterMark = highWaterMark
      this.handler = handler
      handle.owner = this
    }

    /** An address, no name. */
    connect(ip: string, port: number, { from, keepAlive }: ConnectOptions): void {
      const handle = this.#handle
      this.#keepAlive = keepAlive
      if (from !== undefined) {
        this.#isBound = true
        const error = familyError(ip, from.address) || bind(handle, from)
        if (error !== 0) {
          setImmediate(() => this.#fail(error, 'bind'))
          return
        }
      }
      const request = new uv.TCPConnectWrap()
      request.owner = this
      request.oncomplete = onConnected
      const error = ip.includes(':') ? handle.connect6(request, ip, port) : handle.connect(request, ip, port)
      if (error !== 0) setImmediate(() => this.connected(error))
    }

    connected(error: number): void {
      if (this.#state !== 'connecting') return
      if (error !== 0) {
        this.#fail(error, this.#isBound && isLateBindError(error) ? 'bind' : undefined)
        return
      }
      this.open()
      this.handler.onConnect?.()
    }

    get unsent(): number {
      return this.#queued
    }

    /** There is a connection: addresses are known, bytes may come. */
    open(): void {
      const handle = this.#handle
      this.#state = 'open'
      this.localAddress = nameText(out => handle.getsockname(out))
      this.remoteAddress = nameText(out => handle.getpeername(out))
      handle.setNoDelay(true)
      const alive = this.#keepAlive
      if (alive !== undefined) handle.setKeepAlive(true, alive.time, alive.interval, alive.probes)
      handle.useUserBuffer(READ_BUFFER)
      handle.onread = onRead
      const error = handle.readStart()
      if (error !== 0) this.#fail(error)
    }

    received(bytes: number): void {
      const { handler } = this
      if (bytes <= SMALL_READ) {
        slab.makeRoom(bytes)
        const chunk = slab.take(bytes)
        READ_BUFFER.copy(chunk, 0, 0, bytes)
        handler.onData(chunk)
        const { held } = handler
        if (held !== undefined && held < bytes) slab.giveBack(chunk, bytes - held)
        return
      }
      const chunk = bytes > LARGE_READ ? lend(bytes) : Buffer.allocUnsafeSlow(bytes)
      READ_BUFFER.copy(chunk, 0, 0, bytes)
      handler.onData(chunk)
    }

    ended(error: number): void {
      if (this.#state === 'closed' || this.#readEnded) return
      this.#readEnded = true
      this.#handle.readStop()
      if (error === UV_EOF) this.handler.onEnd()
      else this.#fail(error)
    }

    write(data: Uint8Array | string, spent = false): boolean {
      if (this.#state !== 'open') return true
      const request = spare
      const error =
        typeof data === 'string'
          ? this.#handle.writeLatin1String(request, data)
          : this.#handle.writeBuffer(request, data)
      return this.#wrote(error, request, [data], data.length, spent)
    }

    writeAll(pieces: readonly (Uint8Array | string)[], bytes: number, spent = false): boolean {
      if (this.#state !== 'open') return true
      const request = spare
      if (bytes > JOIN_LIMIT) {
        const buffers = pieces.map(piece => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece))
        return this.#wrote(this.#handle.writev(request, buffers, true), request, buffers, bytes, spent)
      }
      const all = joinInto(joined.subarray(0, bytes), pieces)
      if (spent) takeBack(pieces)
      const error = this.#handle.writeBuffer(request, all)
      if (error === 0 && state[LAST_WRITE_WAS_ASYNC] !== 0) joined = Buffer.allocUnsafeSlow(JOIN_LIMIT)
      return this.#wrote(error, request, [all], bytes, false)
    }

    #wrote(
      error: number,
      request: WriteRequest,
      buffers: readonly (Uint8Array | string)[],
      bytes: number,
      spent: boolean,
    ): boolean {
      if (error !== 0) {
        this.#fail(error)
        return true
      }
      if (state[LAST_WRITE_WAS_ASYNC] === 0) {
        if (spent) takeBack(buffers)
        return true
      }
      spare = new uv.WriteWrap()
      request.owner = this
      request.oncomplete = onWritten
      request.buffers = buffers
      request.bytes = bytes
      request.spent = spent
      this.#queued += bytes
      if (this.#queued < this.#highWaterMark) return true
      this.#full = true
      return false
    }

    written(bytes: number, error: number): void {
      this.#queued -= bytes
      if (error !== 0) {
        this.#fail(error)
        return
      }
      if (this.#queued > 0) return
      if (this.#state === 'ending') this.#shutdown()
      else if (this.#full) {
        this.#full = false
        if (this.#state === 'open') this.handler.onDrain()
      }
    }

    pause(): void {
      if (this.#paused || this.#readEnded || this.#state !== 'open') return
      this.#paused = true
      this.#handle.readStop()
    }

    resume(): void {
      if (!this.#paused) return
      this.#paused = false
      if (this.#readEnded || (this.#state !== 'open' && this.#state !== 'ending')) return
      const error = this.#handle.readStart()
      if (error !== 0) this.#fail(error)
    }

    end(patience: Milliseconds, onGivenUp: () => void): void {
      if (this.#state !== 'open') {
        if (this.#state === 'connecting') this.destroy()
        return
      }
      this.#state = 'ending'
      if (this.#queued === 0) this.#shutdown()
      if (patience > 0) this.#watch(patience, onGivenUp, this.#handle.writeQueueSize)
    }

    /** Patience begins anew with every byte that leaves. */
    #watch(patience: Milliseconds, onGivenUp: () => void, before: number): void {
      this.#patience = setTimeout(() => {
        if (this.#state === 'closed') return
        const left = this.#handle.writeQueueSize
        if (left > 0 && left < before) {
          this.#watch(patience, onGivenUp, left)
          return
        }
        onGivenUp()
        this.destroy()
      }, patience)
    }

    /** Our half is over; the peer's is not waited for. */
    #shutdown(): void {
      if (this.#state === 'closed') return
      const request = new uv.ShutdownWrap()
      request.oncomplete = () => this.destroy()
      if (this.#handle.shutdown(request) !== 0) this.destroy()
    }

    #fail(error: number, syscall?: 'bind'): void {
      if (this.#state === 'closed') return
      this.#error ??= systemError(error)
      if (syscall !== undefined) this.#error.syscall = syscall
      this.destroy()
    }

    destroy(): void {
      if (this.#state === 'closed') return
      this.#state = 'closed'
      clearTimeout(this.#patience)
      this.#handle.close(() => this.handler.onClose(this.#error))
    }
  }

  function listen(options: ListenOptions, onConnection: (transport: Transport) => void): BoundPort {
    const { ip, port, highWaterMark, backlog = BACKLOG, ipv6Only = false, reusePort } = options
    const server = new uv.TCP(uv.SERVER)
    const flags = reusePort ? uv.REUSEPORT : 0
    if (flags === undefined) throw systemError(-95) // ENOTSUP
    const error =
      (ip.includes(':')
        ? server.bind6(ip, port, ipv6Only ? flags | uv.IPV6ONLY : flags)
        : server.bind(ip, port, flags)) || server.listen(backlog)
    if (error !== 0) {
      server.close(() => {})
      throw systemError(error)
    }
    server.onconnection = (failure, client) => {
      // A failed accept (no descriptors left) concerns that one connection; it is tried again with the next.
      if (failure !== 0 || client === undefined) return
      const transport = new HandleTransport(client, highWaterMark, NOBODY)
      transport.open()
      onConnection(transport)
    }
    const bound: SocketName = {}
    server.getsockname(bound)
    let closed = false
    return {
      port: bound.port ?? port,
      close() {
        if (!closed) server.close(() => {})
        closed = true
      },
    }
  }

  return {
    name: 'handle',
    connect(ip, port, highWaterMark, handler, options = NO_OPTIONS) {
      const transport = new HandleTransport(new uv.TCP(uv.SOCKET), highWaterMark, handler)
      transport.connect(ip, port, options)
      return transport
    },
    // Few have them, and what they cost is not the connection's.
    connectPipe: socketTransports.connectPipe,
    listenPipe: socketTransports.listenPipe,
    async listen(options, onConnection) {
      return listen(options, onConnection)
    },
  }
}

function bind(handle: TcpHandle, { address, port }: SocketAddress): number {
  return address.includes(':') ? handle.bind6(address, port, 0) : handle.bind(address, port, 0)
}

function nameText(ask: (out: SocketName) => number): string {
  const out: SocketName = {}
  return ask(out) === 0 ? formatAddress(out.address ?? '', out.port ?? 0) : ''
}

/** As Node makes them: `code`, `errno`. */
function systemError(errno: number): NodeJS.ErrnoException {
  const [code, message] = getSystemErrorMap().get(errno) ?? [`${errno}`, 'unknown error']
  return Object.assign(new Error(message), { code, errno })
}
