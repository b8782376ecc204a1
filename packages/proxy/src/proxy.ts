import type { FilterChain, Listener, Milliseconds, Node, Snapshot } from '@hopscope/envoy-config'
import type { AccessLogs } from './access-log/create-access-logs.ts'
import { type Clock, createClock } from './clock.ts'
import type { ActiveCluster } from './cluster/active-cluster.ts'
import type { AsyncClient } from './cluster/async-client.ts'
import { ClusterManager } from './cluster/cluster-manager.ts'
import { createAsyncClient } from './cluster/create-async-client.ts'
import { createGrpcClient } from './cluster/grpc-client.ts'
import type { ResolveName } from './cluster/resolve-dns.ts'
import { composeFilters } from './filter/chain.ts'
import { chooseCluster } from './filter/choose-cluster.ts'
import { createFilters } from './filter/create-filters.ts'
import { compileRules } from './filter/header-mutation/compile-rules.ts'
import { createRouter } from './filter/router.ts'
import type { ConnectionManagerContext } from './http/connection-manager-context.ts'
import { createHttpStats } from './http/http-stats.ts'
import { compileLocalReply } from './http/local-reply.ts'
import { compilePathNormaliser } from './http/normalise-path.ts'
import { compileProxyStatus } from './http/proxy-status.ts'
import { createSanitiser } from './http/sanitise-headers.ts'
import { type Acceptor, type ChooseContext, listen, listenerStatName } from './listener/accept.ts'
import { compileFilterChainChoice } from './listener/choose-filter-chain.ts'
import { compileRoutes } from './route/compile-routes.ts'
import type { Runtime } from './runtime.ts'
import type { Stats } from './stats/stats.ts'
import type { Instant } from './stream-info.ts'
import { Timers } from './timers.ts'
import { createHttpTracer } from './tracing/create-http-tracer.ts'
import { createSpanReporters } from './tracing/span-reporters.ts'
import { socketTransports } from './transport/socket-transport.ts'
import type { Transports } from './transport/transports.ts'

/** What a proxy needs from its process. */
export interface ProxyOptions {
  node: Node
  stats: Stats
  runtime: Runtime
  accessLogs: AccessLogs
  clock?: Clock
  /** Numbers in [0, 1); for load balancing, weights, back-off and sampling. */
  random?: () => number
  resolveName?: ResolveName
  /** How bytes come and go; Node's sockets unless given (`chooseTransports`). */
  transports?: Transports
  /** This program's name and version, which spans over OTLP tell. */
  version?: string
  /** One of several processes that listen on the same ports: which one (0 up). */
  worker?: number
  /** Of listeners on port 0, by name: what the first worker was given. */
  ports?: ReadonlyMap<string, number>
}

/** The data plane of one process. */
export interface Proxy {
  /**
   * Makes a snapshot the present one. Binds what is new, all or nothing: rejects with a `ListenError` when a port cannot be had, and
   * then everything is as before.
   */
  apply(snapshot: Snapshot): Promise<void>
  readonly asyncClient: AsyncClient
  /** For `/clusters`. */
  clusters(): readonly ActiveCluster[]
  /** For `/listeners`; addresses as bound. */
  listeners(): readonly { name: string; address: string; port: number }[]
  /** While failed, every HTTP/1 response says `connection: close`; new connections are still taken (`/healthcheck/fail`). */
  failHealthCheck(failed: boolean): void
  /** No new connections; those there are go on (`/drain_listeners`). */
  stopListening(which: { inboundOnly: boolean }): void
  /** More and more responses, or with `immediate` all, say `connection: close`; new connections are taken. */
  drainGradually(drain: { inboundOnly: boolean; immediate: boolean; duration: Milliseconds }): void
  /** No new connections; idle ones close, busy ones after their response. */
  drain(): void
  /** Closes everything at once; spans that wait are sent, no longer than a second. */
  close(): Promise<void>
}

interface GradualDrain {
  inboundOnly: boolean
  immediate: boolean
  duration: Milliseconds
  since: Instant
}

/** How long spans may take to leave at the end. */
const LAST_SPANS = 1_000

/** The data plane, put together: what a request meets, in the order of the imports of `#compile`. */
export function createProxy(options: ProxyOptions): Proxy {
  const { node, stats, runtime, accessLogs } = options
  const clock = options.clock ?? createClock()
  const random = options.random ?? Math.random
  const transports = options.transports ?? socketTransports
  const timers = new Timers(clock)
  let connectionIds = 0
  const nextConnectionId = (): number => ++connectionIds
  const clusters = new ClusterManager(
    {
      stats,
      runtime,
      clock,
      timers,
      nextConnectionId,
      transports,
      random,
      locality: node.locality,
      eventLog: path => accessLogs.file(path),
    },
    options.resolveName,
  )
  const asyncClient = createAsyncClient({ clusters, clock, timers })
  const grpcClient = createGrpcClient({ clusters, stats, clock, timers })
  const reporters = createSpanReporters({
    node,
    stats,
    runtime,
    asyncClient,
    grpcClient,
    ...(options.version === undefined ? {} : { version: options.version }),
  })
  const acceptors = new Map<string, Acceptor>()
  const acceptorServices = {
    stats,
    runtime,
    transports,
    worker: options.worker,
    portOf: (listener: Listener) => options.ports?.get(listener.name) ?? listener.address.port,
    nextConnectionId,
  }
  let draining = false
  let gradual: GradualDrain | undefined

  /** The chance that a response asks its client to leave grows until, at the end, all do. (Envoy's drain manager) */
  function asksToLeave(listener: Listener): boolean {
    if (draining) return true
    if (gradual === undefined || (gradual.inboundOnly && listener.trafficDirection !== 'INBOUND')) return false
    return gradual.immediate || random() < (clock.now() - gradual.since) / gradual.duration
  }

  /** Everything that requests of a listener need, so that none of them looks at configuration. */
  function compile(listener: Listener, chain: FilterChain): ConnectionManagerContext {
    const config = chain.httpConnectionManager
    const http = createHttpStats(stats, config.statPrefix, listenerStatName(listener))
    const routerServices = { clusters, runtime, clock, timers, random }
    const { filters, router } = createFilters(config, {
      ...routerServices,
      stats,
      http,
      asyncClient,
      failing: () => draining,
      serviceName: node.cluster,
    })
    const route = createRouter(router, http, listener.perConnectionBufferLimitBytes, routerServices)
    const { tracing, statPrefix } = config
    const { startChildSpan } = router
    return {
      config,
      stats: http,
      listener: {
        name: listener.name,
        metadata: listener.metadata,
        filterChainName: chain.name,
        filterChainMetadata: chain.metadata,
      },
      mutateEarly: compileRules(config.earlyHeaderMutations, 'request'),
      normalisePath: compilePathNormaliser(config, runtime),
      routes: compileRoutes(config.routeConfig, runtime, stats),
      sanitise: createSanitiser(config, node),
      tracer:
        tracing === undefined
          ? undefined
          : createHttpTracer(
              {
                tracing,
                statPrefix,
                direction: listener.trafficDirection,
                startChildSpan,
                requestId: config.requestId,
              },
              { node, stats, runtime, random, reporters },
            ),
      bufferLimit: listener.perConnectionBufferLimitBytes,
      accessLogger: accessLogs.logger(config.accessLog, { runtime, random }),
      addProxyStatus: compileProxyStatus(config, node),
      chooseCluster(exchange) {
        const { route } = exchange
        if (route?.route.action.type === 'route') chooseCluster(exchange, route, route.route.action, routerServices)
      },
      localReply: config.localReplyConfig && compileLocalReply(config.localReplyConfig, { runtime, random }),
      handle: composeFilters(filters, route, routerServices),
      clock,
      timers,
      random,
      draining: () => asksToLeave(listener),
    }
  }

  /** The connection manager of each filter chain, and which of them a connection gets. */
  function compileChains(listener: Listener): ChooseContext {
    const { filterChains, defaultFilterChain } = listener
    const chains = defaultFilterChain === undefined ? filterChains : [...filterChains, defaultFilterChain]
    const contexts = new Map(chains.map(chain => [chain, compile(listener, chain)]))
    const choose = compileFilterChainChoice(listener)
    return ends => {
      const chain = choose(ends)
      return chain && contexts.get(chain)
    }
  }

  async function apply(snapshot: Snapshot): Promise<void> {
    const bound = await bindNew(snapshot.listeners)
    try {
      await clusters.apply(snapshot.clusters, snapshot.clusterManager)
      for (const listener of snapshot.listeners) {
        const key = bindKey(listener)
        const acceptor = bound.get(key) ?? acceptors.get(key)!
        acceptor.use(listener, compileChains(listener))
      }
    } catch (error) {
      for (const acceptor of bound.values()) acceptor.close()
      throw error
    }
    for (const [key, acceptor] of bound) acceptors.set(key, acceptor)
    const wanted = new Set(snapshot.listeners.map(bindKey))
    for (const [key, acceptor] of acceptors) {
      if (wanted.has(key)) continue
      acceptor.drain()
      acceptors.delete(key)
    }
    for (const name of ['create_failure', 'in_place_updated', 'modified', 'removed', 'stopped'])
      stats.counter(`listener_manager.listener_${name}`)
    for (const name of ['total_filter_chains_draining', 'total_listeners_draining', 'workers_pinned'])
      stats.gauge(`listener_manager.${name}`)
    stats.counter('listener_manager.listener_added').add(bound.size)
    stats.counter('listener_manager.listener_create_success').add(bound.size)
    stats.gauge('listener_manager.total_listeners_active').set(acceptors.size)
    stats.gauge('listener_manager.total_listeners_warming').set(0)
    stats.gauge('listener_manager.workers_started').set(1)
  }

  async function bindNew(listeners: readonly Listener[]): Promise<Map<string, Acceptor>> {
    const bound = new Map<string, Acceptor>()
    try {
      for (const listener of listeners) {
        const key = bindKey(listener)
        if (!acceptors.has(key)) bound.set(key, await listen(listener, acceptorServices))
      }
    } catch (error) {
      for (const acceptor of bound.values()) acceptor.close()
      throw error
    }
    return bound
  }

  return {
    apply,
    asyncClient,
    clusters: () => clusters.all(),
    listeners: () => [...acceptors.values()].map(({ name, address, port }) => ({ name, address, port })),
    failHealthCheck(failed) {
      draining = failed
    },
    stopListening({ inboundOnly }) {
      for (const acceptor of acceptors.values()) {
        if (inboundOnly && acceptor.direction !== 'INBOUND') continue
        acceptor.stopListening()
        stats.counter('listener_manager.listener_stopped').add()
      }
    },
    drainGradually(drain) {
      gradual = { ...drain, since: clock.now() }
    },
    drain() {
      draining = true
      for (const acceptor of acceptors.values()) acceptor.drain()
    },
    async close() {
      draining = true
      for (const acceptor of acceptors.values()) acceptor.close()
      await reporters.close(LAST_SPANS)
      grpcClient.close()
      clusters.close()
      timers.close()
    },
  }
}

/** Two listeners on port 0 are two sockets. */
function bindKey(listener: Listener): string {
  const { address, port, isPipe } = listener.address
  if (isPipe) return address
  return port === 0 ? `${listener.name}@${address}:0` : `${address}:${port}`
}
