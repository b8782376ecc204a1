/** Texts by number, each once. */
export class StringTable {
  readonly strings: string[] = []
  readonly #index = new Map<string, number>()

  add(text: string): number {
    let index = this.#index.get(text)
    if (index === undefined) {
      index = this.strings.length
      this.strings.push(text)
      this.#index.set(text, index)
    }
    return index
  }

  /** -1 where there is none. */
  addOptional(text: string | undefined): number {
    return text === undefined ? -1 : this.add(text)
  }
}
