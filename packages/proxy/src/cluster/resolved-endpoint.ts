import type {
  EndpointHealthCheck,
  HealthStatus,
  LbEndpoint,
  LocalityLbEndpoints,
  Metadata,
} from '@hopscope/envoy-config'

/** An address of a cluster, resolved. */
export interface ResolvedEndpoint {
  /** Or the path of a Unix socket. */
  ip: string
  port: number
  isPipe: boolean
  hostname: string
  weight: number
  priority: number
  locality: { region: string; zone: string; subZone: string }
  healthStatus: HealthStatus
  healthCheck: EndpointHealthCheck
  metadata: Metadata
}

export function resolvedEndpoint(
  endpoint: LbEndpoint,
  group: LocalityLbEndpoints,
  ip: string,
  hostname: string,
): ResolvedEndpoint {
  return {
    ip,
    port: endpoint.address.port,
    isPipe: endpoint.address.isPipe,
    hostname,
    weight: endpoint.loadBalancingWeight,
    priority: group.priority,
    locality: group.locality,
    healthStatus: endpoint.healthStatus,
    healthCheck: endpoint.healthCheck,
    metadata: endpoint.metadata,
  }
}
