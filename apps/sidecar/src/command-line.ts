import { parseArgs } from 'node:util'
import { type LogLevel, logLevels } from './log.ts'

export interface Options {
  configPath: string | undefined
  configYaml: string | undefined
  mode: 'serve' | 'validate'
  logLevel: LogLevel
  serviceCluster: string | undefined
  serviceNode: string | undefined
  serviceZone: string | undefined
  baseId: number
  concurrency: number
  adminAddressPath: string | undefined
  /** Milliseconds. */
  fileFlushInterval: number
  /** Seconds. */
  drainTime: number
  drainStrategy: 'gradual' | 'immediate'
  /** Seconds. */
  parentShutdownTime: number
  disableHotRestart: boolean
  /** Of the environment, being nothing of Envoy's. */
  transport: 'auto' | 'socket' | 'handle'
}

export type CommandLine =
  | { type: 'run'; options: Options }
  | { type: 'help' }
  | { type: 'version' }
  | { type: 'hot restart version' }
  | { type: 'error'; message: string }

const flags = {
  'config-path': { type: 'string', short: 'c' },
  'config-yaml': { type: 'string' },
  mode: { type: 'string', default: 'serve' },
  'log-level': { type: 'string', short: 'l', default: 'info' },
  'service-cluster': { type: 'string' },
  'service-node': { type: 'string' },
  'service-zone': { type: 'string' },
  'base-id': { type: 'string', default: '0' },
  concurrency: { type: 'string', default: '1' },
  'admin-address-path': { type: 'string' },
  'file-flush-interval-msec': { type: 'string', default: '10000' },
  'drain-time-s': { type: 'string', default: '600' },
  'drain-strategy': { type: 'string', default: 'gradual' },
  'parent-shutdown-time-s': { type: 'string', default: '900' },
  'disable-hot-restart': { type: 'boolean', default: false },
  'hot-restart-version': { type: 'boolean', default: false },
  version: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export const HELP = `Usage: hopscope-sidecar -c FILE [flags]

An Envoy v3 bootstrap file, run by Hopscope. The flags are Envoy's.

  -c, --config-path FILE            the bootstrap: YAML (.yaml, .yml) or JSON
      --config-yaml YAML            merged over the file, or stands alone
      --mode serve|validate         validate: check the configuration and exit
  -l, --log-level LEVEL             ${logLevels.join(', ')} (info)
      --service-cluster NAME        node.cluster, the service name in spans
      --service-node ID             node.id
      --service-zone NAME           node.locality.zone
      --admin-address-path FILE     write the admin address there
      --file-flush-interval-msec N  access logs are written this often (10000)
      --concurrency N               worker processes that share the listeners' ports (1: this one)
      --drain-time-s N              how long a graceful drain takes (600)
      --drain-strategy gradual|immediate
      --base-id N, --parent-shutdown-time-s N, --disable-hot-restart
                                    accepted; there is no hot restart
      --hot-restart-version, --version, -h, --help

HOPSCOPE_TRANSPORT=auto|socket|handle: bytes go over Node's public sockets, or over the handles
below them, which cost less (auto: the handles, where they pass a trial at the start).
`

export function parseCommandLine(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): CommandLine {
  let values: ReturnType<typeof parse>
  try {
    values = parse(args)
  } catch (error) {
    return { type: 'error', message: messageOf(error as Error) }
  }
  if (values.help) return { type: 'help' }
  if (values.version) return { type: 'version' }
  if (values['hot-restart-version']) return { type: 'hot restart version' }

  const problems: string[] = []
  const whole = (flag: keyof typeof flags & keyof typeof values, least: number): number => {
    const text = String(values[flag])
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= least) return number
    problems.push(`--${flag} takes a whole number from ${least} up, not '${text}'`)
    return least
  }
  const oneOf = <T extends string>(flag: string, text: string, allowed: readonly T[]): T => {
    if ((allowed as readonly string[]).includes(text)) return text as T
    problems.push(`--${flag} takes one of ${allowed.join(', ')}, not '${text}'`)
    return allowed[0]!
  }
  const transport = environment.HOPSCOPE_TRANSPORT || 'auto'
  const transports = ['auto', 'socket', 'handle'] as const
  if (!transports.includes(transport as never))
    problems.push(`HOPSCOPE_TRANSPORT is one of ${transports.join(', ')}, not '${transport}'`)
  const level = values['log-level'] === 'warn' ? 'warning' : values['log-level']
  const options: Options = {
    configPath: values['config-path'],
    configYaml: values['config-yaml'],
    mode: oneOf('mode', values.mode, ['serve', 'validate']),
    logLevel: oneOf('log-level', level, logLevels),
    serviceCluster: values['service-cluster'],
    serviceNode: values['service-node'],
    serviceZone: values['service-zone'],
    baseId: whole('base-id', 0),
    // Envoy, too, runs one worker when none is asked for.
    concurrency: Math.max(1, whole('concurrency', 0)),
    adminAddressPath: values['admin-address-path'],
    fileFlushInterval: whole('file-flush-interval-msec', 1),
    drainTime: whole('drain-time-s', 0),
    drainStrategy: oneOf('drain-strategy', values['drain-strategy'], ['gradual', 'immediate']),
    parentShutdownTime: whole('parent-shutdown-time-s', 0),
    disableHotRestart: values['disable-hot-restart'],
    transport: transport as Options['transport'],
  }
  if (options.configPath === undefined && options.configYaml === undefined) {
    problems.push('At least one of --config-path or --config-yaml should be non-empty')
  }
  return problems.length === 0 ? { type: 'run', options } : { type: 'error', message: problems.join('\n') }
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: false }).values
}

function messageOf(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code
  const flag = /'(-[^' ]*)/.exec(error.message)?.[1]
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return `unknown flag ${flag}: --help lists those there are`
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') {
    const what = /'([^']*)'/.exec(error.message)?.[1]
    return `'${what}' is not a flag: --help lists those there are`
  }
  return error.message.split('\n')[0]!
}
