import { ENDPOINT } from './dictionary.ts'
import type { Head } from './head.ts'
import { durationCode, entryTerms } from './terms.ts'

/** The traces that have a term: numbers, ascending when they were added so, and the code of its longest span. */
export interface Postings {
  traces: Uint32Array
  /** Only of terms whose durations are indexed. */
  codes: Uint8Array | undefined
}

/** Which terms lead to which traces, over rows of a head that are added one by one. */
export class TermIndex {
  readonly #head: Head
  /** By term number. */
  readonly hashes: number[] = []
  #hasCodes: boolean[] = []
  #lastPosting: number[] = []
  #postings: number[] = []
  #numbers = new Map<number, number>()
  /** Term numbers of dictionary entries, + 1; of pairs those of tag and key. */
  #first = new Int32Array(4096)
  #second = new Int32Array(4096)
  #serviceNames = new Map<number, number>()
  #remotes = new Map<number, number>()
  /** Of span names, by entry, + 1. */
  #names = new Int32Array(4096)
  #count = 0
  #traces = new Uint32Array(16_384)
  #previous = new Int32Array(16_384)
  #codes = new Uint8Array(16_384)

  constructor(head: Head) {
    this.#head = head
  }

  /** Adds what `row` is found by, as of trace number `trace`. */
  add(row: number, trace: number): void {
    const { rows, tags, annotations } = this.#head
    const { name, local, remote, duration, tagEnd, annotationEnd } = rows.columns
    const code = durationCode(duration[row]!)
    const nameEntry = name[row]!
    const service = this.#serviceOf(local[row]!)
    if (service !== 0) {
      this.#post(this.#serviceTerm(service), trace, code)
      if (nameEntry !== 0) this.#post(this.#serviceNameTerm(service, nameEntry), trace, code)
    }
    if (nameEntry !== 0) this.#post(this.#nameTerm(nameEntry), trace, 0)
    const remoteService = this.#serviceOf(remote[row]!)
    if (remoteService !== 0) this.#post(this.#remoteTerm(remoteService), trace, 0)
    for (let at = row === 0 ? 0 : tagEnd[row - 1]!; at < tagEnd[row]!; at++) {
      const pair = tags.columns.pair[at]!
      if (pair >= this.#first.length || this.#first[pair] === 0) this.#learnPair(pair)
      this.#post(this.#first[pair]! - 1, trace, 0)
      this.#post(this.#second[pair]! - 1, trace, 0)
    }
    for (let at = row === 0 ? 0 : annotationEnd[row - 1]!; at < annotationEnd[row]!; at++) {
      const value = annotations.columns.value[at]!
      if (value >= this.#second.length || this.#second[value] === 0) this.#learnAnnotation(value)
      this.#post(this.#second[value]! - 1, trace, 0)
    }
  }

  #post(term: number, trace: number, code: number): void {
    const last = this.#lastPosting[term]!
    if (last !== -1 && this.#traces[last] === trace) {
      if (code > this.#codes[last]!) this.#codes[last] = code
      return
    }
    const posting = this.#count++
    if (posting === this.#traces.length) this.#grow()
    this.#traces[posting] = trace
    this.#codes[posting] = code
    this.#previous[posting] = last
    this.#lastPosting[term] = posting
    this.#postings[term]!++
  }

  #grow(): void {
    const capacity = this.#traces.length * 2
    const traces = new Uint32Array(capacity)
    const previous = new Int32Array(capacity)
    const codes = new Uint8Array(capacity)
    traces.set(this.#traces)
    previous.set(this.#previous)
    codes.set(this.#codes)
    this.#traces = traces
    this.#previous = previous
    this.#codes = codes
  }

  #term(hash: number, hasCodes = false): number {
    let number = this.#numbers.get(hash)
    if (number === undefined) {
      number = this.hashes.push(hash) - 1
      this.#hasCodes.push(hasCodes)
      this.#lastPosting.push(-1)
      this.#postings.push(0)
      this.#numbers.set(hash, number)
    } else if (hasCodes !== this.#hasCodes[number]) {
      // Two terms of one hash, one without durations: none can be trusted.
      this.#hasCodes[number] = false
    }
    return number
  }

  #reserve(entry: number): void {
    if (entry < this.#first.length) return
    const capacity = Math.max(entry + 1, this.#first.length * 2)
    const first = new Int32Array(capacity)
    const second = new Int32Array(capacity)
    first.set(this.#first)
    second.set(this.#second)
    this.#first = first
    this.#second = second
  }

  #learnPair(pair: number): void {
    this.#reserve(pair)
    const { dictionary } = this.#head
    this.#first[pair] = this.#term(entryTerms.tag(dictionary, pair)) + 1
    this.#second[pair] = this.#term(entryTerms.key(dictionary, pair)) + 1
  }

  #learnAnnotation(text: number): void {
    this.#reserve(text)
    this.#second[text] = this.#term(entryTerms.annotation(this.#head.dictionary, text)) + 1
  }

  /** Entry of an endpoint's service name; 0: none. */
  #serviceOf(endpoint: number): number {
    if (endpoint === 0) return 0
    const { dictionary } = this.#head
    return dictionary.kind(endpoint) === ENDPOINT ? dictionary.field(endpoint, 0) : 0
  }

  #serviceTerm(service: number): number {
    if (service >= this.#first.length || this.#first[service] === 0) {
      this.#reserve(service)
      this.#first[service] = this.#term(entryTerms.service(this.#head.dictionary, service), true) + 1
    }
    return this.#first[service]! - 1
  }

  #serviceNameTerm(service: number, name: number): number {
    const both = service * 0x4000000 + name
    let term = this.#serviceNames.get(both)
    if (term === undefined) {
      term = this.#term(entryTerms.serviceName(this.#head.dictionary, service, name), true)
      this.#serviceNames.set(both, term)
    }
    return term
  }

  #nameTerm(name: number): number {
    if (name >= this.#names.length || this.#names[name] === 0) {
      if (name >= this.#names.length) {
        const names = new Int32Array(Math.max(name + 1, this.#names.length * 2))
        names.set(this.#names)
        this.#names = names
      }
      this.#names[name] = this.#term(entryTerms.name(this.#head.dictionary, name)) + 1
    }
    return this.#names[name]! - 1
  }

  #remoteTerm(service: number): number {
    let term = this.#remotes.get(service)
    if (term === undefined) {
      term = this.#term(entryTerms.remote(this.#head.dictionary, service))
      this.#remotes.set(service, term)
    }
    return term
  }

  /** By hash; in the order in which they were added. A trace whose rows were not added one after the other stands twice. */
  postings(hash: number): Postings | undefined {
    const term = this.#numbers.get(hash)
    return term === undefined ? undefined : this.postingsOf(term)
  }

  /** Puts what `postingsOf` gives into arrays that have room for it; returns how many. */
  fill(term: number, traces: Uint32Array, codes: Uint8Array): number {
    const count = this.#postings[term]!
    let at = count
    for (let posting = this.#lastPosting[term]!; posting !== -1; posting = this.#previous[posting]!) {
      traces[--at] = this.#traces[posting]!
      codes[at] = this.#codes[posting]!
    }
    return count
  }

  hasCodes(term: number): boolean {
    return this.#hasCodes[term]!
  }

  postingsOf(term: number): Postings {
    let count = this.#postings[term]!
    const traces = new Uint32Array(count)
    const codes = this.#hasCodes[term] ? new Uint8Array(count) : undefined
    for (let posting = this.#lastPosting[term]!; posting !== -1; posting = this.#previous[posting]!) {
      traces[--count] = this.#traces[posting]!
      if (codes !== undefined) codes[count] = this.#codes[posting]!
    }
    return { traces, codes }
  }
}
