import type { CircuitBreaker } from '../cluster/circuit-breaker.ts'
import { type ConnectionConfig, type ConnectionOwner, UpstreamConnection } from './connection.ts'
import type { ResetReason } from './reset-reason.ts'

export interface PoolConfig extends ConnectionConfig {
  /** Connections to keep, as a multiple of the requests under way and waiting; 1: one for each. */
  preconnectRatio: number
}

/** Someone who wants to send a request. */
export interface Requester {
  onReady(connection: UpstreamConnection): void
  /** `hostKnown` false: refused before a connection was thought of; Envoy's logs then name no host. */
  onPoolFailure(reason: ResetReason, transportFailure: string, hostKnown: boolean): void
}

/**
 * The connections to one host. The connection used last is used first. What is counted against the cluster's circuit breaker, and
 * when, is Envoy's order: `newRequest` → ready connection? → pending → connect? → attach.
 */
export class Pool implements ConnectionOwner {
  readonly #config: PoolConfig
  readonly #breaker: CircuitBreaker
  /** Connected and free, the one used last at the end. */
  readonly #ready: UpstreamConnection[] = []
  readonly #all = new Set<UpstreamConnection>()
  #connecting = 0
  /** Oldest first. */
  readonly #pending: Requester[] = []
  #draining = false
  /** It counts as one of its cluster's. */
  #isOpen = false

  constructor(config: PoolConfig, breaker: CircuitBreaker) {
    this.#config = config
    this.#breaker = breaker
  }

  /** Requests that wait for a connection. */
  get pendingCount(): number {
    return this.#pending.length
  }

  /** It counts from now on, until it has neither connections nor requests. False: there are to be no more. */
  open(): boolean {
    if (this.#isOpen) return true
    if (!this.#breaker.pools.canCreate()) return false
    this.#breaker.pools.add()
    this.#isOpen = true
    return true
  }

  /** Requests that wait and that are under way; connections that could take others, if only in a while. */
  get demand(): { pending: number; active: number; free: number } {
    const free = this.#connecting + this.#ready.length
    return { pending: this.#pending.length, active: this.#all.size - free, free }
  }

  /** A connection for a request that is expected here; false: there are enough, or there are to be no more. */
  preconnect(ratio: number): boolean {
    const { pending, active, free } = this.demand
    const isWanted =
      this.#config.host.health === 'healthy'
        ? (pending + active + 1) * ratio > free + active
        : pending > this.#connecting
    return isWanted && this.#connect()
  }

  /** Ends in one call of the requester, perhaps within this one. */
  newRequest(requester: Requester): void {
    const { stats } = this.#config
    const ready = this.#ready.pop()
    if (ready !== undefined) {
      this.#attach(ready, requester)
      // For the request after this one.
      if (this.#config.preconnectRatio > 1) this.#connectIfNeeded()
      return
    }
    if (!this.#breaker.pendingRequests.canCreate()) {
      stats.upstream_rq_pending_overflow.add()
      requester.onPoolFailure('overflow', '', false)
      return
    }
    this.#breaker.pendingRequests.add()
    stats.upstream_rq_pending_total.add()
    stats.upstream_rq_pending_active.add()
    this.#pending.push(requester)
    this.#connectIfNeeded()
  }

  /** The requester does not want it any more. */
  cancel(requester: Requester): void {
    const at = this.#pending.indexOf(requester)
    if (at === -1) return
    this.#pending.splice(at, 1)
    this.#config.stats.upstream_rq_cancelled.add()
    this.#leftPending()
    this.#closeIfIdle()
  }

  /** The host is gone: busy connections end with their requests. */
  drain(): void {
    this.#draining = true
    for (const connection of this.#ready.splice(0)) connection.close()
  }

  /** The host is not to be asked for a while: idle connections close, busy ones after their response. New ones may be made. */
  retireConnections(): void {
    for (const connection of this.#ready.splice(0)) connection.close()
    for (const connection of this.#all) connection.retire()
  }

  close(): void {
    this.#draining = true
    for (const connection of [...this.#all]) connection.close()
  }

  onConnected(connection: UpstreamConnection): void {
    this.#connecting--
    this.#onReady(connection)
  }

  onFree(connection: UpstreamConnection): void {
    this.#onReady(connection)
  }

  onRequestDone(): void {
    this.#breaker.requests.release()
  }

  onConnectFailed(connection: UpstreamConnection, reason: ResetReason, transportFailure: string): void {
    this.#connecting--
    this.#forget(connection)
    for (const requester of this.#pending.splice(0)) {
      this.#config.stats.upstream_rq_pending_failure_eject.add()
      this.#leftPending()
      requester.onPoolFailure(reason, transportFailure, true)
    }
    this.#closeIfIdle()
  }

  onClosed(connection: UpstreamConnection): void {
    const at = this.#ready.indexOf(connection)
    if (at !== -1) this.#ready.splice(at, 1)
    this.#forget(connection)
    if (this.#pending.length > 0) this.#connectIfNeeded()
    this.#closeIfIdle()
  }

  #closeIfIdle(): void {
    if (!this.#isOpen || this.#all.size > 0 || this.#pending.length > 0) return
    this.#isOpen = false
    this.#breaker.pools.release()
  }

  #onReady(connection: UpstreamConnection): void {
    // A requester whom the breaker refuses leaves the connection to the next.
    while (this.#pending.length > 0) {
      const requester = this.#pending.shift()!
      this.#leftPending()
      if (this.#breaker.requests.canCreate()) {
        this.#attach(connection, requester)
        // Those that still wait ask again, and are counted again.
        if (this.#pending.length > 0) this.#connectIfNeeded()
        return
      }
      this.#config.stats.upstream_rq_active_overflow.add()
      requester.onPoolFailure('overflow', '', true)
    }
    if (this.#draining) connection.close()
    else this.#ready.push(connection)
  }

  #attach(connection: UpstreamConnection, requester: Requester): void {
    if (!this.#breaker.requests.canCreate()) {
      this.#ready.push(connection)
      this.#config.stats.upstream_rq_active_overflow.add()
      requester.onPoolFailure('overflow', '', true)
      return
    }
    this.#breaker.requests.add()
    requester.onReady(connection)
  }

  /** Opens at most three at a time, as Envoy does: a host that has just come back is not overwhelmed. */
  #connectIfNeeded(): void {
    for (let i = 0; i < 3 && this.#wantsConnection(); i++) if (!this.#connect()) return
  }

  #wantsConnection(): boolean {
    const pending = this.#pending.length
    const { preconnectRatio, host } = this.#config
    if (preconnectRatio === 1 || host.health !== 'healthy') return pending > this.#connecting
    const active = this.#all.size - this.#connecting - this.#ready.length
    return (pending + active) * preconnectRatio > this.#connecting + this.#ready.length + active
  }

  /** False: there are to be no more. */
  #connect(): boolean {
    const { connections, connectionsPerHost } = this.#breaker
    const allowed = this.#config.host.stats.cx_active.value < connectionsPerHost && connections.canCreate()
    if (!allowed) this.#config.stats.upstream_cx_overflow.add()
    // A host without a connection always gets one, or its requests would wait for ever.
    if (!allowed && this.#all.size > 0) return false
    connections.add()
    this.#connecting++
    this.#all.add(new UpstreamConnection(this.#config, this))
    return allowed
  }

  #leftPending(): void {
    this.#breaker.pendingRequests.release()
    this.#config.stats.upstream_rq_pending_active.sub()
  }

  #forget(connection: UpstreamConnection): void {
    if (this.#all.delete(connection)) this.#breaker.connections.release()
  }
}
