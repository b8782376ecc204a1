import type { DependencyLink } from '@hopscope/model'

/** Each pair of services once, numbered in order of first appearance. */
export class ServicePairs {
  readonly list: { parent: string; child: string }[] = []
  /** By parent, then child: a name may hold any character, so no text joins the two. */
  #numbers = new Map<string, Map<string, number>>()

  number(parent: string, child: string): number {
    let children = this.#numbers.get(parent)
    if (children === undefined) {
      children = new Map()
      this.#numbers.set(parent, children)
    }
    let number = children.get(child)
    if (number === undefined) {
      number = this.list.push({ parent, child }) - 1
      children.set(child, number)
    }
    return number
  }
}

/** Pairs by number, and of each its calls and errors. */
export interface LinkCounts {
  pairs: Uint32Array
  calls: Float64Array
  errors: Float64Array
}

/** Adds up calls and errors by pair. */
export class LinkSum {
  readonly #pairs: ServicePairs
  #calls: number[] = []
  #errors: number[] = []
  /** In order of first appearance. */
  #numbers: number[] = []

  constructor(pairs: ServicePairs) {
    this.#pairs = pairs
  }

  add(pair: number, calls: number, errors: number): void {
    if (calls === 0) return
    if (this.#calls[pair] === undefined) {
      this.#calls[pair] = 0
      this.#errors[pair] = 0
      this.#numbers.push(pair)
    }
    this.#calls[pair]! += calls
    this.#errors[pair]! += errors
  }

  addCounts({ pairs, calls, errors }: LinkCounts): void {
    for (let i = 0; i < pairs.length; i++) this.add(pairs[i]!, calls[i]!, errors[i]!)
  }

  /** Pair, calls, errors; and so on; `pairs` says what their numbers mean. */
  addList(list: ArrayLike<number>, pairs: readonly { parent: string; child: string }[]): void {
    for (let at = 0; at < list.length; at += 3) {
      const { parent, child } = pairs[list[at]!]!
      this.add(this.#pairs.number(parent, child), list[at + 1]!, list[at + 2]!)
    }
  }

  addLinks(links: readonly DependencyLink[]): void {
    for (const { parent, child, callCount, errorCount = 0 } of links) {
      this.add(this.#pairs.number(parent, child), callCount, errorCount)
    }
  }

  counts(): LinkCounts {
    return {
      pairs: Uint32Array.from(this.#numbers),
      calls: Float64Array.from(this.#numbers, pair => this.#calls[pair]!),
      errors: Float64Array.from(this.#numbers, pair => this.#errors[pair]!),
    }
  }

  links(): DependencyLink[] {
    return this.#numbers.map(pair => {
      const link: DependencyLink = { ...this.#pairs.list[pair]!, callCount: this.#calls[pair]! }
      if (this.#errors[pair]! > 0) link.errorCount = this.#errors[pair]!
      return link
    })
  }
}
