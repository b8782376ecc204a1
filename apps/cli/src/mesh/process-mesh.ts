import { rmSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { readCompose } from '../compose/read-compose.ts'
import { appOf, type Service } from '../compose/service.ts'
import { UserError } from '../user-error.ts'
import { findEnvoy } from './find-envoy.ts'
import type { Mesh, MeshOptions } from './mesh.ts'
import { NameServer } from './name-server.ts'
import { isFree, PortMap } from './port-map.ts'
import { portOwner } from './port-owner.ts'
import { type PlanContext, type ProcessPlan, planProcesses } from './process-plan.ts'
import { proportionalSetSize } from './proportional-set-size.ts'
import { makeRunFolder } from './run-folder.ts'
import { ServiceProcess } from './service-process.ts'
import { replicaAddress } from './translate.ts'

export interface ProcessMesh extends Mesh {
  readonly folder: string
  /** What stands for what: pod, port in the container, port here. */
  ports(): { pod: string; containerPort: number; port: number }[]
  processes(): RunningService[]
}

export interface RunningService {
  name: string
  pid: number
  logFile: string
}

/**
 * Runs the services of a compose file as processes of this machine, without Docker: services that share a network namespace
 * are one pod, every port gets a free loopback port, addresses in environment, arguments and Envoy files follow.
 *
 * @throws UserError when the file, a port or a service is at fault; nothing is left running then
 */
export async function startProcessMesh(options: MeshOptions): Promise<ProcessMesh> {
  const mesh = new Processes(options)
  try {
    await mesh.up()
    return mesh
  } catch (error) {
    await mesh.down()
    throw error
  }
}

class Processes implements ProcessMesh {
  readonly kind = 'processes'
  readonly proxy: 'hopscope' | 'envoy'
  readonly folder = makeRunFolder()
  onUnexpectedEnd: (message: string) => void = () => {}
  readonly #options: MeshOptions
  readonly #ports = new PortMap()
  readonly #processes = new Map<string, ServiceProcess>()
  /** Only when services are scaled. */
  #nameServer: { server: NameServer; port: number } | undefined
  #services: ReadonlyMap<string, Service> = new Map()
  readonly #parsedFiles = new Map<string, unknown>()
  #variables: Readonly<Record<string, string>>

  constructor(options: MeshOptions) {
    this.#options = options
    this.#variables = options.variables
    this.proxy = options.proxy
  }

  get services(): string[] {
    return [...this.#processes.keys()]
  }

  async up(): Promise<void> {
    const services = await this.#read(this.#variables)
    // Envoy files take as long to read as a process takes to start: those who have none begin meanwhile.
    const [first, then] = [services.filter(readsNoFile), services.filter(service => !readsNoFile(service))]
    const total = services.reduce((sum, { replicas }) => sum + (replicas ?? 1), 0)
    const started = new Map<string, Promise<void>>()
    const starting = this.#startAll(await this.#plan(first), started, total)
    // Whether it fails is told below.
    starting.catch(() => {})
    await this.#startAll(await this.#plan(then), started, total)
    await starting
  }

  address(service: string, containerPort: number): string {
    const { pod, replicas } = this.#services.get(service) ?? {}
    const ports = this.#ports.entries().filter(entry => entry.pod === pod)
    const found = ports.find(entry => entry.containerPort === containerPort)
    if (found === undefined) {
      const known = ports.map(entry => entry.containerPort).sort((a, b) => a - b)
      throw new UserError(`${service} has no port ${containerPort}; it has ${known.join(', ') || 'none'}`)
    }
    return `http://${replicas === undefined ? '127.0.0.1' : replicaAddress(1)}:${found.port}`
  }

  async stop(service: string): Promise<void> {
    const stopping = this.#processesOf(service)
    this.#publishNames(process => !stopping.includes(process))
    await Promise.all(stopping.map(process => process.stop()))
  }

  async start(service: string): Promise<void> {
    await Promise.all(this.#processesOf(service).map(process => process.start(this.#options.signal)))
    this.#publishNames()
  }

  async set(variables: Readonly<Record<string, string>>): Promise<void> {
    const wantedVariables = { ...this.#variables, ...variables }
    if (isDeepStrictEqual(wantedVariables, this.#variables)) return
    const plans = await this.#plan(await this.#read(wantedVariables))
    this.#variables = wantedVariables
    const wanted = new Set(plans.map(({ name }) => name))
    const gone = [...this.#processes.values()].filter(({ name }) => !wanted.has(name))
    const changed: ServiceProcess[] = []
    const added: ServiceProcess[] = []
    for (const plan of plans) {
      const process = this.#processes.get(plan.name)
      if (process === undefined) added.push(this.#add(plan))
      else if (!isSame(process.plan, plan)) {
        process.plan = plan
        changed.push(process)
      }
    }
    const stopping = [...gone, ...changed]
    // Names first: who asks from now on does not hear of those that go.
    if (stopping.length > 0) this.#publishNames(process => !stopping.includes(process))
    await Promise.all(stopping.map(process => process.stop()))
    for (const { name } of gone) this.#processes.delete(name)
    await Promise.all([...changed, ...added].map(process => process.start(this.#options.signal)))
    this.#publishNames()
  }

  async memory(): Promise<ReadonlyMap<string, number>> {
    const memory = new Map<string, number>()
    for (const process of this.#processes.values()) {
      const bytes = process.pid === undefined ? undefined : proportionalSetSize(process.pid)
      if (bytes !== undefined) memory.set(process.name, bytes)
    }
    return memory
  }

  async output(service: string): Promise<string> {
    return this.#processesOf(service)
      .map(process => process.output())
      .join('')
  }

  ports(): { pod: string; containerPort: number; port: number }[] {
    return this.#ports.entries()
  }

  processes(): RunningService[] {
    return [...this.#processes.values()].flatMap(({ name, pid, logFile }) =>
      pid === undefined ? [] : [{ name, pid, logFile }],
    )
  }

  async down(): Promise<void> {
    await Promise.all([...this.#processes.values()].map(process => process.stop()))
    this.#nameServer?.server.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** All replicas of a service, or the one process of that name. */
  #processesOf(service: string): ServiceProcess[] {
    const found = [...this.#processes.values()].filter(
      process => process.name === service || process.plan.service.name === service,
    )
    if (found.length === 0) throw new UserError(`there is no service ${service}; there are ${this.services.join(', ')}`)
    return found
  }

  /** Tells the resolver the addresses of the replicas that run. */
  #publishNames(present: (process: ServiceProcess) => boolean = () => true): void {
    const names = new Map<string, string[]>()
    for (const process of this.#processes.values()) {
      const { service, address } = process.plan
      if (service.replicas === undefined) continue
      const addresses = names.get(service.name) ?? []
      names.set(service.name, addresses)
      if (process.running && present(process)) addresses.push(address)
    }
    this.#nameServer?.server.publish(names)
  }

  #add(plan: ProcessPlan): ServiceProcess {
    const process = new ServiceProcess(plan, this.folder)
    process.onUnexpectedEnd = message => this.onUnexpectedEnd(message)
    this.#processes.set(process.name, process)
    return process
  }

  /** The services of the compose file that are started without being asked for. */
  async #read(variables: Readonly<Record<string, string>>): Promise<Service[]> {
    const lookup = (name: string) => variables[name] ?? process.env[name]
    this.#services = readCompose(this.#options.composeFile, lookup)
    const wanted = [...this.#services.values()].filter(service => service.profiles.length === 0)
    if (this.#nameServer === undefined && wanted.some(isScaled)) {
      const server = new NameServer()
      this.#nameServer = { server, port: await server.listen() }
    }
    if (this.#options.ports === 'fixed') await this.#fixPorts(wanted)
    return wanted
  }

  /** Finds a port for everything that services have and refer to, and a command line for each of their processes. */
  async #plan(wanted: readonly Service[]): Promise<ProcessPlan[]> {
    const all = [...this.#services.values()]
    const context: PlanContext = {
      names: {
        podOf: new Map(all.map(({ name, pod }) => [name, pod])),
        scaled: new Set(all.filter(isScaled).map(({ name }) => name)),
        resolverPort: this.#nameServer?.port,
      },
      ports: this.#ports,
      proxy: this.proxy,
      envoy: this.proxy === 'envoy' ? findEnvoy() : undefined,
      folder: this.folder,
      parsed: this.#parsedFiles,
    }
    // Once to learn which ports are needed, once more with their numbers.
    for (const service of wanted) planProcesses(service, context)
    await this.#ports.allocate()
    return wanted.flatMap(service => planProcesses(service, context))
  }

  async #fixPorts(services: readonly Service[]): Promise<void> {
    const known = new Set(this.#ports.entries().map(entry => `${entry.pod}:${entry.containerPort}`))
    for (const service of services) {
      for (const { target, published } of service.ports) {
        if (published === undefined || known.has(`${service.pod}:${target}`)) continue
        if (!(await isFree(published))) {
          const owner = portOwner(published)
          throw new UserError(
            `port ${published} of ${service.name} is taken${owner === undefined ? '' : ` by ${owner}`}: free it, or leave out --ports fixed`,
          )
        }
        this.#ports.fix(service.pod, target, published)
      }
    }
  }

  /** All at once, but what waits for others to be healthy waits for all that stands behind them. */
  async #startAll(plans: readonly ProcessPlan[], started: Map<string, Promise<void>>, total: number): Promise<void> {
    for (const plan of plans) this.#add(plan)
    const progress = () => {
      const ready = [...this.#processes.values()].filter(process => process.ready).length
      this.#options.progress(`starting ${total} processes, ${ready} ready`)
    }
    const start = (name: string): Promise<void> => {
      const running = started.get(name)
      if (running !== undefined) return running
      const promise = (async () => {
        const { service } = this.#processes.get(name)!.plan
        const waitsFor = appOf(service) === 'client' ? behind(service.name, this.#services) : []
        const others = [...this.#processes.values()].filter(({ plan }) => waitsFor.includes(plan.service.name))
        await Promise.all(others.map(other => start(other.name)))
        this.#options.signal?.throwIfAborted()
        await this.#processes.get(name)!.start(this.#options.signal)
        this.#publishNames()
        progress()
      })()
      started.set(name, promise)
      return promise
    }
    progress()
    const results = await Promise.allSettled(plans.map(plan => start(plan.name)))
    const failure = results.find(result => result.status === 'rejected')
    if (failure !== undefined) throw failure.reason
  }
}

/** All services that one needs, directly or through others. */
function behind(name: string, services: ReadonlyMap<string, Service>): string[] {
  const found = new Set<string>()
  const queue = [name]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const service = services.get(next)
    if (service === undefined) continue
    const pod = [...services.values()].filter(other => other.pod === service.pod).map(other => other.name)
    for (const other of [...pod, ...Object.keys(service.dependsOn)]) {
      if (other === name || found.has(other)) continue
      found.add(other)
      queue.push(other)
    }
  }
  return [...found]
}

/** A client begins when all others are there, however little it reads. */
function readsNoFile(service: Service): boolean {
  return service.mounts.length === 0 && appOf(service) !== 'client'
}

function isScaled({ replicas, profiles }: Service): boolean {
  return replicas !== undefined && profiles.length === 0
}

function isSame(a: ProcessPlan, b: ProcessPlan): boolean {
  const key = ({ command, args, environment, files }: ProcessPlan) =>
    JSON.stringify([command, args, environment, files])
  return key(a) === key(b)
}
