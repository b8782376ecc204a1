import { readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { isMap, isPair, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml'
import { UserError } from '../user-error.ts'
import { interpolate, type Lookup } from './interpolate.ts'
import type { DependencyCondition, Mount, PublishedPort, Service } from './service.ts'

/** Keys that say something to Docker alone: how the image is made and how long it waits. */
const DOCKERS_OWN = new Set([
  'image',
  'build',
  'healthcheck',
  'restart',
  'init',
  'stop_grace_period',
  'stop_signal',
  'labels',
  'expose',
  'logging',
  'user',
  'read_only',
  'tmpfs',
  'mem_limit',
  'cpus',
  'pull_policy',
  'platform',
  'hostname',
])
const OURS = new Set(['command', 'environment', 'network_mode', 'volumes', 'ports', 'depends_on', 'profiles', 'scale'])
const CONDITIONS = ['service_started', 'service_healthy', 'service_completed_successfully']

/**
 * Reads the services of a compose file. A key that this runner does not act on, and that is not Docker's own business, is an
 * error by name, never ignored; all of them are reported at once, as `file:line:col: what`.
 *
 * @throws UserError
 */
export function readCompose(file: string, lookup: Lookup): Map<string, Service> {
  return new ComposeReader(file, lookup).read()
}

class ComposeReader {
  readonly #file: string
  readonly #lookup: Lookup
  readonly #lines = new LineCounter()
  readonly #problems: string[] = []
  #plain: Record<string, unknown> = {}

  constructor(file: string, lookup: Lookup) {
    this.#file = file
    this.#lookup = lookup
  }

  read(): Map<string, Service> {
    const services = new Map<string, Service>()
    const root = this.#parse()
    for (const pair of pairsOf(root)) {
      if (pair.name.startsWith('x-')) continue
      if (pair.name !== 'services') this.#problem(pair.key, `${pair.name}: this key is not supported without Docker`)
    }
    const list = root === undefined ? undefined : childOf(root, 'services')
    if (!isMap(list)) this.#problem(root, 'services: expected a map of services')
    else for (const { name, value } of pairsOf(list)) services.set(name, this.#service(name, value))
    for (const service of services.values()) this.#checkReferences(service, services, list as Node)
    if (this.#problems.length > 0) throw new UserError(this.#problems.join('\n'))
    return services
  }

  #parse(): Node | undefined {
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
    } catch (error) {
      throw new UserError(`${this.#shown()}: cannot be read: ${(error as NodeJS.ErrnoException).code}`)
    }
    const document = parseDocument(text, { merge: true, lineCounter: this.#lines, prettyErrors: false })
    for (const error of document.errors) this.#problemAt(error.pos[0], error.message)
    if (this.#problems.length > 0) throw new UserError(this.#problems.join('\n'))
    visit(document, {
      Scalar: (_key, scalar) => {
        if (typeof scalar.value !== 'string') return
        try {
          scalar.value = interpolate(scalar.value, this.#lookup)
        } catch (error) {
          this.#problem(scalar, (error as Error).message)
        }
      },
    })
    // Plain values have the merge keys and aliases resolved; the nodes keep the positions for messages.
    this.#plain = (document.toJS({ maxAliasCount: 1000 }) ?? {}) as Record<string, unknown>
    return document.contents ?? undefined
  }

  #service(name: string, node: Node | undefined): Service {
    const plain = (this.#plain.services as Record<string, unknown>)[name]
    const at = `services.${name}`
    if (plain === null || typeof plain !== 'object' || Array.isArray(plain)) {
      this.#problem(node, `${at}: expected a map`)
      return { name, command: [], environment: {}, pod: name, mounts: [], ports: [], dependsOn: {}, profiles: [] }
    }
    const fields = plain as Record<string, unknown>
    for (const key of Object.keys(fields)) {
      if (key.startsWith('x-') || DOCKERS_OWN.has(key) || OURS.has(key)) continue
      this.#problem(keyNode(node, key) ?? node, `${at}.${key}: this key is not supported without Docker`)
    }
    const where = (key: string) => keyNode(node, key) ?? node
    const replicas = this.#replicas(fields.scale, where('scale'), at)
    return {
      name,
      command: this.#command(fields.command, where('command'), at),
      environment: this.#environment(fields.environment, where('environment'), at),
      pod: this.#pod(name, fields.network_mode, where('network_mode'), at),
      mounts: this.#mounts(fields.volumes, where('volumes'), at),
      ports: this.#ports(fields.ports, where('ports'), at),
      dependsOn: this.#dependsOn(fields.depends_on, where('depends_on'), at),
      profiles: list(fields.profiles).map(String),
      ...(replicas === undefined ? {} : { replicas }),
    }
  }

  #replicas(value: unknown, node: Node | undefined, at: string): number | undefined {
    if (value === undefined) return undefined
    const replicas = Number(value)
    if (Number.isInteger(replicas) && replicas >= 1 && replicas <= 50) return replicas
    this.#problem(node, `${at}.scale: expected a whole number from 1 to 50, got ${JSON.stringify(value)}`)
    return undefined
  }

  #command(value: unknown, node: Node | undefined, at: string): string[] {
    const words = typeof value === 'string' ? value.split(/\s+/).filter(word => word !== '') : list(value).map(String)
    if (/^apps\/[a-z-]+\/src\/main\.ts$/.test(words[0] ?? '')) return words
    this.#problem(node, `${at}.command: without Docker a service is one of ours: [apps/NAME/src/main.ts, …]`)
    return words
  }

  #environment(value: unknown, node: Node | undefined, at: string): Record<string, string> {
    const environment: Record<string, string> = {}
    if (Array.isArray(value)) {
      for (const item of value.map(String)) {
        const equals = item.indexOf('=')
        if (equals > 0) environment[item.slice(0, equals)] = item.slice(equals + 1)
        else environment[item] = this.#lookup(item) ?? ''
      }
    } else if (value !== null && typeof value === 'object') {
      for (const [key, item] of Object.entries(value))
        environment[key] = item === null ? (this.#lookup(key) ?? '') : String(item)
    } else if (value !== undefined) this.#problem(node, `${at}.environment: expected a map or a list of NAME=value`)
    return environment
  }

  #pod(name: string, value: unknown, node: Node | undefined, at: string): string {
    if (value === undefined) return name
    const other = /^service:(.+)$/.exec(String(value))?.[1]
    if (other !== undefined) return other
    this.#problem(node, `${at}.network_mode: expected service:NAME, got ${String(value)}`)
    return name
  }

  #mounts(value: unknown, node: Node | undefined, at: string): Mount[] {
    const mounts: Mount[] = []
    for (const item of list(value)) {
      const parts = typeof item === 'string' ? item.split(':') : []
      const [source, target] = parts
      if (source === undefined || target === undefined || !/^[./~]/.test(source)) {
        this.#problem(
          node,
          `${at}.volumes: without Docker only files and folders are mounted (./file:/path:ro), got ${JSON.stringify(item)}`,
        )
        continue
      }
      mounts.push({ source: resolve(dirname(this.#file), source), target })
    }
    return mounts
  }

  #ports(value: unknown, node: Node | undefined, at: string): PublishedPort[] {
    const ports: PublishedPort[] = []
    for (const item of list(value)) {
      if (item !== null && typeof item === 'object') {
        const { target, published } = item as { target?: unknown; published?: unknown }
        ports.push({ target: Number(target), ...(published === undefined ? {} : { published: Number(published) }) })
        continue
      }
      const parts = String(item)
        .replace(/\/tcp$/, '')
        .split(':')
      const target = Number(parts.at(-1))
      const published = parts.length > 1 ? parts.at(-2) : ''
      if (!Number.isInteger(target) || (published !== '' && !Number.isInteger(Number(published)))) {
        this.#problem(node, `${at}.ports: expected [address:][port:]port, got ${JSON.stringify(item)}`)
        continue
      }
      ports.push({ target, ...(published === '' ? {} : { published: Number(published) }) })
    }
    return ports
  }

  #dependsOn(value: unknown, node: Node | undefined, at: string): Record<string, DependencyCondition> {
    if (Array.isArray(value)) return Object.fromEntries(value.map(name => [String(name), 'service_started' as const]))
    const depends: Record<string, DependencyCondition> = {}
    for (const [name, item] of Object.entries((value ?? {}) as Record<string, { condition?: string } | null>)) {
      const condition = item?.condition ?? 'service_started'
      if (!CONDITIONS.includes(condition)) {
        this.#problem(node, `${at}.depends_on.${name}.condition: expected ${CONDITIONS.join(', ')}, got ${condition}`)
      }
      depends[name] = condition as DependencyCondition
    }
    return depends
  }

  #checkReferences(service: Service, services: Map<string, Service>, node: Node): void {
    const place = keyNode(node, service.name) ?? node
    for (const name of [service.pod, ...Object.keys(service.dependsOn)]) {
      if (!services.has(name)) this.#problem(place, `services.${service.name}: there is no service ${name}`)
    }
    if (service.pod !== service.name && services.get(service.pod)?.replicas !== undefined)
      this.#problem(place, `services.${service.name}: ${service.pod} is scaled, nothing can share its network`)
  }

  #problem(node: Node | undefined | null, text: string): void {
    this.#problemAt(node?.range?.[0] ?? 0, text)
  }

  #problemAt(offset: number, text: string): void {
    const { line, col } = this.#lines.linePos(offset)
    this.#problems.push(`${this.#shown()}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${text}`)
  }

  #shown(): string {
    const short = relative(process.cwd(), this.#file)
    return short.startsWith('..') ? this.#file : short
  }
}

function pairsOf(node: Node | undefined): { name: string; key: Node; value: Node | undefined }[] {
  if (!isMap(node)) return []
  return node.items
    .filter(pair => isPair(pair) && isScalar(pair.key))
    .map(pair => ({
      name: String((pair.key as { value: unknown }).value),
      key: pair.key as Node,
      value: (pair.value ?? undefined) as Node | undefined,
    }))
}

function childOf(node: Node, key: string): Node | undefined {
  return pairsOf(node).find(pair => pair.name === key)?.value
}

function keyNode(node: Node | undefined, key: string): Node | undefined {
  return pairsOf(node).find(pair => pair.name === key)?.key
}

function list(value: unknown): unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}
