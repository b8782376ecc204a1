import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual, promisify } from 'node:util'
import { parse } from 'yaml'
import { readCompose } from '../compose/read-compose.ts'
import { appOf, type Service } from '../compose/service.ts'
import { UserError } from '../user-error.ts'
import type { Mesh, MeshOptions } from './mesh.ts'
import { proportionalSetSize } from './proportional-set-size.ts'

const run = promisify(execFile)

/**
 * Runs a compose file with `docker compose` (or the older `docker-compose`), as its author wrote it; beside it an override
 * that publishes every port that a verification needs on a free port of 127.0.0.1.
 *
 * @throws UserError when there is no engine, or compose says no
 */
export async function startDockerMesh(options: MeshOptions): Promise<Mesh> {
  if (options.proxy === 'envoy')
    throw new UserError('--docker runs the image of the compose file: it cannot be combined with --proxy envoy')
  const mesh = new DockerMesh(options, await findCompose())
  try {
    await mesh.up()
    return mesh
  } catch (error) {
    await mesh.down()
    throw error
  }
}

async function findCompose(): Promise<readonly string[]> {
  try {
    await run('docker', ['version'])
  } catch {
    throw new UserError('no Docker engine answers: start one, or leave out --docker')
  }
  for (const [command, ...first] of [['docker', 'compose'], ['docker-compose']] as const) {
    try {
      await run(command, [...first, 'version'])
      return [command, ...first]
    } catch {
      // the next one
    }
  }
  throw new UserError('neither docker compose nor docker-compose is here: install one, or leave out --docker')
}

/** Images that this process has built; a series of scenarios builds each once. */
const built = new Set<string>()

interface ComposeService {
  image?: string
  build?: unknown
}

class DockerMesh implements Mesh {
  readonly kind = 'docker'
  readonly proxy = 'hopscope'
  /** Never called: the engine keeps its own watch, and compose shows it. */
  onUnexpectedEnd: (message: string) => void = () => {}
  readonly #options: MeshOptions
  readonly #compose: readonly string[]
  readonly #project = `hopscope-${process.pid}-${Date.now().toString(36)}`
  readonly #folder = mkdtempSync(join(tmpdir(), 'hopscope-compose-'))
  #variables: Readonly<Record<string, string>>
  #services: ReadonlyMap<string, Service> = new Map()
  readonly #addresses = new Map<string, string>()
  /** Listeners of proxies that other pods can reach, as `pod:port`. */
  readonly #listeners = new Set<string>()

  constructor(options: MeshOptions, compose: readonly string[]) {
    this.#options = options
    this.#compose = compose
    this.#variables = options.variables
  }

  get services(): string[] {
    return [...this.#services.values()].filter(service => service.profiles.length === 0).map(service => service.name)
  }

  async up(): Promise<void> {
    this.#services = this.#read()
    this.#writeOverride()
    const builds = this.#builds()
    if (builds.size > 0) {
      this.#options.progress('building the image')
      await this.#run('build', ...builds.values())
    }
    for (const image of builds.keys()) built.add(image)
    this.#options.signal?.throwIfAborted()
    this.#options.progress(`starting ${this.services.length} containers`)
    await this.#run('up', '-d', '--no-build')
    this.#options.signal?.throwIfAborted()
    await this.#findAddresses()
    await this.#untilReady()
  }

  address(service: string, containerPort: number): string {
    const pod = this.#services.get(service)?.pod
    const address = this.#addresses.get(`${pod}:${containerPort}`)
    if (address === undefined) throw new UserError(`${service} has no port ${containerPort} that is published`)
    return `http://${address}`
  }

  async stop(service: string): Promise<void> {
    await this.#run('stop', '-t', '3', service)
  }

  async start(service: string): Promise<void> {
    await this.#run('start', service)
    await this.#findAddresses()
    await this.#untilReady()
  }

  async set(variables: Readonly<Record<string, string>>): Promise<void> {
    const before = this.#services
    this.#variables = { ...this.#variables, ...variables }
    this.#services = this.#read()
    const changed: Service[] = []
    const scaled: string[] = []
    for (const service of this.#services.values()) {
      const { replicas, ...rest } = service
      const { replicas: replicasBefore, ...restBefore } = before.get(service.name) ?? { name: '' }
      if (!isDeepStrictEqual(rest, restBefore)) changed.push(service)
      else if (replicas !== replicasBefore) scaled.push(service.name)
    }
    // Those that stay are not touched.
    if (scaled.length > 0) await this.#run('up', '-d', '--no-build', '--no-deps', '--no-recreate', ...scaled)
    if (changed.length === 0) return
    // The whole pod: a container in the network namespace of another does not follow it into a new one.
    const pods = new Set(changed.map(service => service.pod))
    const services = this.services.filter(name => pods.has(this.#services.get(name)!.pod))
    // Those that share a network go first, as long as there is one: nobody hears of their end afterwards, and whoever has a
    // connection to them goes on using it, until the next container of that address resets it.
    const guests = services.filter(name => this.#services.get(name)!.pod !== name)
    if (guests.length > 0) await this.#run('stop', '-t', '3', ...guests)
    await this.#run('up', '-d', '--no-build', '--no-deps', '--force-recreate', ...services)
    await this.#findAddresses()
    await this.#untilReady()
  }

  /** Of the engine's containers on this machine, when it lets us look at their processes; elsewhere nothing is known. */
  async memory(): Promise<ReadonlyMap<string, number>> {
    const memory = new Map<string, number>()
    const label = (name: string) => `{{index .Config.Labels "com.docker.compose.${name}"}}`
    try {
      const ids = (await this.#run('ps', '-q')).trim().split('\n')
      const format = `{{.State.Pid}} ${label('service')} ${label('container-number')}`
      const { stdout } = await run('docker', ['inspect', '--format', format, ...ids])
      for (const line of stdout.trim().split('\n')) {
        const [pid, service = '', number] = line.split(' ')
        const bytes = proportionalSetSize(Number(pid))
        if (bytes !== undefined) memory.set(number === '1' ? service : `${service}-${number}`, bytes)
      }
    } catch {
      // A figure of the report is missing, and nothing else.
    }
    return memory
  }

  async output(service: string): Promise<string> {
    return this.#run('logs', '--no-color', service)
  }

  async down(): Promise<void> {
    // Who interrupts `up` may leave the engine making a container that the first `down` does not see yet.
    for (let tries = 0; tries < 3; tries++) {
      await this.#run('down', '-v', '-t', '3').catch(() => {})
      const left = await run('docker', ['ps', '-aq', '--filter', `label=com.docker.compose.project=${this.#project}`])
        .then(({ stdout }) => stdout.trim() !== '')
        .catch(() => false)
      if (!left) break
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #read(): ReadonlyMap<string, Service> {
    return readCompose(this.#options.composeFile, name => this.#variables[name] ?? process.env[name])
  }

  /** Published ports become free ones, and the admin ports of sidecars are published as well. */
  #writeOverride(): void {
    const ports = new Map<string, Set<number>>()
    const add = (pod: string, port: number) => ports.set(pod, (ports.get(pod) ?? new Set()).add(port))
    for (const service of this.#services.values()) {
      for (const { target } of service.ports) add(service.pod, target)
      for (const port of reachableListeners(service)) {
        add(service.pod, port)
        this.#listeners.add(`${service.pod}:${port}`)
      }
    }
    const document = parse(readFileSync(this.#options.composeFile, 'utf8'), { merge: true }) as {
      services: Record<string, Record<string, unknown>>
    }
    for (const [name, service] of Object.entries(document.services)) {
      const wanted = [...(ports.get(name) ?? [])]
      if (wanted.length > 0) service.ports = wanted.map(port => `127.0.0.1::${port}`)
      else delete service.ports
      const build = service.build as { context?: string } | undefined
      if (build?.context !== undefined) build.context = join(dirname(this.#options.composeFile), build.context)
      if (Array.isArray(service.volumes)) {
        service.volumes = service.volumes.map(volume =>
          String(volume).replace(/^\.{1,2}\//, found => join(dirname(this.#options.composeFile), found, '/')),
        )
      }
    }
    writeFileSync(this.#file, JSON.stringify(document, null, 1))
  }

  /** The images that are still to be built, each with one of the services that use it: a second one would only find it built. */
  #builds(): Map<string, string> {
    const { services } = JSON.parse(readFileSync(this.#file, 'utf8')) as { services: Record<string, ComposeService> }
    const found = new Map<string, string>()
    for (const [name, { image, build }] of Object.entries(services)) {
      const key = JSON.stringify([image, build])
      // Without a name of its own an image is one service's alone, of one project.
      if (build !== undefined && (image === undefined || !(built.has(key) || found.has(key))))
        found.set(image === undefined ? `${this.#project} ${name}` : key, name)
    }
    return found
  }

  get #file(): string {
    return join(this.#folder, 'compose.yaml')
  }

  async #findAddresses(): Promise<void> {
    this.#addresses.clear()
    const document = JSON.parse(readFileSync(this.#file, 'utf8')) as { services: Record<string, { ports?: string[] }> }
    for (const [name, service] of Object.entries(document.services)) {
      if ((this.#services.get(name)?.profiles.length ?? 0) > 0) continue
      for (const port of service.ports ?? []) {
        const containerPort = Number(port.split(':').at(-1))
        const address = (await this.#run('port', name, String(containerPort))).trim()
        if (address !== '') this.#addresses.set(`${name}:${containerPort}`, address)
      }
    }
  }

  /** Every published port answers over HTTP; what stands behind a proxy's listener does as well. */
  async #untilReady(): Promise<void> {
    const deadline = Date.now() + 60_000
    for (const [place, address] of this.#addresses) {
      const isReady = this.#listeners.has(place)
        ? (status: number) => status > 0 && status !== 503
        : (status: number) => status > 0
      while (!isReady(await statusOf(`http://${address}/health`))) {
        this.#options.signal?.throwIfAborted()
        if (Date.now() > deadline) {
          const lines = (await this.output(place.split(':')[0]!)).trimEnd().split('\n').slice(-8)
          throw new UserError(`${place} did not answer in 60 s. Its last words:\n${lines.join('\n')}`)
        }
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    }
  }

  async #run(...args: string[]): Promise<string> {
    const [command, ...first] = this.#compose
    try {
      const { stdout } = await run(command!, [...first, '-p', this.#project, '-f', this.#file, ...args], {
        env: { ...process.env, COMPOSE_ANSI: 'never', ...this.#variables },
        maxBuffer: 64 * 1024 * 1024,
      })
      return stdout
    } catch (error) {
      const { stderr, stdout } = error as { stderr?: string; stdout?: string }
      const lines = `${stdout ?? ''}${stderr ?? ''}`.trimEnd().split('\n').slice(-15).join('\n')
      throw new UserError(`${this.#compose.join(' ')} ${args.join(' ')} failed:\n${lines}`)
    }
  }
}

/** Ports on which the Envoy file of a sidecar listens for others, not only for its own pod. */
function reachableListeners(service: Service): number[] {
  if (appOf(service) !== 'sidecar') return []
  const mount = service.mounts.find(({ target }) => service.command.includes(target))
  if (mount === undefined) return []
  const config = parse(readFileSync(mount.source, 'utf8'), { merge: true }) as {
    static_resources?: { listeners?: { address?: { socket_address?: { address?: string; port_value?: number } } }[] }
  } | null
  return (config?.static_resources?.listeners ?? [])
    .map(listener => listener.address?.socket_address)
    .filter(address => address?.address === '0.0.0.0')
    .map(address => Number(address?.port_value))
}

/** 0: no answer. The question leaves no span. */
async function statusOf(url: string): Promise<number> {
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.timeout(2000),
      redirect: 'manual',
      headers: { 'x-b3-sampled': '0' },
    })
    await answer.arrayBuffer()
    return answer.status
  } catch {
    return 0
  }
}
