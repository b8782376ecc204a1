import type { Milliseconds } from './quantities.ts'
import type { SocketAddress } from './socket-address.ts'

/** How the names of a cluster of type STRICT_DNS or LOGICAL_DNS are asked for. */
export interface Dns {
  family: 'AUTO' | 'V4_ONLY' | 'V6_ONLY' | 'V4_PREFERRED' | 'ALL'
  refreshRate: Milliseconds
  /** After a failure: from `base`, doubling to `max`; absent: as after a success. */
  failureRefreshRate?: { base: Milliseconds; max: Milliseconds }
  /** The answer says how long it is good for. */
  respectTtl: boolean
  /** Up to this is added to each interval. */
  jitter: Milliseconds
  /** Whom to ask; none: as the system does, its hosts file included. */
  resolvers: readonly SocketAddress[]
  /** The cluster's start waits for the first answer. */
  waitForWarmOnInit: boolean
}
