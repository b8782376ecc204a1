import { existsSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { parse } from 'yaml'
import { checkout } from '../checkout.ts'
import { appOf, type Service } from '../compose/service.ts'
import { UserError } from '../user-error.ts'
import type { PortMap } from './port-map.ts'
import { type Names, replicaAddress, Translator } from './translate.ts'

/** How one service is run as a process: everything translated, nothing started yet. */
export interface ProcessPlan {
  service: Service
  /** The service's, with a number when there are several: `service1-2`. */
  name: string
  /** The address of this machine that it has. */
  address: string
  command: string
  args: readonly string[]
  environment: Readonly<Record<string, string>>
  /** Files to write before the start, by absolute path. */
  files: Readonly<Record<string, string>>
  /** A proxy's command that says what is wrong with its file as it was written, not as it was translated. */
  validate?: { command: string; args: readonly string[] }
  /** GET it until it answers 200; absent: ready as soon as it runs. */
  readiness?: string
}

export interface PlanContext {
  names: Names
  ports: PortMap
  proxy: 'hopscope' | 'envoy'
  /** Path of the real Envoy, when it stands in for the sidecars. */
  envoy: string | undefined
  /** Folder of this run: translated files, data, logs. */
  folder: string
  /** Envoy files that were read before, by their text: a mesh is planned anew at each turn of a knob. */
  parsed: Map<string, unknown>
}

/** Envoy's file as mounted, e.g. `/etc/envoy/envoy.yaml`, in translation; JSON, which both proxies read faster than YAML. */
interface EnvoyFile {
  path: string
  text: string
  adminPort: number | undefined
}

/**
 * A mesh is many processes with little to do: with V8's own 16 MB for what is young, each keeps garbage that nobody needs the room
 * for. With 1 MB the tour's eleven processes take 394 MB (PSS) in place of 454, and none more than 60.
 */
const SMALL_HEAP = '--max-semi-space-size=1'

/** One for each replica. */
export function planProcesses(service: Service, context: PlanContext): ProcessPlan[] {
  const { name, replicas } = service
  if (replicas === undefined) return [planProcess(service, context, name, '127.0.0.1')]
  return Array.from({ length: replicas }, (_, i) =>
    planProcess(service, context, `${name}-${i + 1}`, replicaAddress(i + 1)),
  )
}

function planProcess(service: Service, context: PlanContext, name: string, address: string): ProcessPlan {
  const portOf = (pod: string, port: number) => context.ports.port(pod, port)
  const translator = new Translator(service.pod, context.names, portOf, address)
  const files: Record<string, string> = {}
  const app = appOf(service)!
  let envoyFile: EnvoyFile | undefined
  let original: string | undefined

  const args = service.command.slice(1).map(word => {
    const mount = service.mounts.find(({ target }) => word === target || word.startsWith(`${target}/`))
    if (mount === undefined) return translator.text(word)
    const source = word === mount.target ? mount.source : join(mount.source, relative(mount.target, word))
    if (!existsSync(source)) throw new UserError(`${service.name}: the mounted file ${source} does not exist`)
    if (app !== 'sidecar') return source
    original = source
    envoyFile = translateEnvoyFile(name, source, translator, context)
    files[envoyFile.path] = envoyFile.text
    return envoyFile.path
  })

  const environment: Record<string, string> = {}
  for (const [variable, value] of Object.entries(service.environment))
    environment[variable] = translator.environment(variable, value)
  const port = (containerPort: number) => context.ports.port(service.pod, containerPort)

  const main = join(checkout, service.command[0]!)
  const plan: ProcessPlan = {
    service,
    name,
    address,
    command: process.execPath,
    args: [SMALL_HEAP, main, ...args],
    environment,
    files,
  }
  if (app === 'sidecar') {
    if (context.proxy === 'envoy') {
      plan.command = context.envoy!
      plan.args = withEnvoysDefaults(args)
    }
    if (original !== undefined) {
      const check = ['-c', original, '--mode', 'validate', '-l', 'error']
      plan.validate =
        context.proxy === 'envoy'
          ? { command: context.envoy!, args: check }
          : { command: process.execPath, args: [main, ...check] }
    }
    const adminPort: number | undefined = (envoyFile as EnvoyFile | undefined)?.adminPort
    if (adminPort !== undefined) plan.readiness = `http://${address}:${port(adminPort)}/ready`
  } else if (app === 'collector') {
    environment.HOPSCOPE_DATA ??= join(context.folder, 'data', name)
    environment.QUERY_PORT ??= String(port(9411))
    environment.HOPSCOPE_OTLP_PORT ??= String(port(4318))
    plan.readiness = `http://${address}:${environment.QUERY_PORT}/health`
  } else if (app === 'service') {
    const listen = environment.LISTEN_ADDR ?? `${address}:${port(8080)}`
    environment.LISTEN_ADDR = listen
    plan.readiness = `http://${listen}/health`
  }
  return plan
}

function translateEnvoyFile(name: string, source: string, translator: Translator, context: PlanContext): EnvoyFile {
  const path = join(context.folder, 'envoy', `${name}-${basename(source).replace(/\.(ya?ml|json)$/, '')}.json`)
  const original = readFileSync(source, 'utf8')
  let config = context.parsed.get(original)
  try {
    config ??= parse(original, { merge: true })
  } catch {
    // Not ours to judge: the proxy reads the original and says what is wrong, with line and column.
    return { path: source, text: original, adminPort: undefined }
  }
  context.parsed.set(original, config)
  const admin = (config as { admin?: { address?: { socket_address?: { port_value?: unknown } } } } | null)?.admin
  const adminPort = Number(admin?.address?.socket_address?.port_value)
  return {
    path,
    text: `${JSON.stringify(translator.envoy(config), null, 1)}\n`,
    adminPort: Number.isInteger(adminPort) ? adminPort : undefined,
  }
}

/** The same command line for the real Envoy, with what a dozen of them on one machine need. */
function withEnvoysDefaults(args: readonly string[]): string[] {
  const defaults: [string, ...string[]][] = [['--concurrency', '1'], ['--disable-hot-restart'], ['-l', 'error']]
  return [...args, ...defaults.filter(([flag]) => !args.includes(flag)).flat()]
}
