import type { Offset } from '../source/sources.ts'

/** A place in a file and in the structure: `static_resources.clusters[0].name`. */
export interface Place {
  at: Offset
  path: string
}

/** A value that has the shape its field asks for. Durations are milliseconds, enums their value's name, wrappers what they wrap. */
export type Value = Message | List | Dictionary | Scalar

export interface List extends Place {
  kind: 'list'
  items: readonly Value[]
}

/** A proto map. */
export interface Dictionary extends Place {
  kind: 'dictionary'
  entries: ReadonlyMap<string, Value>
}

/** A scalar, an enum, a duration, a struct. */
export interface Scalar extends Place {
  kind: 'scalar'
  value: unknown
  /** As proto JSON writes it. */
  json: unknown
}

export interface Field {
  /** Where the key is. */
  keyAt: Offset
  value: Value
}

/** A message of the file with typed access to its fields, by their proto names. What is absent or had a problem gives the default. */
export class Message implements Place {
  readonly kind = 'message'
  /** Full name; of an Any, the name of what is in it. */
  readonly type: string
  readonly at: Offset
  readonly path: string
  readonly fields: Map<string, Field>
  /** Fields that are in the file but could not be read: their problem is noted already. */
  readonly broken: Set<string>
  /** Written as an Any, with `@type`. */
  readonly any: boolean

  constructor(type: string, place: Place, any = false) {
    this.type = type
    this.at = place.at
    this.path = place.path
    this.any = any
    this.fields = new Map()
    this.broken = new Set()
  }

  has(name: string): boolean {
    return this.fields.has(name)
  }

  /** Where a field is, or would be. */
  place(name: string): Place {
    const field = this.fields.get(name)
    return { at: field?.keyAt ?? this.at, path: this.path === '' ? name : `${this.path}.${name}` }
  }

  /** Where the value of a field is. */
  valuePlace(name: string): Place {
    return { at: this.fields.get(name)?.value.at ?? this.at, path: this.place(name).path }
  }

  string(name: string): string
  string<D>(name: string, absent: D): string | D
  string(name: string, absent: unknown = ''): unknown {
    return this.#scalar(name) ?? absent
  }

  boolean(name: string, absent = false): boolean {
    return (this.#scalar(name) as boolean | undefined) ?? absent
  }

  number(name: string, absent = 0): number {
    return Number(this.#scalar(name) ?? absent)
  }

  /** Milliseconds. */
  duration(name: string): number | undefined
  duration(name: string, absent: number): number
  duration(name: string, absent?: number): number | undefined {
    return (this.#scalar(name) as number | undefined) ?? absent
  }

  bytes(name: string): Uint8Array | undefined {
    return this.#scalar(name) as Uint8Array | undefined
  }

  /** An enum's value by name; a number that the enum does not define stays a number. */
  enum<T extends string>(name: string, absent: T): T {
    return (this.#scalar(name) as T | undefined) ?? absent
  }

  /** The plain content of a Struct or Value. */
  plain(name: string): unknown {
    return this.#scalar(name)
  }

  message(name: string): Message | undefined {
    const value = this.fields.get(name)?.value
    return value?.kind === 'message' ? value : undefined
  }

  messages(name: string): readonly Message[] {
    return this.#list(name).filter(item => item.kind === 'message')
  }

  strings(name: string): readonly string[] {
    return this.scalars(name).map(item => String(item.value))
  }

  scalars(name: string): readonly Scalar[] {
    return this.#list(name).filter(item => item.kind === 'scalar')
  }

  entries(name: string): ReadonlyMap<string, Value> {
    const value = this.fields.get(name)?.value
    return value?.kind === 'dictionary' ? value.entries : new Map()
  }

  #scalar(name: string): unknown {
    const value = this.fields.get(name)?.value
    return value?.kind === 'scalar' ? value.value : undefined
  }

  #list(name: string): readonly Value[] {
    const value = this.fields.get(name)?.value
    return value?.kind === 'list' ? value.items : []
  }
}
