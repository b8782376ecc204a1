import type { Part } from './part.ts'

/** Bits of a trace id's hash that choose a table: each grows by itself, so that growing takes no noticeable pause. */
const TABLE_BITS = 6
/** Of a slot: hash, part, trace, right half of the low id. Part 0: free. Hash and half make out the id (see hashOf). */
const WIDTH = 4
/** What a damaged file may claim must not take all memory. */
const MAX_RESERVED = 50_000_000

/** An entry of a trace in a part. */
export interface Entry {
  part: Part
  trace: number
}

/**
 * Where each trace of the store is, by the right-most 16 characters of its id: some 26 bytes of memory a trace and part.
 * It answers that a trace is not there without a read, and knows which traces lie in several parts.
 */
export class TraceDirectory {
  #tables: Uint32Array[] = Array.from({ length: 1 << TABLE_BITS }, () => new Uint32Array(64 * WIDTH))
  #used = new Uint32Array(1 << TABLE_BITS)
  #parts = new Map<number, Part>()
  #leaving = new Set<number>()

  /** Adds a part; its traces are added one by one. */
  open(part: Part): void {
    this.#parts.set(part.number, part)
  }

  /** Makes room for so many traces at once: tables that grow are filled twice. */
  reserve(traces: number): void {
    const slots = Math.ceil((Math.min(traces, MAX_RESERVED) * 1.6) / this.#tables.length)
    for (const [number, table] of this.#tables.entries()) {
      if (this.#used[number] === 0 && slots * WIDTH > table.length)
        this.#tables[number] = new Uint32Array(slots * WIDTH)
    }
  }

  /** Adds a part with all its traces, by their low ids: high, low, and so on. */
  openSealed(part: Part, ids: Uint32Array): void {
    this.open(part)
    for (let trace = 0; trace * 2 < ids.length; trace++) this.add(part, trace, ids[trace * 2]!, ids[trace * 2 + 1]!)
  }

  /** A part that new reads do not see any more. Those that have begun still find it, until `forget`. */
  close(part: Part): void {
    this.#parts.delete(part.number)
    this.#leaving.add(part.number)
    for (const other of this.#parts.values()) other.unshare(part)
  }

  /** What it left in the tables is passed over, and goes when they grow. */
  forget(part: Part): void {
    this.#leaving.delete(part.number)
  }

  add(part: Part, trace: number, lowHigh: number, lowLow: number): void {
    const hash = hashOf(lowHigh, lowLow)
    const number = hash >>> (32 - TABLE_BITS)
    let table = this.#tables[number]!
    if ((this.#used[number]! + 1) * WIDTH * 4 > table.length * 3) table = this.#grow(number)
    let at = (hash % (table.length / WIDTH)) * WIDTH
    for (let other = table[at + 1]!; other !== 0; other = table[at + 1]!) {
      if (table[at] === hash && table[at + 3] === lowLow) {
        const with_ = this.#parts.get(other)
        if (with_ !== undefined && !(with_ === part && table[at + 2] === trace)) {
          with_.share(table[at + 2]!, part)
          part.share(trace, with_)
        }
      }
      at += WIDTH
      if (at === table.length) at = 0
    }
    table[at] = hash
    table[at + 1] = part.number
    table[at + 2] = trace
    table[at + 3] = lowLow
    this.#used[number]!++
  }

  #grow(number: number): Uint32Array {
    const old = this.#tables[number]!
    const isLive = (part: number): boolean => part !== 0 && (this.#parts.has(part) || this.#leaving.has(part))
    let live = 0
    for (let at = 1; at < old.length; at += WIDTH) if (isLive(old[at]!)) live++
    const table = new Uint32Array(live * WIDTH * 2 > old.length ? old.length * 2 : old.length)
    for (let from = 0; from < old.length; from += WIDTH) {
      if (!isLive(old[from + 1]!)) continue
      let at = (old[from]! % (table.length / WIDTH)) * WIDTH
      while (table[at + 1] !== 0) {
        at += WIDTH
        if (at === table.length) at = 0
      }
      table[at] = old[from]!
      table[at + 1] = old[from + 1]!
      table[at + 2] = old[from + 2]!
      table[at + 3] = old[from + 3]!
    }
    this.#tables[number] = table
    this.#used[number] = live
    return table
  }

  /** Entries of this id in parts that `see` knows. */
  find(lowHigh: number, lowLow: number, see: ReadonlyMap<number, Part>): Entry[] {
    const hash = hashOf(lowHigh, lowLow)
    const table = this.#tables[hash >>> (32 - TABLE_BITS)]!
    const entries: Entry[] = []
    let at = (hash % (table.length / WIDTH)) * WIDTH
    for (let number = table[at + 1]!; number !== 0; number = table[at + 1]!) {
      if (table[at] === hash && table[at + 3] === lowLow) {
        const part = see.get(number)
        if (part !== undefined) entries.push({ part, trace: table[at + 2]! })
      }
      at += WIDTH
      if (at === table.length) at = 0
    }
    return entries
  }
}

/**
 * Ids are random, as a rule; sequential ones must not cluster. Each step can be undone, so that two ids with one hash differ in
 * `low`. Ids that only looked alike would mark traces as shared by parts of different days: with some ten million traces
 * no part could be left out of a search by its time any more.
 */
function hashOf(high: number, low: number): number {
  let hash = Math.imul(high ^ 0x9e3779b9, 0x85ebca6b) ^ low
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
  return (hash ^ (hash >>> 16)) >>> 0
}
