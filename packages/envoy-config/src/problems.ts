import type { Problem } from './problem.ts'
import type { Offset, Sources } from './source/sources.ts'

/** Collects everything that is wrong, so that a user sees it all at once. */
export class Problems {
  #found: (Omit<Problem, 'file' | 'line' | 'column'> & { at: Offset })[] = []
  #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  add(kind: Problem['kind'], where: { at: Offset; path: string }, message: string): void {
    this.#found.push({ kind, at: where.at, path: where.path, message })
  }

  get count(): number {
    return this.#found.length
  }

  /** In the order of the text; what was said twice of one place is said once. */
  sorted(): Problem[] {
    const said = new Set<string>()
    const problems: Problem[] = []
    for (const { at, ...problem } of this.#found.toSorted((a, b) => a.at - b.at)) {
      const key = `${at} ${problem.path} ${problem.message}`
      if (said.has(key)) continue
      said.add(key)
      problems.push({ ...problem, ...this.#sources.locate(at) })
    }
    return problems
  }
}
