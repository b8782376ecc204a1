import { type Log, type LogLevel, logLevels } from '../log.ts'
import type { AdminPage, AdminReply } from './admin-server.ts'
import { dumpJson } from './dump-json.ts'

/** What the pages about the process itself need of it. */
export interface ServerControls {
  state(): string
  failHealthCheck(failed: boolean): Promise<void>
  drainListeners(which: { inboundOnly: boolean; graceful: boolean; skipExit: boolean }): Promise<void>
  reopenLogs(): Promise<void>
  log: Log
  quit(): void
}

const ok = { body: 'OK\n' }

/** Our components; Envoy has more. */
const LOGGERS = ['file', 'main']

const USAGE =
  'usage: /logging?<name>=<level> (change single level)\n' +
  'usage: /logging?paths=name1:level1,name2:level2,... (change multiple levels)\n' +
  'usage: /logging?level=<level> (change all levels)\n' +
  'usage: /logging?group=<group_name>:<level> (change group of loggers)\n' +
  `levels: ${logLevels.join(' ')} \n`

/** All or nothing; says what was wrong. */
function changeLevels(log: Log, query: URLSearchParams): string | undefined {
  if ([...query].length > 1) return 'invalid number of parameters'
  if (query.has('group')) return 'group parameter requires fine-grain logging to be enabled'
  const wanted: [name: string, level: string][] = []
  for (const [name, value] of query) {
    if (name !== 'paths') wanted.push([name, value])
    else if (value !== '') {
      for (const [one = '', level = ''] of value.split(',').map(pair => pair.split(':'))) {
        if (one === '' || level === '') return 'empty logger name or empty logger level'
        wanted.push([one, level])
      }
    }
  }
  const changes: [name: string, level: LogLevel][] = []
  for (const [name, text] of wanted) {
    if (name !== 'level' && !LOGGERS.includes(name)) return 'unknown logger name'
    const level = logLevels.find(one => one === (text === 'warn' ? 'warning' : text))
    if (level === undefined) return 'unknown logger level'
    changes.push([name, level])
  }
  for (const [name, level] of changes) log.setLevel(level, name === 'level' ? undefined : name)
  return undefined
}

function json(value: object): AdminReply {
  return { type: 'json', body: dumpJson(value) }
}

/** Envoy's fields; V8 has no page heap. */
function memory(): object {
  const { heapUsed, heapTotal, external, rss } = process.memoryUsage()
  return {
    allocated: String(heapUsed + external),
    heap_size: String(heapTotal),
    pageheap_unmapped: '0',
    pageheap_free: String(heapTotal - heapUsed),
    total_thread_cache: '0',
    total_physical_bytes: String(rss),
  }
}

export function serverPages(server: ServerControls): AdminPage[] {
  return [
    {
      path: '/ready',
      help: 'print server state, return 200 if LIVE, otherwise return 503',
      handle() {
        const state = server.state()
        return { status: state === 'LIVE' ? 200 : 503, body: `${state}\n` }
      },
    },
    {
      path: '/healthcheck/fail',
      help: 'cause the server to fail health checks',
      mutates: true,
      async handle() {
        await server.failHealthCheck(true)
        return ok
      },
    },
    {
      path: '/healthcheck/ok',
      help: 'cause the server to pass health checks',
      mutates: true,
      async handle() {
        await server.failHealthCheck(false)
        return ok
      },
    },
    {
      path: '/drain_listeners',
      help:
        'drain listeners\n' +
        '      graceful: Drain for --drain-time-s before they stop listening\n' +
        '      skip_exit: Drain, and go on listening\n' +
        '      inboundonly: Only listeners with traffic_direction INBOUND',
      mutates: true,
      async handle({ query }) {
        const [inboundOnly, graceful, skipExit] = ['inboundonly', 'graceful', 'skip_exit'].map(name => query.has(name))
        await server.drainListeners({ inboundOnly: inboundOnly!, graceful: graceful!, skipExit: skipExit! })
        return ok
      },
    },
    {
      path: '/reopen_logs',
      help: 'reopen access logs',
      mutates: true,
      async handle() {
        await server.reopenLogs()
        return ok
      },
    },
    {
      path: '/logging',
      help:
        'query/change logging levels\n' +
        '      paths: Change multiple logging levels by setting to <logger_name1>:<desired_level1>,<logger_name2>:<desired_level2>\n' +
        "      level: desired logging level, this will change all loggers's level; One of (, trace, debug, info, warning, error, critical, off)",
      mutates: true,
      handle({ query }) {
        const problem = changeLevels(server.log, query)
        const levels = `active loggers:\n${LOGGERS.map(name => `  ${name}: ${server.log.levelOf(name)}\n`).join('')}\n`
        return problem === undefined
          ? { body: levels }
          : { status: 400, body: `error: ${problem}\n\n${USAGE}${levels}` }
      },
    },
    {
      path: '/quitquitquit',
      help: 'exit the server',
      mutates: true,
      handle: () => ok,
      afterwards: () => server.quit(),
    },
    { path: '/certs', help: 'print certs on machine', handle: () => json({ certificates: [] }) },
    {
      path: '/contention',
      help: 'dump mutex contention stats (if enabled)',
      handle: () => ({
        body: 'Mutex contention tracing is not enabled. There is nothing to contend for: a worker is one thread.',
      }),
    },
    {
      path: '/cpuprofiler',
      help: 'enable/disable the CPU profiler; there is none: run it with node --cpu-prof\n      enable: One of (y, n)',
      mutates: true,
      // What Envoy says whose build has none.
      handle({ query }) {
        const enable = query.get('enable')
        if ([...query].length !== 1 || (enable !== 'y' && enable !== 'n'))
          return { status: 400, body: '?enable=<y|n>\n' }
        return enable === 'n' ? ok : { status: 500, body: 'failure to start the profiler' }
      },
    },
    {
      path: '/heapprofiler',
      help: 'enable/disable the heap profiler; there is none: run it with node --heap-prof\n      enable: One of (y, n)',
      mutates: true,
      handle: () => ({ status: 501, body: 'The current build does not support heap profiler' }),
    },
    { path: '/init_dump', help: 'dump what is not initialized yet', handle: () => json({}) },
    { path: '/memory', help: 'print current allocation/heap usage', handle: () => json(memory()) },
    {
      path: '/hot_restart_version',
      help: 'print the hot restart compatibility version',
      handle: () => ({ body: 'disabled' }),
    },
  ]
}
