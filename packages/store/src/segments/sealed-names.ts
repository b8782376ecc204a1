import type { StoredNames } from './names.ts'

/** Names, and of each the order of the newest segment that has it. */
type Newest = Map<string, number>

interface Service {
  newest: number
  spanNames: Newest
  /** Most services of a store with very many call none. */
  remoteServices: Newest | undefined
}

/** Below this nobody minds names of segments that are gone. */
const LEAST_PRUNED = 10_000

/**
 * What the drop-down lists of a search form offer, of all segments. Segments go oldest first, so a name is there for as long as
 * the newest segment that has it: nothing has to be counted, nor kept of each segment.
 */
export class SealedNames {
  readonly #oldest: () => number
  #services = new Map<string, Service>()
  #autocomplete = new Map<string, Newest>()
  #size = 0
  #pruneAt = LEAST_PRUNED
  #sorted: { oldest: number; services: string[] } | undefined

  /** `oldest` gives the order of the oldest segment there is. */
  constructor(oldest: () => number) {
    this.#oldest = oldest
  }

  /** Names of a segment, by the order of that segment; segments may come in any order. */
  add({ services, autocomplete }: StoredNames, order: number): void {
    for (const [name, spanNames, remoteServices] of services) {
      const service = this.#service(name, order)
      for (const spanName of spanNames) this.#renew(service.spanNames, spanName, order)
      if (remoteServices.length === 0) continue
      service.remoteServices ??= new Map()
      for (const remote of remoteServices) this.#renew(service.remoteServices, remote, order)
    }
    for (const [key, values] of autocomplete) {
      const known = this.#autocomplete.get(key) ?? new Map<string, number>()
      this.#autocomplete.set(key, known)
      for (const value of values) this.#renew(known, value, order)
    }
    if (this.#size > this.#pruneAt) this.#prune()
  }

  #service(name: string, order: number): Service {
    let service = this.#services.get(name)
    if (service === undefined) {
      service = { newest: order, spanNames: new Map(), remoteServices: undefined }
      this.#services.set(name, service)
      this.#size++
      this.#sorted = undefined
    } else if (service.newest < order) service.newest = order
    return service
  }

  #renew(names: Newest, name: string, order: number): void {
    const known = names.get(name)
    if (known === undefined) this.#size++
    if (known === undefined || known < order) names.set(name, order)
  }

  /** Lets go of names whose segments are gone. Done when there are twice as many as were left the last time. */
  #prune(): void {
    const oldest = this.#oldest()
    this.#size = 0
    const pruned = (names: Newest): number => {
      for (const [name, newest] of names) if (newest < oldest) names.delete(name)
      return names.size
    }
    for (const [name, { newest, spanNames, remoteServices }] of this.#services) {
      if (newest < oldest) this.#services.delete(name)
      else this.#size += 1 + pruned(spanNames) + (remoteServices === undefined ? 0 : pruned(remoteServices))
    }
    for (const values of this.#autocomplete.values()) this.#size += pruned(values)
    this.#pruneAt = Math.max(LEAST_PRUNED, this.#size * 2)
  }

  /** Sorted. */
  services(): readonly string[] {
    const oldest = this.#oldest()
    if (this.#sorted?.oldest !== oldest) {
      const services: string[] = []
      for (const [name, { newest }] of this.#services) if (newest >= oldest) services.push(name)
      this.#sorted = { oldest, services: services.sort() }
    }
    return this.#sorted.services
  }

  spanNames(service: string): readonly string[] {
    return this.#listed(this.#services.get(service)?.spanNames)
  }

  remoteServices(service: string): readonly string[] {
    return this.#listed(this.#services.get(service)?.remoteServices)
  }

  autocomplete(key: string): readonly string[] {
    return this.#listed(this.#autocomplete.get(key))
  }

  #listed(names: Newest | undefined): string[] {
    const oldest = this.#oldest()
    const listed: string[] = []
    for (const [name, newest] of names ?? []) if (newest >= oldest) listed.push(name)
    return listed.sort()
  }
}
