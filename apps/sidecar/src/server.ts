import { writeFileSync } from 'node:fs'
import type { Bootstrap } from '@hopscope/envoy-config'
import { createAccessLogs, Runtime, Stats, watchDiskLayers } from '@hopscope/proxy'
import { createAdminAccessLog } from './admin/admin-access-log.ts'
import { type AdminPage, type AdminServer, openAdminServer } from './admin/admin-server.ts'
import { clustersPage } from './admin/clusters-page.ts'
import { configDump } from './admin/config-dump.ts'
import { dumpJson } from './admin/dump-json.ts'
import { homePage } from './admin/home-page.ts'
import { addressText, listenersPage } from './admin/listeners-page.ts'
import { lookupPages } from './admin/lookup-pages.ts'
import { runtimePages } from './admin/runtime-pages.ts'
import { type ServerState, serverInfo } from './admin/server-info.ts'
import { serverPages } from './admin/server-pages.ts'
import { statsPages } from './admin/stats-pages.ts'
import type { Options } from './command-line.ts'
import { createLocalDataPlane, type DataPlane } from './data-plane.ts'
import { type Log, stderr } from './log.ts'
import { createServerStats } from './server-stats.ts'
import { NAME } from './version.ts'
import { createWorkerDataPlane } from './worker-data-plane.ts'

/**
 * Runs a bootstrap until a signal ends it. The admin port answers first (`/ready`: INITIALIZING), then the listeners are bound,
 * then it is LIVE. A port that cannot be had ends the process with status 1, nothing left bound.
 */
export async function startServer(bootstrap: Bootstrap, options: Options, log: Log, began: number): Promise<void> {
  const stats = new Stats()
  const runtime = new Runtime(bootstrap.runtime)
  const loaded = new Date()
  let state: ServerState = 'PRE_INITIALIZING'
  let admin: AdminServer | undefined
  const uptimeSeconds = () => Math.floor(performance.now() / 1000)
  const serverStats = createServerStats(stats, runtime, options.concurrency, uptimeSeconds)
  const setState = (next: ServerState) => {
    state = next
    serverStats.setState(next)
  }
  setState('PRE_INITIALIZING')
  try {
    watchDiskLayers(bootstrap.runtime, () => runtime.load())
  } catch (error) {
    stderr(`${(error as Error).message}\n`)
    process.exit(1)
  }

  const adminLogs = createAccessLogs({
    flushInterval: options.fileFlushInterval,
    stats,
    onError: (path, error) => log.error('file', `cannot write to '${path}': ${error.message}`),
  })
  const plane = await createDataPlane().catch((error: Error) => {
    log.critical('main', error.message)
    process.exit(1)
  })

  async function createDataPlane(): Promise<DataPlane> {
    if (options.concurrency === 1) return createLocalDataPlane({ bootstrap, options, log }, runtime, stats)
    return createWorkerDataPlane(options.concurrency, stats, reason => {
      log.critical('main', reason)
      void plane.close().then(() => process.exit(70))
    })
  }

  let ending = false
  async function end(reason: string): Promise<void> {
    if (ending) return
    ending = true
    log.warning('main', `${reason}: exiting`)
    await plane.close()
    adminLogs.close()
    process.exit(0)
  }
  process.on('SIGTERM', () => void end('caught SIGTERM'))
  process.on('SIGINT', () => void end('caught SIGINT'))
  process.on('SIGHUP', () => {})
  const crash = (error: unknown) => {
    log.critical('main', error instanceof Error ? (error.stack ?? error.message) : String(error))
    const leave = () => process.exit(70)
    plane.change({ type: 'flush logs' }).then(leave, leave)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)

  async function presentStats(): Promise<Stats> {
    serverStats.refresh()
    // Who asks makes a flush, which is over after the answer (as in Envoy, whose workers hand their values over meanwhile).
    if (bootstrap.statsFlushInterval === 'on admin') setImmediate(() => void plane.change({ type: 'flush histograms' }))
    return plane.stats()
  }

  const pages: AdminPage[] = [
    homePage(NAME, () => pages.slice(1)),
    ...serverPages({
      state: () => state,
      failHealthCheck(failed) {
        setState(failed ? 'DRAINING' : 'LIVE')
        return plane.change({ type: 'fail health check', failed })
      },
      drainListeners,
      reopenLogs() {
        adminLogs.reopen()
        return plane.change({ type: 'reopen logs' })
      },
      log,
      quit: () => void end('quitquitquit'),
    }),
    ...statsPages(presentStats, () => plane.change({ type: 'reset counters' })),
    ...lookupPages(plane),
    ...runtimePages(runtime, changes => plane.change({ type: 'modify runtime', changes })),
    {
      path: '/clusters',
      help: 'upstream cluster status\n      filter: Regular expression for filtering clusters by name\n      format: One of (text, json)',
      handle: async ({ query }) => clustersPage(await plane.clusters(), query),
    },
    {
      path: '/listeners',
      help: 'print listener info\n      format: File format to use; One of (text, json)',
      handle: async ({ query }) => listenersPage(await plane.listeners(), query),
    },
    {
      path: '/config_dump',
      help:
        'dump current configs\n' +
        '      resource: The resource to dump; One of (bootstrap, static_listeners, static_clusters, static_route_configs)\n' +
        '      mask: Field paths, with commas; with a resource they apply to every element of it\n' +
        '      name_regex: Dump only the configurations whose names match the specified regex\n' +
        '      include_eds: Endpoints too',
      handle: async ({ query }) => configDump(bootstrap.source, loaded, await plane.clusters(), query),
    },
    {
      path: '/server_info',
      help: 'print server version/status information',
      handle: () => ({
        type: 'json',
        body: dumpJson(serverInfo(bootstrap.node, options, state, uptimeSeconds())),
      }),
    },
  ]

  try {
    if (bootstrap.admin !== undefined) {
      const accessLog = createAdminAccessLog(bootstrap.adminAccessLog, adminLogs, runtime)
      admin = await openAdminServer(bootstrap.admin, pages, accessLog)
      log.info('main', `admin address: ${addressText(admin.address)}`)
      if (options.adminAddressPath !== undefined) writeFileSync(options.adminAddressPath, addressText(admin.address))
    }
    setState('INITIALIZING')
    await plane.start()
  } catch (error) {
    stderr(`${startProblem(error as NodeJS.ErrnoException)}\n`)
    process.exit(1)
  }
  setState('LIVE')
  serverStats.initialized(performance.now() - began)
  const flushInterval = bootstrap.statsFlushInterval
  if (flushInterval !== 'on admin') {
    setInterval(() => {
      serverStats.refresh()
      void plane.change({ type: 'flush histograms' })
    }, flushInterval).unref()
  }
  log.info('main', 'starting main dispatch loop')

  /** At once; `graceful`: after clients were asked to leave for `--drain-time-s`. */
  async function drainListeners({ inboundOnly, graceful, skipExit }: DrainRequest): Promise<void> {
    if (!graceful && !skipExit) {
      await plane.change({ type: 'stop listening', inboundOnly })
      return
    }
    const duration = options.drainTime * 1000
    await plane.change({ type: 'drain', inboundOnly, duration, immediate: options.drainStrategy === 'immediate' })
    if (skipExit) return
    setTimeout(() => void plane.change({ type: 'stop listening', inboundOnly }), duration).unref()
  }
}

interface DrainRequest {
  inboundOnly: boolean
  graceful: boolean
  /** They go on listening. */
  skipExit: boolean
}

/** Envoy's words where it is about an address. */
function startProblem(error: NodeJS.ErrnoException & { address?: string; port?: number }): string {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'Address already in use',
    EACCES: 'Permission denied',
    EADDRNOTAVAIL: 'Cannot assign requested address',
    ENOENT: 'No such file or directory',
  }
  const reason = reasons[error.code ?? '']
  if (reason === undefined || error.address === undefined) return error.message
  return `cannot bind '${addressText({ address: error.address, port: error.port ?? 0 })}': ${reason}`
}
