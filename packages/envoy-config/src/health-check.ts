import type { HeaderValueOption } from './header-mutations.ts'
import type { StringMatcher } from './matchers.ts'
import type { Milliseconds } from './quantities.ts'
import type { EndpointAddress } from './socket-address.ts'

/** envoy.config.core.v3.HealthCheck, with Envoy's defaults filled in. */
export interface HealthCheck {
  timeout: Milliseconds
  interval: Milliseconds
  initialJitter: Milliseconds
  intervalJitter: Milliseconds
  intervalJitterPercent: number
  unhealthyThreshold: number
  healthyThreshold: number
  reuseConnection: boolean
  /** While the cluster has had no requests: of hosts that fail, of hosts that pass. */
  noTrafficInterval: Milliseconds
  noTrafficHealthyInterval: Milliseconds
  unhealthyInterval: Milliseconds
  /** After a failure that is not enough for unhealthy; after a success that is not enough for healthy. */
  unhealthyEdgeInterval: Milliseconds
  healthyEdgeInterval: Milliseconds
  /** Where changes of health are written, a JSON object a line. */
  eventLogPaths: readonly string[]
  alwaysLogFailures: boolean
  alwaysLogSuccess: boolean
  check: HttpHealthCheck | TcpHealthCheck
}

/** envoy.config.core.v3.HealthCheck.HttpHealthCheck */
export interface HttpHealthCheck {
  type: 'http'
  /** "": the endpoint's name, else the cluster's. */
  host: string
  path: string
  method: string
  /** From, to before. */
  expectedStatuses: readonly (readonly [number, number])[]
  /** Other statuses with which a host has the threshold's number of tries. */
  retriableStatuses: readonly (readonly [number, number])[]
  requestHeadersToAdd: readonly HeaderValueOption[]
  requestHeadersToRemove: readonly string[]
  /** The body; only of methods that have one. */
  send?: Uint8Array
  /** The response's body has these in their order. */
  receive: readonly Uint8Array[]
  /** …within so many bytes; 0: anywhere. */
  responseBufferSize: number
  /** Of `x-envoy-upstream-healthchecked-cluster`. */
  serviceNameMatcher?: StringMatcher
}

/** envoy.config.core.v3.HealthCheck.TcpHealthCheck */
export interface TcpHealthCheck {
  type: 'tcp'
  send?: Uint8Array
  /** Empty: to connect is enough. */
  receive: readonly Uint8Array[]
}

/** envoy.config.endpoint.v3.Endpoint.HealthCheckConfig */
export interface EndpointHealthCheck {
  /** Absent: the endpoint's own. */
  address?: EndpointAddress
  /** 0: that of the address. */
  port: number
  /** "": as the health check says. */
  hostname: string
  disabled: boolean
}
