/** Asks for the port of this machine that stands for a port of a pod. */
export type PortOf = (pod: string, containerPort: number) => number

/** Docker's resolver, as every container sees it. */
const DOCKERS_RESOLVER = '127.0.0.11'

/** The address of this machine that the n-th of several replicas has (n from 1). */
export function replicaAddress(n: number): string {
  return `127.0.1.${n}`
}

export interface Names {
  /** The pod of each service. */
  podOf: ReadonlyMap<string, string>
  /** Services of which there are several: a resolver knows them, and Envoy files go on calling them by name. */
  scaled: ReadonlySet<string>
  /** Port on 127.0.0.1 of the resolver for them. */
  resolverPort: number | undefined
}

/** What an address means inside one pod: service names are other pods, loopback and the wildcard are the pod itself. */
export class Translator {
  readonly #pod: string
  readonly #names: Names
  /** What loopback and the wildcard become. */
  readonly #own: string
  readonly #portOf: PortOf
  readonly #addresses: RegExp

  constructor(pod: string, names: Names, portOf: PortOf, own = '127.0.0.1') {
    this.#pod = pod
    this.#names = names
    this.#own = own
    this.#portOf = portOf
    const hosts = [...names.podOf.keys(), 'localhost', '127.0.0.1', '0.0.0.0'].map(name =>
      name.replace(/[.-]/g, '\\$&'),
    )
    this.#addresses = new RegExp(
      `(?<![\\w.-])(${hosts.sort((a, b) => b.length - a.length).join('|')}):(\\d{1,5})(?![\\d.])`,
      'g',
    )
  }

  /**
   * Every `host:port` of the mesh in a text: `http://db:8080/x` → `http://127.0.0.1:20013/x`. A host without a port
   * (`http://db/`) is a name for a proxy to route by and stays.
   */
  text(text: string): string {
    return text.replace(
      this.#addresses,
      (_whole, host: string, port: string) => `${this.#address(host)}:${this.#port(host, Number(port))}`,
    )
  }

  /** An environment value; a variable named …PORT holds a port of the pod itself, one named …HOST may hold the wildcard. */
  environment(name: string, value: string): string {
    if (/(^|_)PORT$/.test(name) && /^\d+$/.test(value)) return String(this.#port('127.0.0.1', Number(value)))
    if (/(^|_)HOST$/.test(name) && value === '0.0.0.0') return this.#own
    return this.text(value)
  }

  /** An Envoy configuration: only the `socket_address`es change, in a copy. */
  envoy(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(item => this.envoy(item))
    if (value === null || typeof value !== 'object') return value
    const copy: Record<string, unknown> = {}
    for (const [key, item] of Object.entries(value)) {
      copy[key] = key === 'socket_address' || key === 'socketAddress' ? this.#socketAddress(item) : this.envoy(item)
    }
    return copy
  }

  #socketAddress(value: unknown): unknown {
    if (value === null || typeof value !== 'object') return value
    const { address, port_value, portValue, ...rest } = value as Record<string, unknown>
    const port = Number(port_value ?? portValue)
    const { podOf, scaled, resolverPort } = this.#names
    if (address === DOCKERS_RESOLVER && port === 53 && resolverPort !== undefined)
      return { ...rest, address: '127.0.0.1', port_value: resolverPort }
    const ours =
      typeof address === 'string' && (podOf.has(address) || ['127.0.0.1', '0.0.0.0', 'localhost'].includes(address))
    if (!ours || !Number.isInteger(port) || port <= 0) return value
    return {
      ...rest,
      address: scaled.has(address) ? address : this.#address(address),
      port_value: this.#port(address, port),
    }
  }

  /** Of several replicas the first: who wants all of them asks the resolver. */
  #address(host: string): string {
    if (this.#names.scaled.has(host)) return replicaAddress(1)
    return this.#names.podOf.has(host) ? '127.0.0.1' : this.#own
  }

  #port(host: string, port: number): number {
    return this.#portOf(this.#names.podOf.get(host) ?? this.#pod, port)
  }
}
