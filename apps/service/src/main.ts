/**
 * The service's process: environment in, a listening server out. README.md lists the variables.
 *
 * Imports are dynamic on purpose: the OpenTelemetry SDK has to wrap node:http before anything imports it, and a process
 * without the SDK should not pay for loading it.
 */
import { enableCompileCache } from 'node:module'

enableCompileCache()

if (process.argv.length > 2) {
  const isHelp = process.argv[2] === '--help' || process.argv[2] === '-h'
  const [say, code] = isHelp ? [console.log, 0] : [console.error, 64]
  if (!isHelp) say(`service: unexpected argument ${process.argv[2]}: all of it is set by variables`)
  say((await import('./help.ts')).HELP)
  process.exit(code)
}

const { readConfig } = await import('./config.ts')
const config = readConfig(process.env)
if (!config.ok) {
  for (const problem of config.problems) console.error(`service: ${problem}`)
  // EX_USAGE, as everywhere in Hopscope: nothing was started.
  process.exit(64)
}

const { tracing } = config
const sdk = tracing === undefined ? undefined : (await import('./tracing.ts')).startTracing(tracing, config.name)
const { createService } = await import('./service.ts')
const service = createService(config, sdk?.inSpan)

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    // At once, as a container's stop expects; only spans that are still buffered may take up to a second.
    if (sdk === undefined) process.exit(0)
    const giveUp = setTimeout(() => process.exit(0), 1000)
    sdk.shutdown().finally(() => {
      clearTimeout(giveUp)
      process.exit(0)
    })
  })
}

try {
  const address = await service.listen(config.listen)
  console.log(`${config.name} listening on ${address}`)
} catch (error) {
  console.error(`service: ${listenProblem(error as NodeJS.ErrnoException, config.listen)}`)
  process.exit(1)
}

function listenProblem(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): string {
  if (error.code === 'EADDRINUSE') return `LISTEN_ADDR: port ${port} of ${host} is taken by another process`
  if (error.code === 'EACCES') return `LISTEN_ADDR: no right to listen on port ${port} of ${host}`
  return `LISTEN_ADDR: cannot listen on ${host}:${port}: ${error.message}`
}
