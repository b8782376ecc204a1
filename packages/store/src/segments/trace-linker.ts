import { DependencyLinker } from '@hopscope/model'
import { type Head, KIND_MASK, KINDS, SHARED } from './head.ts'

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
  #numbers = new Map<number, number>()
  #numbersByName = new Map<string, Map<string, number>>()
  /** Of pairs: 1 no, 2 yes. */
  #isError = new Uint8Array(4096)
  #list: number[] = []

  // Per trace, by index of its rows.
  #slots = new Int32Array(64)
  #parent = new Int32Array(32)
  #state = new Uint8Array(32)
  #ancestor = new Int32Array(32)
  #hasChild = new Uint8Array(32)

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
    if (!this.#place(rows)) return false
    const { columns } = this.#head.rows
    const parent = this.#parent
    this.#hasChild.fill(0, 0, count)
    for (let i = 0; i < count; i++) if (parent[i] !== NONE) this.#hasChild[parent[i]!] = 1
    for (let i = 0; i < count; i++) if (!this.#findAncestor(rows, i)) return false
    for (let i = 0; i < count; i++) {
      const flags = columns.flags[rows[i]!]!
      if ((flags & KIND_MASK) === CLIENT && this.#hasChild[i] === 1) continue
      this.#visit(rows, i)
    }
    return true
  }

  #reserve(count: number): void {
    if (count > this.#parent.length) {
      const capacity = count * 2
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
    const { idHigh, idLow, parentHigh, parentLow, flags, local } = this.#head.rows.columns
    const count = rows.length
    const slots = this.#slots
    let size = 64
    while (size < count * 4) size *= 2
    const mask = size - 1
    slots.fill(NONE, 0, size)
    this.#mask = mask
    let root = NONE
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const shared = flags[row]! & SHARED
      if (shared !== 0 && (flags[row]! & KIND_MASK) === CLIENT) return false
      if (idHigh[row] === parentHigh[row] && idLow[row] === parentLow[row]) return false
      let slot = (idLow[row]! ^ idHigh[row]!) & mask
      for (let other = slots[slot]!; other !== NONE; other = slots[slot]!) {
        const to = rows[other]!
        if (idLow[to] === idLow[row] && idHigh[to] === idHigh[row] && (flags[to]! & SHARED) === shared) return false
        slot = (slot + 1) & mask
      }
      slots[slot] = i
      if (shared !== 0 || parentHigh[row] !== 0 || parentLow[row] !== 0) continue
      // Of several without parent the one whose id is first.
      const best = root === NONE ? row : rows[root]!
      if (
        root === NONE ||
        idHigh[row]! < idHigh[best]! ||
        (idHigh[row] === idHigh[best] && idLow[row]! < idLow[best]!)
      ) {
        root = i
      }
    }
    this.#root = root
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      if (i === root) this.#parent[i] = NONE
      else if (flags[row]! & SHARED) this.#parent[i] = this.#find(rows, idHigh[row]!, idLow[row]!, 0) ?? root
      else if (parentHigh[row] === 0 && parentLow[row] === 0) this.#parent[i] = root
      else {
        const serverHalf = this.#find(rows, parentHigh[row]!, parentLow[row]!, SHARED)
        const isOwn = serverHalf !== undefined && local[rows[serverHalf]!] === local[row]
        this.#parent[i] = (isOwn ? serverHalf : this.#find(rows, parentHigh[row]!, parentLow[row]!, 0)) ?? root
      }
    }
    return true
  }

  #find(rows: Uint32Array, high: number, low: number, shared: number): number | undefined {
    const { idHigh, idLow, flags } = this.#head.rows.columns
    const slots = this.#slots
    let slot = (low ^ high) & this.#mask
    for (let other = slots[slot]!; other !== NONE; other = slots[slot]!) {
      const row = rows[other]!
      if (idLow[row] === low && idHigh[row] === high && (flags[row]! & SHARED) === shared) return other
      slot = (slot + 1) & this.#mask
    }
    return undefined
  }

  /** The nearest span above that is one end of a call. False: its parents go in a circle. */
  #findAncestor(rows: Uint32Array, start: number): boolean {
    const { flags } = this.#head.rows.columns
    const state = this.#state
    if (start === 0) state.fill(0, 0, rows.length)
    if (state[start] === 2) return true
    const path: number[] = []
    let at = start
    while (at !== NONE && state[at] !== 2) {
      if (state[at] === 1) return false
      state[at] = 1
      path.push(at)
      at = this.#parent[at]!
    }
    for (let i = path.pop(); i !== undefined; i = path.pop()) {
      const above = this.#parent[i]!
      if (above === NONE) this.#ancestor[i] = NONE
      else this.#ancestor[i] = (flags[rows[above]!]! & KIND_MASK) !== 0 ? above : this.#ancestor[above]!
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
    let kind = columns.flags[row]! & KIND_MASK
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
        if (!isError && (columns.flags[above]! & KIND_MASK) === CLIENT && this.#isChildOf(rows, row, above)) {
          isError = this.#isFailed(above)
        }
      }
    }
    if (parent !== 0 && child !== 0) this.#add(parent, child, isError)
  }

  /** By its own parent id; a shared span without one has that of the span whose id it shares. */
  #isChildOf(rows: Uint32Array, row: number, above: number): boolean {
    const { idHigh, idLow, parentHigh, parentLow, flags } = this.#head.rows.columns
    let of = row
    if (flags[row]! & SHARED && parentHigh[row] === 0 && parentLow[row] === 0) {
      const own = this.#find(rows, idHigh[row]!, idLow[row]!, 0)
      if (own === undefined) return false
      of = rows[own]!
    }
    return parentLow[of] === idLow[above] && parentHigh[of] === idHigh[above]
  }

  #service(endpoint: number): number {
    return endpoint === 0 ? 0 : this.#head.dictionary.field(endpoint, 0)
  }

  #isFailed(row: number): boolean {
    const { tagEnd } = this.#head.rows.columns
    const { pair } = this.#head.tags.columns
    for (let at = row === 0 ? 0 : tagEnd[row - 1]!; at < tagEnd[row]!; at++) {
      if (this.#isErrorPair(pair[at]!)) return true
    }
    return false
  }

  #isErrorPair(pair: number): boolean {
    if (pair >= this.#isError.length) {
      const grown = new Uint8Array(Math.max(pair + 1, this.#isError.length * 2))
      grown.set(this.#isError)
      this.#isError = grown
    }
    if (this.#isError[pair] === 0) {
      const { dictionary } = this.#head
      this.#isError[pair] = dictionary.kind(pair) === 5 && dictionary.key(pair) === 'error' ? 2 : 1
    }
    return this.#isError[pair] === 2
  }

  #add(parent: number, child: number, isError: boolean): void {
    const both = parent * 0x4000000 + child
    let number = this.#numbers.get(both)
    if (number === undefined) {
      const { dictionary } = this.#head
      number = this.#numberByName(dictionary.text(parent), dictionary.text(child))
      this.#numbers.set(both, number)
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
