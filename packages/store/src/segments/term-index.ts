import { ENDPOINT } from './dictionary.ts'
import type { Head } from './head.ts'
import { grown, PairTable } from './pair-table.ts'
import { durationCode, entryTerms } from './terms.ts'

/** The traces that have a term: numbers, ascending when they were added so, and the code of its longest span. */
export interface Postings {
  traces: Uint32Array
  /** Only of terms whose durations are indexed. */
  codes: Uint8Array | undefined
}

/** The postings of all terms, one term after the other by hash. In memory of the index, until it is asked again. */
export interface SortedPostings {
  /** Term numbers, hashes ascending. */
  terms: Uint32Array
  /** By place in `terms`, where its postings begin; and one more. */
  starts: Uint32Array
  traces: Uint32Array
  codes: Uint8Array
}

/** Of each term together, as they are asked for together: its last posting, and the trace of that, + 1. */
const LAST = 0
const TRACE = 1
const WIDTH = 2

/** Which terms lead to which traces, over rows of a head that are added one by one. */
export class TermIndex {
  #head: Head
  /** By term number. */
  hashes = new Uint32Array(1024)
  #hasCodes = new Uint8Array(1024)
  #ofTerm = new Int32Array(1024 * WIDTH)
  #termCount = 0
  /** Term numbers, + 1, by hash; open addressing. */
  #slots = new Int32Array(2048)
  /** Term numbers of dictionary entries, + 1; of pairs those of tag and key. */
  #first = new Int32Array(4096)
  #second = new Int32Array(4096)
  /** Of pairs, the trace that was last found to have it, + 1: most tags of a trace stand in it several times. */
  #lastTrace = new Uint32Array(4096)
  #serviceNames = new PairTable()
  #remotes = new Map<number, number>()
  /** Of span names, by entry, + 1. */
  #names = new Int32Array(4096)
  #count = 0
  #terms = new Uint32Array(16_384)
  #traces = new Uint32Array(16_384)
  #codes = new Uint8Array(16_384)
  /** Of the first so many postings, the one of the same term before; and the last of each term. */
  #chained = 0
  #previous = new Int32Array(0)
  #lastChained = new Int32Array(0)
  #sortedTraces = new Uint32Array(0)
  #sortedCodes = new Uint8Array(0)

  constructor(head: Head) {
    this.#head = head
  }

  /** Begins anew with the rows of another head, in the memory that is there. */
  reset(head: Head): void {
    this.#head = head
    this.#termCount = 0
    this.#count = 0
    this.#chained = 0
    this.#lastChained.fill(-1)
    this.#serviceNames.clear()
    this.#remotes.clear()
    for (const array of [this.#slots, this.#first, this.#second, this.#lastTrace, this.#names]) array.fill(0)
  }

  /** Adds what `row` is found by, as of trace number `trace`. */
  add(row: number, trace: number): void {
    const { rows, tags, annotations } = this.#head
    const { name, local, remote, duration, tagEnd, annotationEnd } = rows.columns
    const { pair: pairs } = tags.columns
    const firstTag = row === 0 ? 0 : tagEnd[row - 1]!
    const lastTag = tagEnd[row]!
    const firstAnnotation = row === 0 ? 0 : annotationEnd[row - 1]!
    const lastAnnotation = annotationEnd[row]!
    const most = this.#count + 4 + 2 * (lastTag - firstTag) + lastAnnotation - firstAnnotation
    if (most > this.#traces.length) this.#grow(most)
    const nameEntry = name[row]!
    const service = this.#serviceOf(local[row]!)
    if (service !== 0) {
      const code = durationCode(duration[row]!)
      this.#post(this.#serviceTerm(service), trace, code)
      if (nameEntry !== 0) this.#post(this.#serviceNameTerm(service, nameEntry), trace, code)
    }
    if (nameEntry !== 0) this.#post(this.#nameTerm(nameEntry), trace, 0)
    const remoteService = this.#serviceOf(remote[row]!)
    if (remoteService !== 0) this.#post(this.#remoteTerm(remoteService), trace, 0)
    const mark = trace + 1
    let lastTrace = this.#lastTrace
    for (let at = firstTag; at < lastTag; at++) {
      const pair = pairs[at]!
      if (lastTrace[pair] === mark) continue
      if (pair >= this.#first.length || this.#first[pair] === 0) {
        this.#learnPair(pair)
        lastTrace = this.#lastTrace
      }
      lastTrace[pair] = mark
      this.#post(this.#first[pair]! - 1, trace, 0)
      this.#post(this.#second[pair]! - 1, trace, 0)
    }
    for (let at = firstAnnotation; at < lastAnnotation; at++) {
      const value = annotations.columns.value[at]!
      if (value >= this.#second.length || this.#second[value] === 0) this.#learnAnnotation(value)
      this.#post(this.#second[value]! - 1, trace, 0)
    }
  }

  /** There is room for it. */
  #post(term: number, trace: number, code: number): void {
    const ofTerm = this.#ofTerm
    const at = term * WIDTH
    if (ofTerm[at + TRACE] === trace + 1) {
      if (code !== 0) {
        const last = ofTerm[at + LAST]!
        if (code > this.#codes[last]!) this.#codes[last] = code
      }
      return
    }
    const posting = this.#count++
    this.#terms[posting] = term
    this.#traces[posting] = trace
    this.#codes[posting] = code
    ofTerm[at + LAST] = posting
    ofTerm[at + TRACE] = trace + 1
  }

  #grow(most: number): void {
    const capacity = Math.max(most, this.#traces.length * 2)
    this.#terms = grown(this.#terms, capacity)
    this.#traces = grown(this.#traces, capacity)
    this.#codes = grown(this.#codes, capacity)
  }

  /** Its number, or -1. */
  #find(hash: number): number {
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (let term = this.#slots[slot]! - 1; term !== -1; term = this.#slots[slot]! - 1) {
      if (this.hashes[term] === hash) return term
      slot = (slot + 1) & mask
    }
    return -1
  }

  #term(hash: number, hasCodes = false): number {
    let term = this.#find(hash)
    if (term === -1) {
      if (this.#termCount === this.hashes.length) this.#growTerms()
      term = this.#termCount++
      this.hashes[term] = hash
      this.#hasCodes[term] = hasCodes ? 1 : 0
      this.#ofTerm[term * WIDTH + LAST] = -1
      this.#ofTerm[term * WIDTH + TRACE] = 0
      this.#place(term)
    } else if (hasCodes !== (this.#hasCodes[term] === 1)) {
      // Two terms of one hash, one without durations: none can be trusted.
      this.#hasCodes[term] = 0
    }
    return term
  }

  #place(term: number): void {
    const mask = this.#slots.length - 1
    let slot = this.hashes[term]! & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = term + 1
  }

  #growTerms(): void {
    const capacity = this.#termCount * 2
    this.hashes = grown(this.hashes, capacity)
    this.#hasCodes = grown(this.#hasCodes, capacity)
    this.#ofTerm = grown(this.#ofTerm, capacity * WIDTH)
    this.#slots = new Int32Array(capacity * 2)
    for (let term = 0; term < this.#termCount; term++) this.#place(term)
  }

  #reserve(entry: number): void {
    if (entry < this.#first.length) return
    const capacity = Math.max(entry + 1, this.#first.length * 2)
    this.#first = grown(this.#first, capacity)
    this.#second = grown(this.#second, capacity)
    this.#lastTrace = grown(this.#lastTrace, capacity)
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
    let term = this.#serviceNames.get(service, name)
    if (term === -1) {
      term = this.#term(entryTerms.serviceName(this.#head.dictionary, service, name), true)
      this.#serviceNames.set(service, name, term)
    }
    return term
  }

  #nameTerm(name: number): number {
    if (name >= this.#names.length || this.#names[name] === 0) {
      if (name >= this.#names.length) this.#names = grown(this.#names, Math.max(name + 1, this.#names.length * 2))
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
    const term = this.#find(hash)
    if (term === -1) return undefined
    this.#chain()
    let count = 0
    for (let posting = this.#ofTerm[term * WIDTH + LAST]!; posting !== -1; posting = this.#previous[posting]!) count++
    const traces = new Uint32Array(count)
    const codes = this.hasCodes(term) ? new Uint8Array(count) : undefined
    for (let posting = this.#ofTerm[term * WIDTH + LAST]!; posting !== -1; posting = this.#previous[posting]!) {
      traces[--count] = this.#traces[posting]!
      if (codes !== undefined) codes[count] = this.#codes[posting]!
    }
    return { traces, codes }
  }

  /** Leads from each posting to the one of its term before it, up to the last that was added. A segment needs none of that. */
  #chain(): void {
    if (this.#previous.length < this.#count) this.#previous = grown(this.#previous, this.#traces.length)
    if (this.#lastChained.length < this.#termCount) {
      const known = this.#lastChained.length
      this.#lastChained = grown(this.#lastChained, this.hashes.length).fill(-1, known)
    }
    for (; this.#chained < this.#count; this.#chained++) {
      const term = this.#terms[this.#chained]!
      this.#previous[this.#chained] = this.#lastChained[term]!
      this.#lastChained[term] = this.#chained
    }
  }

  hasCodes(term: number): boolean {
    return this.#hasCodes[term] === 1
  }

  /** All of them, counted and put in their places in one pass each: following each term through memory takes longer. */
  sorted(): SortedPostings {
    const terms = this.#byHash()
    const [fromTerms, fromTraces, fromCodes, count] = [this.#terms, this.#traces, this.#codes, this.#count]
    const next = new Uint32Array(terms.length)
    for (let posting = 0; posting < count; posting++) next[fromTerms[posting]!]!++
    const starts = new Uint32Array(terms.length + 1)
    let start = 0
    for (let at = 0; at < terms.length; at++) {
      const term = terms[at]!
      starts[at] = start
      start += next[term]!
      next[term] = starts[at]!
    }
    starts[terms.length] = start
    if (this.#sortedTraces.length < count) {
      this.#sortedTraces = new Uint32Array(this.#traces.length)
      this.#sortedCodes = new Uint8Array(this.#traces.length)
    }
    const [traces, codes] = [this.#sortedTraces, this.#sortedCodes]
    for (let posting = 0; posting < count; posting++) {
      const term = fromTerms[posting]!
      const at = next[term]!
      next[term] = at + 1
      traces[at] = fromTraces[posting]!
      codes[at] = fromCodes[posting]!
    }
    return { terms, starts, traces, codes }
  }

  /** A radix sort, eleven bits a pass. */
  #byHash(): Uint32Array {
    const count = this.#termCount
    let from = Uint32Array.from({ length: count }, (_, term) => term)
    let to = new Uint32Array(count)
    const places = new Uint32Array(2048)
    for (let shift = 0; shift < 33; shift += 11) {
      places.fill(0)
      for (let i = 0; i < count; i++) places[(this.hashes[i]! >>> shift) & 2047]!++
      for (let digit = 0, place = 0; digit < 2048; digit++) {
        const size = places[digit]!
        places[digit] = place
        place += size
      }
      for (let i = 0; i < count; i++) {
        const term = from[i]!
        to[places[(this.hashes[term]! >>> shift) & 2047]!++] = term
      }
      const done = from
      from = to
      to = done
    }
    return from
  }
}
