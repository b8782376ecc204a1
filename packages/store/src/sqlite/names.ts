import type { Span } from '@hopscope/model'
import type { Database } from 'better-sqlite3'
import { AUTOCOMPLETE_CARDINALITY } from '../store.ts'

interface Service {
  id: number
  parts: number
  /** `parts` differs from what the table says. */
  changed: boolean
  spanNames: Set<string>
  remoteServices: Set<string>
}

/**
 * The name tables, with a copy in memory: a span almost never brings a new name, and lists are read from the copy.
 * Changes are written in the caller's transaction; after a rollback the caller makes a new one from the tables.
 */
export class Names {
  #services = new Map<string, Service>()
  #byId = new Map<number, string>()
  #autocomplete: Map<string, Set<string>>
  #insertService
  #updateParts
  #deleteService
  #deleteSpanNames
  #deleteRemoteServices
  #insertSpanName
  #insertRemoteService
  #insertAutocomplete

  constructor(database: Database, autocompleteKeys: readonly string[]) {
    this.#insertService = database.prepare<[string]>('insert into service (name, parts) values (?, 0)')
    this.#updateParts = database.prepare<[number, number]>('update service set parts = ? where id = ?')
    this.#deleteService = database.prepare<[number]>('delete from service where id = ?')
    this.#deleteSpanNames = database.prepare<[number]>('delete from span_name where service = ?')
    this.#deleteRemoteServices = database.prepare<[number]>('delete from remote_service where service = ?')
    this.#insertSpanName = database.prepare<[number, string]>('insert or ignore into span_name values (?, ?)')
    this.#insertRemoteService = database.prepare<[number, string]>('insert or ignore into remote_service values (?, ?)')
    this.#insertAutocomplete = database.prepare<[string, string]>('insert or ignore into autocomplete values (?, ?)')

    const services = database.prepare<[], { id: number; name: string; parts: number }>('select * from service').all()
    for (const { id, name, parts } of services) this.#remember(id, name, parts)
    const spanNames = database.prepare<[], { service: number; name: string }>('select * from span_name').all()
    for (const { service, name } of spanNames) this.#service(service)?.spanNames.add(name)
    const remotes = database.prepare<[], { service: number; name: string }>('select * from remote_service').all()
    for (const { service, name } of remotes) this.#service(service)?.remoteServices.add(name)

    this.#autocomplete = new Map(autocompleteKeys.map(key => [key, new Set()]))
    const values = database.prepare<[], { key: string; value: string }>('select * from autocomplete').all()
    for (const { key, value } of values) this.#autocomplete.get(key)?.add(value)
  }

  /** Indexes the spans of one part and returns the id of their service. */
  add(service: string, spans: readonly Span[]): number {
    let known = this.#services.get(service)
    if (known === undefined) {
      known = this.#remember(Number(this.#insertService.run(service).lastInsertRowid), service, 0)
    }
    known.parts++
    known.changed = true
    for (const span of spans) {
      const { name, remoteEndpoint } = span
      if (name !== undefined && !known.spanNames.has(name)) {
        known.spanNames.add(name)
        this.#insertSpanName.run(known.id, name)
      }
      const remote = remoteEndpoint?.serviceName
      if (remote !== undefined && !known.remoteServices.has(remote)) {
        known.remoteServices.add(remote)
        this.#insertRemoteService.run(known.id, remote)
      }
    }
    return known.id
  }

  addTags(spans: readonly Span[]): void {
    for (const [key, values] of this.#autocomplete) {
      for (const { tags } of spans) {
        const value = tags?.[key]
        if (value === undefined || values.has(value) || values.size >= AUTOCOMPLETE_CARDINALITY) continue
        values.add(value)
        this.#insertAutocomplete.run(key, value)
      }
    }
  }

  /** `parts` parts of a service were evicted. */
  release(id: number, parts: number): void {
    const service = this.#service(id)
    if (service === undefined) return
    service.parts -= parts
    service.changed = true
  }

  /** Writes the counts that changed; a service without parts goes, with its names. */
  flush(): void {
    for (const [name, service] of this.#services) {
      if (!service.changed) continue
      service.changed = false
      if (service.parts > 0) {
        this.#updateParts.run(service.parts, service.id)
        continue
      }
      this.#services.delete(name)
      this.#byId.delete(service.id)
      this.#deleteService.run(service.id)
      this.#deleteSpanNames.run(service.id)
      this.#deleteRemoteServices.run(service.id)
    }
  }

  id(service: string): number | undefined {
    return this.#services.get(service)?.id
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

  #service(id: number): Service | undefined {
    const name = this.#byId.get(id)
    return name === undefined ? undefined : this.#services.get(name)
  }

  #remember(id: number, name: string, parts: number): Service {
    const service = { id, parts, changed: false, spanNames: new Set<string>(), remoteServices: new Set<string>() }
    this.#services.set(name, service)
    this.#byId.set(id, name)
    return service
  }
}
