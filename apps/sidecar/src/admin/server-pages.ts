import type { AdminPage } from './admin-server.ts'

/** What the pages about the process itself need of it. */
export interface ServerControls {
  state(): string
  failHealthCheck(failed: boolean): void
  drainListeners(inboundOnly: boolean): void
  reopenLogs(): void
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
      handle() {
        server.failHealthCheck(true)
        return ok
      },
    },
    {
      path: '/healthcheck/ok',
      help: 'cause the server to pass health checks',
      mutates: true,
      handle() {
        server.failHealthCheck(false)
        return ok
      },
    },
    {
      path: '/drain_listeners',
      help: 'drain listeners\n      inboundonly: Only listeners with traffic_direction INBOUND',
      mutates: true,
      handle({ query }) {
        for (const name of ['graceful', 'skip_exit']) {
          if (query.has(name)) return { status: 400, body: `the parameter ${name} is not supported\n` }
        }
        server.drainListeners(query.has('inboundonly'))
        return ok
      },
    },
    {
      path: '/reopen_logs',
      help: 'reopen access logs',
      mutates: true,
      handle() {
        server.reopenLogs()
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
