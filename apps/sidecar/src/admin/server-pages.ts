import type { AdminPage } from './admin-server.ts'

/** What the pages about the process itself need of it. */
export interface ServerControls {
  state(): string
  failHealthCheck(failed: boolean): Promise<void>
  drainListeners(which: { inboundOnly: boolean; graceful: boolean; skipExit: boolean }): Promise<void>
  reopenLogs(): Promise<void>
  setLogLevel(level: string): boolean
  logLevel(): string
  quit(): void
}

const ok = { body: 'OK\n' }

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
      help: 'query/change the logging level\n      level: trace, debug, info, warning, error, critical, off',
      mutates: true,
      handle({ query }) {
        const level = query.get('level')
        if (level !== null && !server.setLogLevel(level))
          return { status: 400, body: 'error: unknown logger level\n\n' }
        return { body: `active loggers:\n  main: ${server.logLevel()}\n\n` }
      },
    },
    {
      path: '/quitquitquit',
      help: 'exit the server',
      mutates: true,
      handle: () => ok,
      afterwards: () => server.quit(),
    },
    {
      path: '/hot_restart_version',
      help: 'print the hot restart compatibility version',
      handle: () => ({ body: 'disabled' }),
    },
  ]
}
