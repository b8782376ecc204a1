import type { Milliseconds } from '@hopscope/envoy-config'
import type { HttpStats } from './http-stats.ts'

/** What one connection of a client adds to its listener's numbers, from its beginning to its end. */
export class ConnectionNumbers {
  readonly #stats: HttpStats
  #buffered = 0

  constructor(stats: HttpStats) {
    this.#stats = stats
    stats.downstream_cx_total.add()
    stats.downstream_cx_http1_total.add()
    stats.downstream_cx_active.add()
    stats.downstream_cx_http1_active.add()
  }

  /**
   * Envoy's gauge shows what the last read brought until the next one, not what is still to be worked on. A read that brings all
   * it may is followed by another, which finds nothing.
   */
  setBuffered(bytes: number): void {
    this.#stats.downstream_cx_rx_bytes_buffered.add(bytes - this.#buffered)
    this.#buffered = bytes
  }

  closed(by: 'local' | 'remote', lasted: Milliseconds): void {
    this.setBuffered(0)
    const stats = this.#stats
    stats.downstream_cx_active.sub()
    stats.downstream_cx_http1_active.sub()
    stats.downstream_cx_destroy.add()
    if (by === 'local') stats.downstream_cx_destroy_local.add()
    else stats.downstream_cx_destroy_remote.add()
    stats.downstream_cx_length_ms.record(Math.trunc(lasted))
  }
}
