import type { ActiveCluster } from '@hopscope/proxy'
import type { ClusterStatus } from './admin/clusters-page.ts'
import { isPath, type ListenerStatus } from './admin/listeners-page.ts'

/** What `/clusters` shows of the clusters at work. */
export function clusterStatuses(clusters: readonly ActiveCluster[]): ClusterStatus[] {
  return clusters.map(cluster => ({
    name: cluster.name,
    observabilityName: cluster.observabilityName,
    thresholds: cluster.config.circuitBreakers,
    successRates: cluster.successRates,
    hosts: cluster.hosts.map(host => ({
      address: host.ip,
      port: host.port,
      isPipe: host.isPipe,
      hostname: host.hostname,
      weight: host.weight,
      isCanary: host.isCanary,
      priority: host.priority,
      locality: host.locality,
      cxActive: host.stats.cx_active.value,
      cxConnectFail: host.stats.cx_connect_fail.value,
      cxTotal: host.stats.cx_total.value,
      rqActive: host.stats.rq_active.value,
      rqError: host.stats.rq_error.value,
      rqPendingActive: host.pools.reduce((count, pool) => count + pool.pendingCount, 0),
      rqSuccess: host.stats.rq_success.value,
      rqTimeout: host.stats.rq_timeout.value,
      rqTotal: host.stats.rq_total.value,
      ejected: host.ejected,
      edsHealth: host.edsHealth,
      checks: host.checks,
      successRate: host.monitor?.successRate.external ?? -1,
      localOriginSuccessRate: host.monitor?.successRate.local ?? -1,
    })),
  }))
}

/** What `/listeners` shows: `[::1]:80` taken apart again. */
export function listenerStatuses(
  listeners: readonly { name: string; address: string; port: number }[],
): ListenerStatus[] {
  return listeners.map(({ name, address, port }) => ({
    name,
    address: isPath(address)
      ? { address, port: 0 }
      : { address: address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, ''), port },
  }))
}
