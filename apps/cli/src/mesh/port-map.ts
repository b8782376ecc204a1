import { isFreeAt, reservePort } from './reserve-port.ts'
import { replicaAddress } from './translate.ts'

/**
 * Which port of this machine stands for which port of which pod. Asked twice: first everything that is needed is noted,
 * then `allocate` finds ports, then the same questions get their answers.
 */
export class PortMap {
  readonly #ports = new Map<string, number>()
  readonly #needed = new Set<string>()
  /** Where the search for free ports goes on. */
  #next = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT))

  /** The port of this machine; 0 when it has not been allocated yet (it will be by the next `allocate`). */
  port(pod: string, containerPort: number): number {
    const key = `${pod}:${containerPort}`
    const known = this.#ports.get(key)
    if (known === undefined) this.#needed.add(key)
    return known ?? 0
  }

  fix(pod: string, containerPort: number, port: number): void {
    this.#ports.set(`${pod}:${containerPort}`, port)
  }

  async allocate(): Promise<void> {
    for (const key of this.#needed) this.#ports.set(key, await this.#freePort())
    this.#needed.clear()
  }

  entries(): { pod: string; containerPort: number; port: number }[] {
    return [...this.#ports].map(([key, port]) => {
      const colon = key.lastIndexOf(':')
      return { pod: key.slice(0, colon), containerPort: Number(key.slice(colon + 1)), port }
    })
  }

  async #freePort(): Promise<number> {
    const taken = new Set(this.#ports.values())
    for (let tries = 0; tries < LAST_PORT - FIRST_PORT; tries++) {
      const port = this.#next
      this.#next = this.#next >= LAST_PORT ? FIRST_PORT : this.#next + 1
      if (!taken.has(port) && (await reservePort(port, HOSTS)) !== undefined) return port
    }
    throw new Error('no free port was found')
  }
}

// Below the range from which the kernel takes ports for outgoing connections (32768 on Linux): between the choice of a port
// and its service's start, no connection of the mesh itself can take it away.
const FIRST_PORT = 20_000
const LAST_PORT = 32_000

/** Where services listen: all of them, and the first of those that a service with replicas has. */
const HOSTS = ['127.0.0.1', replicaAddress(1)]

/** On 127.0.0.1, and where the replicas of a service begin. */
export async function isFree(port: number): Promise<boolean> {
  return (await Promise.all(HOSTS.map(host => isFreeAt(port, host)))).every(Boolean)
}
