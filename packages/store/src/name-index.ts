import type { Span } from '@hopscope/model'
import { AUTOCOMPLETE_CARDINALITY } from './store.ts'

interface ServiceNames {
  /** Traces that the service is in; its names go with the last one. */
  traces: number
  spanNames: Set<string>
  remoteServices: Set<string>
}

/** What the drop-down lists of a search form offer. */
export class NameIndex {
  #services = new Map<string, ServiceNames>()
  #autocomplete: Map<string, Set<string>>

  constructor(autocompleteKeys: readonly string[]) {
    this.#autocomplete = new Map(autocompleteKeys.map(key => [key, new Set()]))
  }

  /** One more trace holds spans of this service. */
  retain(service: string): void {
    const names = this.#services.get(service)
    if (names === undefined) this.#services.set(service, { traces: 1, spanNames: new Set(), remoteServices: new Set() })
    else names.traces++
  }

  release(service: string): void {
    const names = this.#services.get(service)
    if (names !== undefined && --names.traces === 0) this.#services.delete(service)
  }

  add(span: Span): void {
    const names = this.#services.get(span.localEndpoint?.serviceName ?? '')
    if (names !== undefined && span.name !== undefined) names.spanNames.add(span.name)
    if (names !== undefined && span.remoteEndpoint?.serviceName !== undefined) {
      names.remoteServices.add(span.remoteEndpoint.serviceName)
    }
    if (this.#autocomplete.size === 0 || span.tags === undefined) return
    for (const [key, values] of this.#autocomplete) {
      const value = span.tags[key]
      if (value !== undefined && values.size < AUTOCOMPLETE_CARDINALITY) values.add(value)
    }
  }

  services(): string[] {
    return [...this.#services.keys()].sort()
  }

  spanNames(service: string): string[] {
    return [...(this.#services.get(service)?.spanNames ?? [])].sort()
  }

  remoteServices(service: string): string[] {
    return [...(this.#services.get(service)?.remoteServices ?? [])].sort()
  }

  autocompleteValues(key: string): string[] {
    return [...(this.#autocomplete.get(key) ?? [])].sort()
  }
}
