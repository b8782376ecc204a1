import { writeFileSync } from 'node:fs'
import type { Bootstrap } from '@hopscope/envoy-config'
import { chooseTransports, createAccessLogs, createProxy, Runtime, Stats } from '@hopscope/proxy'
import { type AdminPage, type AdminServer, openAdminServer } from './admin/admin-server.ts'
import { clustersPage } from './admin/clusters-page.ts'
import { configDump } from './admin/config-dump.ts'
import { dumpJson } from './admin/dump-json.ts'
import { addressText, listenersPage } from './admin/listeners-page.ts'
import { runtimePages } from './admin/runtime-pages.ts'
import { type ServerState, serverInfo } from './admin/server-info.ts'
import { serverPages } from './admin/server-pages.ts'
import { statsPages } from './admin/stats-pages.ts'
import type { Options } from './command-line.ts'
import { type Log, logLevels, stderr } from './log.ts'
import { createServerStats } from './server-stats.ts'
import { clusterStatuses, listenerStatuses } from './statuses.ts'
import { NAME, VERSION } from './version.ts'

const STATS_FLUSH_INTERVAL = 5_000

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
  const serverStats = createServerStats(stats, runtime, uptimeSeconds)
  const setState = (next: ServerState) => {
    state = next
    serverStats.setState(next)
  }
  setState('PRE_INITIALIZING')

  const accessLogs = createAccessLogs({
    flushInterval: options.fileFlushInterval,
    stats,
    onError: (path, error) => log.error('file', `cannot write to '${path}': ${error.message}`),
  })
  const transports = await chooseTransports(options.transport).catch((error: Error) => {
    log.critical('main', error.message)
    process.exit(1)
  })
  log.info('main', `transport: ${transports.name}`)
  const proxy = createProxy({
    node: bootstrap.node,
    stats,
    runtime,
    accessLogs,
    transports,
    version: `${NAME}/${VERSION}`,
  })

  let ending = false
  async function end(reason: string): Promise<void> {
    if (ending) return
    ending = true
    log.warning('main', `${reason}: exiting`)
    await proxy.close()
    accessLogs.close()
    process.exit(0)
  }
  process.on('SIGTERM', () => void end('caught SIGTERM'))
  process.on('SIGINT', () => void end('caught SIGINT'))
  process.on('SIGHUP', () => {})
  const crash = (error: unknown) => {
    log.critical('main', error instanceof Error ? (error.stack ?? error.message) : String(error))
    accessLogs.flush()
    process.exit(70)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)

  const pages: AdminPage[] = [
    ...serverPages({
      state: () => state,
      failHealthCheck(failed) {
        setState(failed ? 'DRAINING' : 'LIVE')
        proxy.failHealthCheck(failed)
      },
      drainListeners: inboundOnly => proxy.stopListening({ inboundOnly }),
      reopenLogs: () => accessLogs.reopen(),
      logLevel: () => log.level,
      setLogLevel(level) {
        const known = logLevels.find(one => one === (level === 'warn' ? 'warning' : level))
        if (known !== undefined) log.level = known
        return known !== undefined
      },
      quit: () => void end('quitquitquit'),
    }),
    ...statsPages(stats, serverStats.refresh),
    ...runtimePages(runtime),
    {
      path: '/clusters',
      help: 'upstream cluster status\n      filter: Regular expression for filtering clusters by name\n      format: One of (text, json)',
      handle: ({ query }) => clustersPage(clusterStatuses(proxy.clusters()), query),
    },
    {
      path: '/listeners',
      help: 'print listener info\n      format: File format to use; One of (text, json)',
      handle: ({ query }) => listenersPage(listenerStatuses(proxy.listeners()), query),
    },
    {
      path: '/config_dump',
      help:
        'dump current configs\n' +
        '      resource: One of (bootstrap, static_listeners, static_clusters, static_route_configs)\n' +
        '      name_regex: Dump only the configurations whose names match the specified regex',
      handle: ({ query }) => configDump(bootstrap.source, loaded, query),
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
      admin = await openAdminServer(bootstrap.admin, pages)
      log.info('main', `admin address: ${addressText(admin.address)}`)
      if (options.adminAddressPath !== undefined) writeFileSync(options.adminAddressPath, addressText(admin.address))
    }
    setState('INITIALIZING')
    await proxy.apply(bootstrap.snapshot)
  } catch (error) {
    stderr(`${startProblem(error as NodeJS.ErrnoException)}\n`)
    process.exit(1)
  }
  setState('LIVE')
  serverStats.initialized(performance.now() - began)
  setInterval(() => {
    serverStats.refresh()
    stats.flushHistograms()
  }, STATS_FLUSH_INTERVAL).unref()
  log.info('main', 'starting main dispatch loop')
}

/** Envoy's words where it is about an address. */
function startProblem(error: NodeJS.ErrnoException & { address?: string; port?: number }): string {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'Address already in use',
    EACCES: 'Permission denied',
    EADDRNOTAVAIL: 'Cannot assign requested address',
  }
  const reason = reasons[error.code ?? '']
  if (reason === undefined || error.address === undefined || error.port === undefined) return error.message
  return `cannot bind '${addressText({ address: error.address, port: error.port })}': ${reason}`
}
