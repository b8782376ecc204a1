import { AUTOCOMPLETE_CARDINALITY } from '../store.ts'
import { ENDPOINT } from './dictionary.ts'
import type { Head } from './head.ts'
import { PairTable } from './pair-table.ts'

/** What the drop-down lists of a search form offer, of one part of the store. */
export interface Names {
  services: Map<string, { spanNames: Set<string>; remoteServices: Set<string> }>
  autocomplete: Map<string, Set<string>>
}

export function namesOf(head: Head, autocompleteKeys: readonly string[]): Names {
  const collector = new NameCollector(head, autocompleteKeys)
  collector.catchUp()
  return collector.names
}

/** Names of a head, row by row as they come. */
export class NameCollector {
  readonly #head: Head
  names: Names
  #keys: readonly string[]
  #rows = 0
  #rollbacks = 0
  /** Combinations of entries that were looked at. */
  #known = new PairTable()
  #knownRemote = new PairTable()
  #tags: Uint8Array = new Uint8Array(0)

  constructor(head: Head, autocompleteKeys: readonly string[]) {
    this.#head = head
    this.#keys = autocompleteKeys
    this.names = this.#empty()
  }

  #empty(): Names {
    return { services: new Map(), autocomplete: new Map(this.#keys.map(key => [key, new Set()])) }
  }

  catchUp(): void {
    const head = this.#head
    if (this.#rollbacks !== head.readRollbacks) {
      this.#rollbacks = head.readRollbacks
      this.#rows = 0
      this.#known.clear()
      this.#knownRemote.clear()
      this.#tags = new Uint8Array(0)
      this.names = this.#empty()
    }
    const { name, local, remote, tagEnd } = head.rows.columns
    const last = head.rows.length
    for (let row = this.#rows; row < last; row++) {
      if (local[row] !== 0) this.#addRow(local[row]!, name[row]!, remote[row]!)
      if (this.#keys.length === 0) continue
      for (let at = row === 0 ? 0 : tagEnd[row - 1]!; at < tagEnd[row]!; at++) this.#addTag(head.tags.columns.pair[at]!)
    }
    this.#rows = last
    head.readRows = last
  }

  #addRow(local: number, name: number, remote: number): void {
    if (this.#known.get(local, name) === -1) {
      this.#known.set(local, name, 0)
      const names = this.#service(local)
      if (names !== undefined && name !== 0) names.spanNames.add(this.#head.dictionary.text(name))
    }
    if (remote === 0 || this.#knownRemote.get(local, remote) !== -1) return
    this.#knownRemote.set(local, remote, 0)
    const { dictionary } = this.#head
    const service = dictionary.field(remote, 0)
    if (service !== 0) this.#service(local)?.remoteServices.add(dictionary.text(service))
  }

  #service(endpoint: number): { spanNames: Set<string>; remoteServices: Set<string> } | undefined {
    const { dictionary } = this.#head
    if (dictionary.kind(endpoint) !== ENDPOINT) return undefined
    const entry = dictionary.field(endpoint, 0)
    if (entry === 0) return undefined
    const service = dictionary.text(entry)
    let names = this.names.services.get(service)
    if (names === undefined) {
      names = { spanNames: new Set(), remoteServices: new Set() }
      this.names.services.set(service, names)
    }
    return names
  }

  #addTag(pair: number): void {
    if (pair >= this.#tags.length) {
      const grown = new Uint8Array(Math.max(pair + 1, this.#tags.length * 2, 1024))
      grown.set(this.#tags)
      this.#tags = grown
    }
    if (this.#tags[pair] === 1) return
    this.#tags[pair] = 1
    const { dictionary } = this.#head
    const values = this.names.autocomplete.get(dictionary.key(pair))
    if (values !== undefined && values.size < AUTOCOMPLETE_CARDINALITY) values.add(dictionary.value(pair))
  }
}

export function encodeNames({ services, autocomplete }: Names): Buffer {
  const stored: StoredNames = {
    services: Array.from(services, ([name, { spanNames, remoteServices }]) => [
      name,
      [...spanNames],
      [...remoteServices],
    ]),
    autocomplete: Array.from(autocomplete, ([key, values]) => [key, [...values]]),
  }
  return Buffer.from(JSON.stringify(stored))
}

/** Names as a segment has them. */
export interface StoredNames {
  services: [name: string, spanNames: string[], remoteServices: string[]][]
  autocomplete: [key: string, values: string[]][]
}

export function decodeNames(piece: Buffer): StoredNames {
  return JSON.parse(piece.toString()) as StoredNames
}
