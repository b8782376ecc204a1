import { readFileSync, rmSync } from 'node:fs'
import { readCompose } from '../compose/read-compose.ts'
import { appOf, type Service } from '../compose/service.ts'
import { UserError } from '../user-error.ts'
import { findEnvoy } from './find-envoy.ts'
import type { Mesh, MeshOptions } from './mesh.ts'
import { isFree, PortMap } from './port-map.ts'
import { portOwner } from './port-owner.ts'
import { type PlanContext, type ProcessPlan, planProcess } from './process-plan.ts'
import { makeRunFolder } from './run-folder.ts'
import { ServiceProcess } from './service-process.ts'

export interface ProcessMesh extends Mesh {
  readonly folder: string
  /** What stands for what: pod, port in the container, port here. */
  ports(): { pod: string; containerPort: number; port: number }[]
  processes(): RunningService[]
  /** A service ended by itself. */
  onUnexpectedEnd: (message: string) => void
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
  #services: ReadonlyMap<string, Service> = new Map()
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
    const plans = await this.#plan()
    for (const plan of plans) this.#add(plan)
    await this.#startAll(plans)
  }

  address(service: string, containerPort: number): string {
    const pod = this.#services.get(service)?.pod
    const found = this.#ports.entries().find(entry => entry.pod === pod && entry.containerPort === containerPort)
    if (found === undefined) throw new UserError(`${service} has no port ${containerPort}`)
    return `http://127.0.0.1:${found.port}`
  }

  async stop(service: string): Promise<void> {
    await this.#process(service).stop()
  }

  async start(service: string): Promise<void> {
    await this.#process(service).start(this.#options.signal)
  }

  async set(variables: Readonly<Record<string, string>>): Promise<void> {
    this.#variables = { ...this.#variables, ...variables }
    const changed: ServiceProcess[] = []
    for (const plan of await this.#plan()) {
      const process = this.#processes.get(plan.service.name) ?? this.#add(plan)
      if (isSame(process.plan, plan)) continue
      process.plan = plan
      changed.push(process)
    }
    await Promise.all(changed.map(process => process.stop()))
    await Promise.all(changed.map(process => process.start(this.#options.signal)))
  }

  async memory(): Promise<ReadonlyMap<string, number>> {
    const memory = new Map<string, number>()
    for (const process of this.#processes.values()) {
      if (process.pid === undefined) continue
      try {
        const rollup = readFileSync(`/proc/${process.pid}/smaps_rollup`, 'utf8')
        memory.set(process.name, Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) * 1024)
      } catch {
        // not Linux, or ended meanwhile
      }
    }
    return memory
  }

  async output(service: string): Promise<string> {
    return this.#process(service).output()
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
    rmSync(this.folder, { recursive: true, force: true })
  }

  #process(service: string): ServiceProcess {
    const process = this.#processes.get(service)
    if (process === undefined)
      throw new UserError(`there is no service ${service}; there are ${this.services.join(', ')}`)
    return process
  }

  #add(plan: ProcessPlan): ServiceProcess {
    const process = new ServiceProcess(plan, this.folder)
    process.onUnexpectedEnd = message => this.onUnexpectedEnd(message)
    this.#processes.set(process.name, process)
    return process
  }

  /** Reads the compose file and finds a port for everything in it. */
  async #plan(): Promise<ProcessPlan[]> {
    const lookup = (name: string) => this.#variables[name] ?? process.env[name]
    this.#services = readCompose(this.#options.composeFile, lookup)
    const wanted = [...this.#services.values()].filter(service => service.profiles.length === 0)
    const context: PlanContext = {
      services: this.#services,
      ports: this.#ports,
      proxy: this.proxy,
      envoy: this.proxy === 'envoy' ? findEnvoy() : undefined,
      folder: this.folder,
    }
    if (this.#options.ports === 'fixed') await this.#fixPorts(wanted)
    // Once to learn which ports are needed, once more with their numbers.
    for (const service of wanted) planProcess(service, context)
    await this.#ports.allocate()
    return wanted.map(service => planProcess(service, context))
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
  async #startAll(plans: readonly ProcessPlan[]): Promise<void> {
    const started = new Map<string, Promise<void>>()
    let ready = 0
    const progress = () => this.#options.progress(`starting ${plans.length} processes, ${ready} ready`)
    const start = (name: string): Promise<void> => {
      const running = started.get(name)
      if (running !== undefined) return running
      const promise = (async () => {
        const { service } = this.#processes.get(name)!.plan
        const waitsFor = appOf(service) === 'client' ? behind(name, this.#services) : []
        await Promise.all(waitsFor.filter(other => this.#processes.has(other)).map(start))
        this.#options.signal?.throwIfAborted()
        await this.#processes.get(name)!.start(this.#options.signal)
        ready++
        progress()
      })()
      started.set(name, promise)
      return promise
    }
    progress()
    const results = await Promise.allSettled(plans.map(plan => start(plan.service.name)))
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

function isSame(a: ProcessPlan, b: ProcessPlan): boolean {
  const key = ({ command, args, environment, files }: ProcessPlan) =>
    JSON.stringify([command, args, environment, files])
  return key(a) === key(b)
}
