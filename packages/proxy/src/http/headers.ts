import { INLINE_REQUEST_HEADERS, INLINE_RESPONSE_HEADERS } from './inline-headers.ts'

/**
 * Header fields in their order, names in lower case, as Envoy's header map: a repeated field is several entries.
 * The only way the rest of the proxy touches headers, so that its representation can change.
 */
export class HeaderMap {
  /** name, value, name, value, … */
  #list: string[]
  /** The bits of all names that are or were here. */
  #bits = 0

  constructor(list: string[] = []) {
    this.#list = list
    for (let i = 0; i < list.length; i += 2) this.#bits |= bitOf(list[i]!)
  }

  /** Index of its first entry, or -1. Most fields that are asked for are absent: that answer must cost next to nothing. */
  #find(name: string): number {
    if ((this.#bits & bitOf(name)) === 0) return -1
    const list = this.#list
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) return i
    return -1
  }

  #push(name: string, value: string): void {
    this.#bits |= bitOf(name)
    this.#list.push(name, value)
  }

  /** The first value. */
  get(name: string): string | undefined {
    const at = this.#find(name)
    return at === -1 ? undefined : this.#list[at + 1]
  }

  getAll(name: string): string[] {
    const values: string[] = []
    const list = this.#list
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) values.push(list[i + 1]!)
    return values
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  /** Adds an entry after the others. */
  append(name: string, value: string): void {
    this.#push(name, value)
  }

  /** As `append`, but a name of `joined` that is here already gets the value behind a comma. */
  add(name: string, value: string, joined: ReadonlySet<string>): void {
    // Hardly any name comes twice: the set is rarely asked.
    if ((this.#bits & bitOf(name)) !== 0 && joined.has(name)) this.appendJoined(name, value, ',')
    else this.#push(name, value)
  }

  /** Adds to the first entry's value with `separator`, or a new entry: how Envoy treats the fields that it knows by name. */
  appendJoined(name: string, value: string, separator: string): void {
    const list = this.#list
    const at = this.#find(name)
    if (at === -1) this.#push(name, value)
    else list[at + 1] = list[at + 1] === '' ? value : `${list[at + 1]}${separator}${value}`
  }

  /** The entries as lines, in latin1: `name: value\r\n…`; `spell` writes a name in another way. */
  format(spell?: (name: string) => string): string {
    const list = this.#list
    let text = ''
    if (spell === undefined) for (let i = 0; i < list.length; i += 2) text += `${list[i]}: ${list[i + 1]}\r\n`
    else for (let i = 0; i < list.length; i += 2) text += `${spell(list[i]!)}: ${list[i + 1]}\r\n`
    return text
  }

  /** Gives every entry to `out`. */
  write(out: { field(name: string, value: string): void }, spell?: (name: string) => string): void {
    const list = this.#list
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i]!
      out.field(spell === undefined ? name : spell(name), list[i + 1]!)
    }
  }

  /** One entry with this value: where the first one stood when Envoy knows the field by name, else after the others. */
  set(name: string, value: string): void {
    const at = this.#find(name)
    if (at === -1) this.#push(name, value)
    else if (this.isInline(name)) {
      this.#list[at + 1] = value
      this.#removeFrom(at + 2, name)
    } else {
      this.#removeFrom(at, name)
      this.#push(name, value)
    }
  }

  protected isInline(_name: string): boolean {
    return true
  }

  remove(name: string): boolean {
    const at = this.#find(name)
    return at !== -1 && this.#removeFrom(at, name)
  }

  /** Every entry whose name is in the set, in one pass. */
  removeAll(names: NameSet): void {
    if ((this.#bits & names.bits) === 0) return
    const list = this.#list
    let kept = 0
    for (let i = 0; i < list.length; i += 2) {
      if (names.has(list[i]!)) continue
      if (kept !== i) {
        list[kept] = list[i]!
        list[kept + 1] = list[i + 1]!
      }
      kept += 2
    }
    this.#cut(kept)
  }

  /** Every entry whose name is so. True: there was one. */
  removeWhere(isSo: (name: string) => boolean): boolean {
    const names: string[] = []
    for (const [name] of this) if (isSo(name)) names.push(name)
    this.removeAll(new NameSet(names))
    return names.length > 0
  }

  #removeFrom(start: number, name: string): boolean {
    const list = this.#list
    let kept = start
    for (let i = start; i < list.length; i += 2) {
      if (list[i] === name) continue
      list[kept] = list[i]!
      list[kept + 1] = list[i + 1]!
      kept += 2
    }
    return this.#cut(kept)
  }

  /** Drops the entries from `length` on. True: there were some. */
  #cut(length: number): boolean {
    const list = this.#list
    const found = list.length > length
    // `pop`, because setting `length` is a call into the engine.
    while (list.length > length) list.pop()
    return found
  }

  /** Of all names and values. */
  get byteSize(): number {
    let size = 0
    for (const text of this.#list) size += text.length
    return size
  }

  get size(): number {
    return this.#list.length / 2
  }

  *[Symbol.iterator](): Generator<[name: string, value: string]> {
    for (let i = 0; i < this.#list.length; i += 2) yield [this.#list[i]!, this.#list[i + 1]!]
  }

  /** A copy: name, value, name, value, … */
  protected entries(): string[] {
    return this.#list.slice()
  }

  protected replaceEntries(list: string[]): void {
    this.#list = list
    this.#bits = 0
    for (let i = 0; i < list.length; i += 2) this.#bits |= bitOf(list[i]!)
  }

  clone(): HeaderMap {
    return new HeaderMap(this.entries())
  }
}

/** Names of fields, in lower case, to be looked for in header maps. */
export class NameSet {
  /** Of all names. */
  readonly bits: number = 0
  readonly #names: ReadonlySet<string>

  constructor(names: Iterable<string>) {
    this.#names = new Set(names)
    for (const name of this.#names) this.bits |= bitOf(name)
  }

  has(name: string): boolean {
    return (this.bits & bitOf(name)) !== 0 && this.#names.has(name)
  }
}

/** One of 32, by length and last letter. */
function bitOf(name: string): number {
  return 1 << (name.length + name.charCodeAt(name.length - 1))
}

/** A request's head. `get` also answers Envoy's pseudo headers `:method`, `:path`, `:authority`, `:scheme`. */
export class RequestHeaders extends HeaderMap {
  method = ''
  /** With its query. */
  path = ''
  /** Host, as Envoy's `:authority`. */
  authority = ''
  /** There is a Host, and it is empty. */
  emptyAuthority = false
  scheme = 'http'

  override get(name: string): string | undefined {
    if (name.charCodeAt(0) !== 58 /* : */) return super.get(name)
    if (name === ':method') return this.method
    // A CONNECT has none.
    if (name === ':path') return this.path === '' ? undefined : this.path
    if (name === ':authority') return this.authority === '' && !this.emptyAuthority ? undefined : this.authority
    if (name === ':scheme') return this.scheme
    return undefined
  }

  override get byteSize(): number {
    const pseudo = [this.method, ':method', this.path, ':path', this.authority, ':authority', this.scheme, ':scheme']
    return super.byteSize + pseudo.join('').length
  }

  protected override isInline(name: string): boolean {
    return INLINE_REQUEST_HEADERS.has(name)
  }

  /** Goes back to what it was when `copy` was made. */
  restore(copy: RequestHeaders): void {
    this.replaceEntries(copy.entries())
    this.method = copy.method
    this.path = copy.path
    this.authority = copy.authority
    this.emptyAuthority = copy.emptyAuthority
    this.scheme = copy.scheme
  }

  override clone(): RequestHeaders {
    const copy = new RequestHeaders(this.entries())
    copy.method = this.method
    copy.path = this.path
    copy.authority = this.authority
    copy.emptyAuthority = this.emptyAuthority
    copy.scheme = this.scheme
    return copy
  }
}

/** A response's head. `get(':status')` answers the code as text. */
export class ResponseHeaders extends HeaderMap {
  status = 0

  override get byteSize(): number {
    return super.byteSize + ':status'.length + String(this.status).length
  }

  protected override isInline(name: string): boolean {
    return INLINE_RESPONSE_HEADERS.has(name)
  }

  override get(name: string): string | undefined {
    return name === ':status' ? String(this.status) : super.get(name)
  }
}
