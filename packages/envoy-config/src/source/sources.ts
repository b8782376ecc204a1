/** A place in the texts that one configuration was read from: see `Sources`. */
export type Offset = number

interface SourceText {
  name: string
  text: string
  base: Offset
}

/** The texts of a configuration (the file, `--config-yaml`), as one line of offsets: what was merged still knows its place. */
export class Sources {
  #texts: SourceText[] = []
  #end: Offset = 0

  /** Gives the offset at which this text begins. */
  add(name: string, text: string): Offset {
    const base = this.#end
    this.#texts.push({ name, text, base })
    this.#end += text.length + 1
    return base
  }

  /** Line and column count from 1. */
  locate(at: Offset): { file: string; line: number; column: number } {
    const source = this.#texts.findLast(text => text.base <= at)
    if (source === undefined) return { file: '', line: 1, column: 1 }
    const before = source.text.slice(0, at - source.base)
    const lineStart = before.lastIndexOf('\n') + 1
    const line = before.length === 0 ? 1 : before.split('\n').length
    return { file: source.name, line, column: before.length - lineStart + 1 }
  }
}
