import { DependencyLinker } from '@hopscope/model'
import { type Head, KIND_MASK, KINDS, SHARED } from './head.ts'
import { grown, PairTable } from './pair-table.ts'

const CLIENT = KINDS.indexOf('CLIENT')
const SERVER = KINDS.indexOf('SERVER')
const PRODUCER = KINDS.indexOf('PRODUCER')
const CONSUMER = KINDS.indexOf('CONSUMER')
const NONE = -1

/** Pair, calls, errors; and so on. */
export type LinkList = readonly number[]

/**
 * Who calls whom in the traces of a head: what `DependencyLinker` of the model says, without making spans. That is the rule;
 * this follows it where a trace is in order (each id once, or once and once shared; no circle), which it nearly always is, and
 * leaves the others to it.
 */
export class TraceLinker {
  readonly #head: Head
  readonly pairs: { parent: string; child: string }[] = []
  /** By entries of two names. */
  #numbers = new PairTable()
  #numbersByName = new Map<string, Map<string, number>>()
  /** Of pairs: 1 no, 2 yes. */
  #isError = new Uint8Array(4096)
  #list: number[] = []

  // Per trace, by index of its rows.
  #idHigh = new Uint32Array(32)
  #idLow = new Uint32Array(32)
  #parentHigh = new Uint32Array(32)
  #parentLow = new Uint32Array(32)
  #flags = new Uint8Array(32)
  #slots = new Int32Array(64)
  #parent = new Int32Array(32)
  #state = new Uint8Array(32)
  #ancestor = new Int32Array(32)
  #hasChild = new Uint8Array(32)
  #path = new Int32Array(32)

  constructor(head: Head) {
    this.#head = head
  }

  link(rows: Uint32Array): LinkList {
    this.#list = []
    if (rows.length > 0 && !this.#linkInOrder(rows)) {
      this.#list = []
      const linker = new DependencyLinker()
      linker.putTrace(Array.from(rows, row => this.#head.span(row)))
      for (const { parent, child, callCount, errorCount = 0 } of linker.links()) {
        this.#list.push(this.#numberByName(parent, child), callCount, errorCount)
      }
    }
    return this.#list
  }

  /** False: this trace is not in order. */
  #linkInOrder(rows: Uint32Array): boolean {
    const count = rows.length
    this.#reserve(count)
    this.#gather(rows)
    if (!this.#place(rows)) return false
    const parent = this.#parent
    const hasChild = this.#hasChild
    for (let i = 0; i < count; i++) hasChild[i] = 0
    for (let i = 0; i < count; i++) if (parent[i] !== NONE) hasChild[parent[i]!] = 1
    const state = this.#state
    for (let i = 0; i < count; i++) state[i] = 0
    for (let i = 0; i < count; i++) if (state[i] !== 2 && !this.#findAncestor(i)) return false
    for (let i = 0; i < count; i++) {
      if ((this.#flags[i]! & KIND_MASK) === CLIENT && hasChild[i] === 1) continue
      this.#visit(rows, i)
    }
    return true
  }

  /** The rows of a trace lie apart, and are looked at again and again. */
  #gather(rows: Uint32Array): void {
    const { idHigh, idLow, parentHigh, parentLow, flags } = this.#head.rows.columns
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      this.#idHigh[i] = idHigh[row]!
      this.#idLow[i] = idLow[row]!
      this.#parentHigh[i] = parentHigh[row]!
      this.#parentLow[i] = parentLow[row]!
      this.#flags[i] = flags[row]!
    }
  }

  #reserve(count: number): void {
    if (count > this.#parent.length) {
      const capacity = count * 2
      this.#idHigh = new Uint32Array(capacity)
      this.#idLow = new Uint32Array(capacity)
      this.#parentHigh = new Uint32Array(capacity)
      this.#parentLow = new Uint32Array(capacity)
      this.#flags = new Uint8Array(capacity)
      this.#path = new Int32Array(capacity)
      this.#parent = new Int32Array(capacity)
      this.#state = new Uint8Array(capacity)
      this.#ancestor = new Int32Array(capacity)
      this.#hasChild = new Uint8Array(capacity)
    }
    let slots = 64
    while (slots < count * 4) slots *= 2
    if (this.#slots.length < slots) this.#slots = new Int32Array(slots)
  }

  #root = NONE
  #mask = 0

  /** Finds the place of each row in the tree, as `buildTree` does. */
  #place(rows: Uint32Array): boolean {
    const { local } = this.#head.rows.columns
    const [idHigh, idLow, parentHigh, parentLow] = [this.#idHigh, this.#idLow, this.#parentHigh, this.#parentLow]
    const flags = this.#flags
    const count = rows.length
    const slots = this.#slots
    let size = 64
    while (size < count * 4) size *= 2
    const mask = size - 1
    for (let slot = 0; slot < size; slot++) slots[slot] = NONE
    this.#mask = mask
    let root = NONE
    for (let i = 0; i < count; i++) {
      const shared = flags[i]! & SHARED
      if (shared !== 0 && (flags[i]! & KIND_MASK) === CLIENT) return false
      if (idHigh[i] === parentHigh[i] && idLow[i] === parentLow[i]) return false
      let slot = (idLow[i]! ^ idHigh[i]!) & mask
      for (let other = slots[slot]!; other !== NONE; other = slots[slot]!) {
        if (idLow[other] === idLow[i] && idHigh[other] === idHigh[i] && (flags[other]! & SHARED) === shared)
          return false
        slot = (slot + 1) & mask
      }
      slots[slot] = i
      if (shared !== 0 || parentHigh[i] !== 0 || parentLow[i] !== 0) continue
      // Of several without parent the one whose id is first.
      if (root === NONE || idHigh[i]! < idHigh[root]! || (idHigh[i] === idHigh[root] && idLow[i]! < idLow[root]!)) {
        root = i
      }
    }
    this.#root = root
    const parent = this.#parent
    for (let i = 0; i < count; i++) {
      let found = NONE
      if (i === root) {
        parent[i] = NONE
        continue
      }
      if (flags[i]! & SHARED) found = this.#find(idHigh[i]!, idLow[i]!, 0)
      else if (parentHigh[i] !== 0 || parentLow[i] !== 0) {
        found = this.#find(parentHigh[i]!, parentLow[i]!, SHARED)
        const isOwn = found !== NONE && local[rows[found]!] === local[rows[i]!]
        if (!isOwn) found = this.#find(parentHigh[i]!, parentLow[i]!, 0)
      }
      parent[i] = found === NONE ? root : found
    }
    return true
  }

  /** NONE: not there. */
  #find(high: number, low: number, shared: number): number {
    const [idHigh, idLow, flags, slots] = [this.#idHigh, this.#idLow, this.#flags, this.#slots]
    let slot = (low ^ high) & this.#mask
    for (let other = slots[slot]!; other !== NONE; other = slots[slot]!) {
      if (idLow[other] === low && idHigh[other] === high && (flags[other]! & SHARED) === shared) return other
      slot = (slot + 1) & this.#mask
    }
    return NONE
  }

  /** The nearest span above that is one end of a call. False: its parents go in a circle. */
  #findAncestor(start: number): boolean {
    const [flags, state, path, parent, ancestor] = [this.#flags, this.#state, this.#path, this.#parent, this.#ancestor]
    let length = 0
    let at = start
    while (at !== NONE && state[at] !== 2) {
      if (state[at] === 1) return false
      state[at] = 1
      path[length++] = at
      at = parent[at]!
    }
    while (length > 0) {
      const i = path[--length]!
      const above = parent[i]!
      if (above === NONE) ancestor[i] = NONE
      else ancestor[i] = (flags[above]! & KIND_MASK) !== 0 ? above : ancestor[above]!
      state[i] = 2
    }
    return true
  }

  /** `DependencyLinker`'s rules, in its order. */
  #visit(rows: Uint32Array, i: number): void {
    const { columns } = this.#head.rows
    const row = rows[i]!
    const local = this.#service(columns.local[row]!)
    const remote = this.#service(columns.remote[row]!)
    let kind = this.#flags[i]! & KIND_MASK
    if (kind === 0) {
      if (local === 0 || remote === 0) return
      kind = CLIENT
    }
    const isIncoming = kind === SERVER || kind === CONSUMER
    if (isIncoming && i === this.#root && remote === 0) return
    let parent = isIncoming ? remote : local
    const child = isIncoming ? local : remote
    let isError = this.#isFailed(row)
    if (kind === PRODUCER || kind === CONSUMER) {
      if (parent !== 0 && child !== 0) this.#add(parent, child, isError)
      return
    }
    const ancestor = this.#ancestor[i]!
    if (ancestor !== NONE) {
      const above = rows[ancestor]!
      const name = this.#service(columns.local[above]!)
      if (name !== 0) {
        if (kind === CLIENT && local !== 0 && name !== local) this.#add(name, local, false)
        if (kind === SERVER || parent === 0) parent = name
        if (!isError && (this.#flags[ancestor]! & KIND_MASK) === CLIENT && this.#isChildOf(i, ancestor)) {
          isError = this.#isFailed(above)
        }
      }
    }
    if (parent !== 0 && child !== 0) this.#add(parent, child, isError)
  }

  /** By its own parent id; a shared span without one has that of the span whose id it shares. */
  #isChildOf(i: number, above: number): boolean {
    let of = i
    if (this.#flags[i]! & SHARED && this.#parentHigh[i] === 0 && this.#parentLow[i] === 0) {
      of = this.#find(this.#idHigh[i]!, this.#idLow[i]!, 0)
      if (of === NONE) return false
    }
    return this.#parentLow[of] === this.#idLow[above] && this.#parentHigh[of] === this.#idHigh[above]
  }

  #service(endpoint: number): number {
    return endpoint === 0 ? 0 : this.#head.dictionary.field(endpoint, 0)
  }

  #isFailed(row: number): boolean {
    const { tagEnd } = this.#head.rows.columns
    const { pair } = this.#head.tags.columns
    const end = tagEnd[row]!
    for (let at = row === 0 ? 0 : tagEnd[row - 1]!; at < end; at++) {
      // What is beyond the array is not known either.
      const known = this.#isError[pair[at]!]
      if (known !== 1 && this.#isErrorPair(pair[at]!)) return true
    }
    return false
  }

  #isErrorPair(pair: number): boolean {
    if (pair >= this.#isError.length) this.#isError = grown(this.#isError, Math.max(pair + 1, this.#isError.length * 2))
    if (this.#isError[pair] === 0) {
      const { dictionary } = this.#head
      this.#isError[pair] = dictionary.kind(pair) === 5 && dictionary.key(pair) === 'error' ? 2 : 1
    }
    return this.#isError[pair] === 2
  }

  #add(parent: number, child: number, isError: boolean): void {
    let number = this.#numbers.get(parent, child)
    if (number === -1) {
      const { dictionary } = this.#head
      number = this.#numberByName(dictionary.text(parent), dictionary.text(child))
      this.#numbers.set(parent, child, number)
    }
    const list = this.#list
    let at = 0
    while (at < list.length && list[at] !== number) at += 3
    if (at === list.length) list.push(number, 1, isError ? 1 : 0)
    else {
      list[at + 1]!++
      if (isError) list[at + 2]!++
    }
  }

  #numberByName(parent: string, child: string): number {
    let children = this.#numbersByName.get(parent)
    if (children === undefined) {
      children = new Map()
      this.#numbersByName.set(parent, children)
    }
    let number = children.get(child)
    if (number === undefined) {
      number = this.pairs.push({ parent, child }) - 1
      children.set(child, number)
    }
    return number
  }
}
