import { join, resolve } from 'node:path'
import type { Server as GrpcServer } from '@grpc/grpc-js'
import { MemoryStore, type SpanStore, StoreError } from '@hopscope/store'
import type { FastifyInstance } from 'fastify'
import { Admission } from './admission.ts'
import { BodyStock } from './body-stock.ts'
import { type Config, ConfigError, HELP, readConfig } from './config.ts'
import type { Context } from './context.ts'
import { CollectorMetrics } from './metrics.ts'
import { RequestTimer } from './request-timer.ts'
import { SelfTracing } from './self-tracing.ts'
import { createOtlpServer, createServer } from './server.ts'
import { TraceFeed } from './trace-feed.ts'

/** After SIGTERM, how long requests in flight may take, ms. */
const GRACE_MS = 1000

const warn = (line: string): void => console.error(`collector: ${line}`)

/** Reads the configuration, opens the store, listens. What goes wrong here is one clear line each, and exit 1. */
export async function start(argv: string[], environment: Record<string, string | undefined>): Promise<void> {
  try {
    await run(argv, environment)
  } catch (error) {
    if (error instanceof ConfigError) for (const line of error.message.split('\n')) warn(line)
    else if (error instanceof StoreError || error instanceof ListenError) warn(error.message)
    else throw error
    process.exit(1)
  }
}

async function run(argv: string[], environment: Record<string, string | undefined>): Promise<void> {
  const read = readConfig(argv, environment)
  if (read === 'help') {
    console.log(HELP)
    return
  }
  const { config, warnings } = read
  for (const line of warnings) warn(line)
  const store = await openStore(config)
  const feed = new TraceFeed(store, config.strictTraceId)
  const observed = feed.observe()
  const metrics = new CollectorMetrics(config)
  const selfTracing = config.selfTracing && new SelfTracing(observed, metrics.local, config.selfTracing)
  const context: Context = {
    config,
    store: selfTracing?.observe() ?? observed,
    feed,
    metrics,
    admission: new Admission(config.maxPendingBytes),
    bodies: new BodyStock(),
    timer: new RequestTimer(),
    selfTracing,
    warn,
    startedAt: new Date(),
  }
  const servers: Closable[] = []
  try {
    const server = createServer(context)
    servers.push(closable(server))
    const port = await listen(server, config.host, config.port, '--port (QUERY_PORT)')
    let line = `collector: http://${urlHost(config.host)}:${port}/zipkin/`
    if (config.otlpPort !== undefined && config.collectorEnabled) {
      const otlp = createOtlpServer(context)
      servers.push(closable(otlp))
      const otlpPort = await listen(
        otlp,
        config.host,
        config.otlpPort,
        '--otlp-port (HOPSCOPE_OTLP_PORT, off for none)',
      )
      line += `  OTLP http://${urlHost(config.host)}:${otlpPort}/v1/traces`
    }
    if (config.otlpGrpcPort !== undefined && config.collectorEnabled) {
      // Loaded only when wanted: it is a quarter of the time that a start takes.
      const { createOtlpGrpcServer, listenGrpc } = await import('./grpc/otlp-server.ts')
      const grpc = createOtlpGrpcServer(context)
      servers.push(closableGrpc(grpc))
      const address = `${urlHost(config.host)}:${config.otlpGrpcPort}`
      const grpcPort = await listenGrpc(grpc, address).catch((error: Error) => {
        throw cannotListen(
          config.host,
          config.otlpGrpcPort!,
          '--otlp-grpc-port (HOPSCOPE_OTLP_GRPC_PORT, off for none)',
          error,
        )
      })
      line += `  gRPC ${urlHost(config.host)}:${grpcPort}`
    }
    // Before it says that it is there: whoever reads that may end it at once.
    endOnSignal(servers, store, selfTracing)
    console.log(`${line}  ${store.name}`)
  } catch (error) {
    await Promise.all(servers.map(server => server.close()))
    await store.close()
    throw error
  }
}

async function openStore(config: Config): Promise<SpanStore> {
  if (config.storage === 'mem') return new MemoryStore(config)
  if (config.storage === 'clickhouse') {
    const { ClickHouseStore } = await import('@hopscope/store/clickhouse')
    return new ClickHouseStore({ ...config, ...config.clickhouse })
  }
  // Loaded only when wanted: it brings a native library.
  const { SegmentStore } = await import('@hopscope/store/sqlite')
  return new SegmentStore({ ...config, file: join(resolve(config.data), 'spans.db'), warn })
}

class ListenError extends Error {}

async function listen(server: FastifyInstance, host: string, port: number, flag: string): Promise<number> {
  try {
    await server.listen({ host, port })
  } catch (error) {
    throw cannotListen(host, port, flag, error as Error)
  }
  const address = server.server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

function cannotListen(host: string, port: number, flag: string, error: Error): ListenError {
  // gRPC tells it in words.
  const isInUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE' || error.message.includes('EADDRINUSE')
  const why = isInUse ? 'is in use' : `cannot be listened on: ${error.message}`
  return new ListenError(`port ${port} on ${host} ${why}; choose another with ${flag}`)
}

/** Something that listens. `close` waits for what is in flight, `hangUp` does not. */
interface Closable {
  close(): Promise<unknown>
  hangUp(): void
}

function closable(app: FastifyInstance): Closable {
  return { close: () => app.close(), hangUp: () => app.server.closeAllConnections() }
}

function closableGrpc(server: GrpcServer): Closable {
  const close = () => new Promise<unknown>(resolve => server.tryShutdown(resolve))
  return { close, hangUp: () => server.forceShutdown() }
}

const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** Stops listening, answers what is in flight, closes the store, ends. */
function endOnSignal(servers: readonly Closable[], store: SpanStore, selfTracing: SelfTracing | undefined): void {
  let ending = false
  const end = async (): Promise<void> => {
    if (ending) return
    ending = true
    const deadline = setTimeout(() => {
      for (const server of servers) server.hangUp()
    }, GRACE_MS)
    await Promise.all(servers.map(server => server.close()))
    clearTimeout(deadline)
    await selfTracing?.close()
    await store.close()
    process.exit(0)
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
}
