/**
 * The libuv handles below `node:net`, as far as we use them. They are no public interface (`process.binding`, DEP0111), but the same
 * in Node 20 to 26; `chooseTransports` tries them out before anything depends on them.
 */
export interface Uv {
  readonly TCP: new (type: number) => TcpHandle
  readonly TCPConnectWrap: new () => ConnectRequest
  readonly WriteWrap: new () => WriteRequest
  readonly ShutdownWrap: new () => ShutdownRequest
  readonly SOCKET: number
  readonly SERVER: number
  /** Undefined before Node 22.12. */
  readonly REUSEPORT: number | undefined
  readonly IPV6ONLY: number
  /** What the last call of a stream said, at the indexes below. */
  readonly state: Int32Array
  readonly READ_BYTES_OR_ERROR: number
  readonly LAST_WRITE_WAS_ASYNC: number
}

/** Calls answer 0, or a negative error number. */
export interface TcpHandle {
  /** Ours: whom the callbacks are for. */
  owner?: unknown
  onread: (this: TcpHandle) => void
  onconnection: (this: TcpHandle, error: number, client: TcpHandle | undefined) => void
  readonly writeQueueSize: number
  bind(ip: string, port: number, flags: number): number
  bind6(ip: string, port: number, flags: number): number
  listen(backlog: number): number
  connect(request: ConnectRequest, ip: string, port: number): number
  connect6(request: ConnectRequest, ip: string, port: number): number
  setNoDelay(on: boolean): number
  /** Seconds, seconds, how often; an older Node passes over the last two. */
  setKeepAlive(on: boolean, time: number, interval: number, probes: number): number
  getsockname(out: SocketName): number
  getpeername(out: SocketName): number
  /** All reads go there, until the end. */
  useUserBuffer(buffer: Uint8Array): void
  readStart(): number
  readStop(): number
  writeBuffer(request: WriteRequest, data: Uint8Array): number
  writeLatin1String(request: WriteRequest, data: string): number
  writev(request: WriteRequest, buffers: readonly Uint8Array[], allBuffers: true): number
  shutdown(request: ShutdownRequest): number
  close(done: () => void): void
}

export interface SocketName {
  address?: string
  port?: number
}

interface Request<Complete> {
  /** Ours: whom the callback is for. */
  owner?: unknown
  oncomplete: Complete
}
export type ConnectRequest = Request<(this: ConnectRequest, error: number) => void>
export type ShutdownRequest = Request<(this: ShutdownRequest, error: number) => void>
export interface WriteRequest extends Request<(this: WriteRequest, error: number) => void> {
  /** Ours: kept alive until they are written. */
  buffers?: readonly (Uint8Array | string)[]
  bytes?: number
  /** Ours: nobody looks at them after that. */
  spent?: boolean
}

export const UV_EOF = -4095

/** Undefined where they are not to be had (`--permission`, a Node without them). */
export function loadUv(): Uv | undefined {
  try {
    // biome-ignore lint/suspicious/noExplicitAny: there are no types of what is not public
    const binding = (process as any).binding as (name: string) => any
    const { TCP, TCPConnectWrap, constants } = binding('tcp_wrap')
    const stream = binding('stream_wrap')
    const uv: Uv = {
      TCP,
      TCPConnectWrap,
      WriteWrap: stream.WriteWrap,
      ShutdownWrap: stream.ShutdownWrap,
      SOCKET: constants.SOCKET,
      SERVER: constants.SERVER,
      REUSEPORT: constants.UV_TCP_REUSEPORT,
      IPV6ONLY: constants.UV_TCP_IPV6ONLY,
      state: stream.streamBaseState,
      READ_BYTES_OR_ERROR: stream.kReadBytesOrError,
      LAST_WRITE_WAS_ASYNC: stream.kLastWriteWasAsync,
    }
    const { REUSEPORT: _optional, ...needed } = uv
    return Object.values(needed).includes(undefined as never) ? undefined : uv
  } catch {
    return undefined
  }
}
