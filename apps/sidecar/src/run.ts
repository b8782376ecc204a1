import { formatProblems, type LoadOptions, loadBootstrap, validOk } from '@hopscope/envoy-config'
import { HELP, type Options, parseCommandLine } from './command-line.ts'
import { Log, stderr } from './log.ts'
import { NAME, VERSION } from './version.ts'
import { WORKER_VARIABLE } from './worker-messages.ts'

/** The whole life of the process. A bad command line or file ends it with status 1 before any port is bound. */
export async function run(args: readonly string[]): Promise<void> {
  const commandLine = parseCommandLine(args, process.env)
  switch (commandLine.type) {
    case 'help':
      process.stdout.write(HELP)
      return
    case 'version':
      process.stdout.write(`${NAME} version: ${VERSION}\n`)
      return
    case 'hot restart version':
      process.stdout.write('disabled\n')
      return
    case 'error':
      stderr(`${commandLine.message}\n`)
      process.exitCode = 1
      return
    case 'run':
      return runWith(commandLine.options)
  }
}

async function runWith(options: Options): Promise<void> {
  const began = performance.now()
  const log = new Log(options.logLevel)
  const loaded = loadBootstrap(loadOptions(options))
  if (!loaded.ok) {
    stderr(`${formatProblems(loaded.problems)}\n`)
    process.exitCode = 1
    return
  }
  if (options.mode === 'validate') {
    process.stdout.write(`${validOk(options.configPath ?? '')}\n`)
    return
  }
  const worker = process.env[WORKER_VARIABLE]
  if (worker !== undefined && process.send !== undefined) {
    const { runWorker } = await import('./worker.ts')
    runWorker(Number(worker), loaded.bootstrap, options, log)
    return
  }
  const { startServer } = await import('./server.ts')
  await startServer(loaded.bootstrap, options, log, began)
}

function loadOptions(options: Options): LoadOptions {
  const { serviceNode, serviceCluster, serviceZone } = options
  return { path: options.configPath, yaml: options.configYaml, overrides: { serviceNode, serviceCluster, serviceZone } }
}
