import type { LbPolicy } from '@hopscope/envoy-config'
import { HashBalancer } from './hash-balancer.ts'
import type { BalancerServices, LoadBalancer } from './load-balancer.ts'
import { SubsetBalancer } from './subset-balancer.ts'
import { ZoneAwareBalancer } from './zone-aware-balancer.ts'

export function createLoadBalancer(policy: LbPolicy, services: BalancerServices): LoadBalancer {
  switch (policy.type) {
    case 'SUBSET':
      return new SubsetBalancer(policy, services, createLoadBalancer)
    case 'RING_HASH':
    case 'MAGLEV':
      return new HashBalancer(policy, services)
    default:
      return new ZoneAwareBalancer(policy, services)
  }
}
