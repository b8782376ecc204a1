import type { GrpcService } from '@hopscope/envoy-config'
import type { Clock } from '../clock.ts'
import { FAILURES } from '../errors.ts'
import { localIp } from '../http/client-address.ts'
import type { Stats } from '../stats/stats.ts'
import type { Timers } from '../timers.ts'
import { GrpcConnection } from '../upstream/grpc-connection.ts'
import type { ActiveCluster } from './active-cluster.ts'
import type { ClusterManager } from './cluster-manager.ts'
import type { Host } from './host.ts'
import { createHttp2Stats, type Http2Stats } from './http2-stats.ts'

/** Unary calls of the proxy itself, through a cluster that speaks HTTP/2 and counted in its stats, as Envoy's gRPC client. */
export interface GrpcClient {
  /** `path`: `/package.Service/Method`. Resolves to the status of the call, UNAVAILABLE when nobody answered; never rejects. */
  call(
    service: GrpcService,
    path: string,
    headers: readonly (readonly [name: string, value: string])[],
    message: Uint8Array,
  ): Promise<number>
  close(): void
}

export interface GrpcClientServices {
  clusters: ClusterManager
  stats: Stats
  clock: Clock
  timers: Timers
}

const OK = 0
const UNKNOWN = 2
const UNAVAILABLE = 14

export function createGrpcClient({ clusters, stats, clock, timers }: GrpcClientServices): GrpcClient {
  const ownIp = localIp()
  const connections = new Map<Host, GrpcConnection>()
  const http2 = new Map<string, Http2Stats>()

  /** The present one to a host, made if there is none. */
  function connectionTo(host: Host, cluster: ActiveCluster): GrpcConnection {
    let connection = connections.get(host)
    if (connection !== undefined) return connection
    const { observabilityName, config } = cluster
    if (!http2.has(observabilityName)) http2.set(observabilityName, createHttp2Stats(stats, observabilityName))
    connection = new GrpcConnection({
      host,
      stats: cluster.stats,
      http2: http2.get(observabilityName)!,
      breaker: cluster.breakers.default,
      clock,
      timers,
      connectTimeout: config.connectTimeout,
      idleTimeout: config.idleTimeout,
      maxRequests: config.maxRequestsPerConnection,
      connectOptions: cluster.connectOptions,
      onRetired() {
        if (connections.get(host) === connection) connections.delete(host)
      },
    })
    connections.set(host, connection)
    return connection
  }

  /** Hosts that their clusters have no more. */
  function leaveOthers(cluster: ActiveCluster): void {
    if (connections.size < cluster.hosts.length) return
    const present = new Set(clusters.all().flatMap(one => one.hosts))
    for (const [host, connection] of connections) if (!present.has(host)) connection.drain()
  }

  return {
    call(service, path, headers, message) {
      const cluster = clusters.ofHttp2(service.cluster)
      if (cluster === undefined) return Promise.resolve(UNAVAILABLE)
      const isInternal = !service.skipEnvoyHeaders
      const host = cluster.pickHost()
      if (host === undefined) {
        cluster.countStatus(503, isInternal)
        return Promise.resolve(UNAVAILABLE)
      }
      leaveOthers(cluster)
      const { promise, resolve } = Promise.withResolvers<number>()
      const begun = clock.now()
      connectionTo(host, cluster).call({
        headers: {
          ':method': 'POST',
          ':path': path,
          ':authority': service.authority,
          ':scheme': 'http',
          te: 'trailers',
          'content-type': 'application/grpc',
          ...Object.fromEntries(service.initialMetadata),
          ...Object.fromEntries(headers),
          ...(isInternal ? { 'x-envoy-internal': 'true', 'x-forwarded-for': ownIp } : {}),
        },
        message: withPrefix(message),
        onAnswer(status, grpcStatus) {
          cluster.countStatus(status, isInternal)
          cluster.recordTime(Math.trunc(clock.now() - begun), isInternal)
          const { rq_success, rq_error } = host.stats
          if (status === 200 && grpcStatus === OK) rq_success.add()
          else rq_error.add()
          resolve(grpcStatus ?? UNKNOWN)
        },
        onReset(reason) {
          cluster.countStatus(FAILURES[reason].status, isInternal)
          host.stats.rq_error.add()
          resolve(UNAVAILABLE)
        },
      })
      return promise
    },
    close() {
      for (const connection of connections.values()) connection.close()
    },
  }
}

/** Not compressed, and how long it is. */
function withPrefix(message: Uint8Array): Uint8Array {
  const framed = Buffer.allocUnsafe(message.length + 5)
  framed[0] = 0
  framed.writeUInt32BE(message.length, 1)
  framed.set(message, 5)
  return framed
}
