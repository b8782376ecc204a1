import type { Milliseconds } from '@hopscope/envoy-config'

/**
 * A connected byte stream, as narrow as the data plane needs it: sockets, raw handles and TLS come behind the same few methods.
 * Nothing here throws; a failure arrives once, as `onClose`.
 */
export interface Transport {
  /** May be replaced at any time; the new one gets what comes next. */
  handler: TransportHandler
  /** `ip:port`, `[ip]:port` for IPv6; "" before the connection is there. */
  readonly localAddress: string
  readonly remoteAddress: string
  /** Bytes that were written and that the system has not taken yet. */
  readonly unsent: number
  /**
   * Text is latin1. False: above the high-water mark, `onDrain` will come. `spent`: nobody looks at the bytes once they are written;
   * a chunk that came from a transport may be read into again then.
   */
  write(data: Uint8Array | string, spent?: boolean): boolean
  /** Several pieces, `bytes` in all, in as few packets as can be. */
  writeAll(pieces: readonly (Uint8Array | string)[], bytes: number, spent?: boolean): boolean
  pause(): void
  resume(): void
  /**
   * Writes what is queued, then closes. A peer that takes none of it for `patience` ms (0: has all the time it wants) is cut off,
   * after a word to `onGivenUp`.
   */
  end(patience: Milliseconds, onGivenUp: () => void): void
  /** Closes at once; `onClose` follows, later. */
  destroy(): void
}

export interface TransportHandler {
  /** Only of a transport made by `connect`. */
  onConnect?(): void
  /** The bytes belong to the receiver. */
  onData(chunk: Buffer): void
  /**
   * How many bytes of the last chunk somebody still has: they wait, or were handed on and are not spent yet. The others may be read over
   * at once. Absent: all.
   */
  readonly held?: number
  onDrain(): void
  /** The peer has ended its half. */
  onEnd(): void
  /** Once, last. */
  onClose(error: NodeJS.ErrnoException | undefined): void
}
