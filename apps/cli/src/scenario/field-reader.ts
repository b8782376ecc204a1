import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import { UserError } from '../user-error.ts'
import { BOUND_FORMS, isBound } from './bound.ts'
import { nearest } from './nearest.ts'
import type { Bound } from './scenario.ts'

export type Fields = Record<string, unknown>
export type Path = readonly (string | number)[]

/**
 * Takes fields out of a YAML file. What is not as expected is noted with its place, and something harmless is given in its stead, so
 * that whoever reads goes on and all problems are told at once.
 */
export class FieldReader {
  readonly #file: string
  readonly #problems: { offset: number; text: string }[] = []
  readonly #lines = new LineCounter()
  #contents: Node | null = null

  constructor(file: string) {
    this.#file = file
  }

  /** The fields of the whole file. @throws UserError when it is not YAML */
  parse(): Fields {
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
    } catch (error) {
      throw new UserError(`${this.#file}: cannot be read: ${(error as NodeJS.ErrnoException).code}`)
    }
    const document = parseDocument(text, { lineCounter: this.#lines, merge: true, prettyErrors: false })
    for (const error of document.errors) this.#problems.push({ offset: error.pos[0], text: error.message })
    this.#contents = document.contents
    this.end()
    return this.map(document.toJS(), [])
  }

  /** @throws UserError with every problem as `file:line:col: path: what` */
  end(): void {
    if (this.#problems.length > 0) throw new UserError(this.#report())
  }

  text(value: unknown, path: Path, otherwise?: string): string {
    if (value === undefined && otherwise !== undefined) return otherwise
    if (typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    this.problem(path, value === undefined ? 'is missing' : `expected a text, got ${JSON.stringify(value)}`)
    return ''
  }

  texts(value: unknown, path: Path): string[] {
    return this.list(value ?? [], path).map((item, i) => this.text(item, [...path, i]))
  }

  number(value: unknown, path: Path): number {
    if (typeof value === 'number' && value >= 0) return value
    this.problem(path, value === undefined ? 'is missing' : `expected a number, got ${JSON.stringify(value)}`)
    return 0
  }

  list(value: unknown, path: Path): unknown[] {
    if (Array.isArray(value)) return value
    this.problem(path, value === undefined ? 'is missing' : 'expected a list')
    return []
  }

  map(value: unknown, path: Path): Fields {
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Fields
    this.problem(path, value === undefined ? 'is missing' : 'expected a map')
    return {}
  }

  mapOf<T>(value: unknown, path: Path, read: (value: unknown, path: Path) => T): Record<string, T> {
    const fields = value === undefined ? {} : this.map(value, path)
    return Object.fromEntries(Object.entries(fields).map(([key, item]) => [key, read(item, [...path, key])]))
  }

  bound(value: unknown, path: Path): Bound {
    if (isBound(value)) return value
    this.problem(path, `expected ${BOUND_FORMS}, got ${JSON.stringify(value)}`)
    return 0
  }

  /** Two levels of names, then a bound: `proxy: { stat: bound }`. */
  bounds(value: unknown, path: Path): Record<string, Record<string, Bound>> {
    return this.mapOf(value, path, (item, place) => this.mapOf(item, place, (one, where) => this.bound(one, where)))
  }

  place(value: unknown, path: Path, more: readonly string[]): { service: string; port: number } {
    const fields = this.map(value, path)
    this.known(fields, path, ['service', 'port', ...more])
    return {
      service: this.text(fields.service, [...path, 'service']),
      port: this.number(fields.port, [...path, 'port']),
    }
  }

  known(fields: Fields, path: Path, names: readonly string[]): void {
    for (const key of Object.keys(fields)) {
      if (!names.includes(key)) this.problem([...path, key], `unknown field${nearest(key, names)}`)
    }
  }

  problem(path: Path, text: string): void {
    const shown = path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('')
    this.#problems.push({ offset: this.#offsetOf(path), text: shown === '' ? text : `${shown}: ${text}` })
  }

  /** Where the last key of the path stands, or the nearest one above it that is there. */
  #offsetOf(path: Path): number {
    let node: unknown = this.#contents
    let offset = 0
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find(item => isScalar(item.key) && String(item.key.value) === String(part))
        if (pair === undefined) return offset
        offset = (pair.key as Node).range?.[0] ?? offset
        node = pair.value
      } else {
        node = (node as { items?: unknown[] } | null)?.items?.[Number(part)]
        offset = (node as Node | undefined)?.range?.[0] ?? offset
      }
    }
    return offset
  }

  #report(): string {
    const short = relative(process.cwd(), this.#file)
    const shown = short.startsWith('..') ? this.#file : short
    return this.#problems
      .sort((a, b) => a.offset - b.offset)
      .map(({ offset, text }) => {
        const { line, col } = this.#lines.linePos(offset)
        return `${shown}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${text}`
      })
      .join('\n')
  }
}
