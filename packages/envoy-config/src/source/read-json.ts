import type { Problems } from '../problems.ts'
import type { SourceEntry, SourceNode } from './node.ts'
import type { Offset } from './sources.ts'

/**
 * Reads JSON with positions; undefined and a noted problem when it is not JSON. Like protobuf's reader it also takes a
 * trailing comma and single quotes.
 */
export function readJson(text: string, base: Offset, problems: Problems): SourceNode | undefined {
  let at = 0
  const skipSpace = (): void => {
    while (at < text.length && ' \n\r\t'.includes(text[at]!)) at++
  }
  const fail = (expected: string): never => {
    const found = at < text.length ? `found '${text[at]}'` : 'found the end of the file'
    throw new JsonError(at, `not valid JSON: expected ${expected}, ${found}`)
  }
  /** Items until `close`, commas between. */
  const each = (close: string, item: () => void): void => {
    at++
    for (skipSpace(); text[at] !== close; skipSpace()) {
      item()
      skipSpace()
      if (text[at] === ',') at++
      else if (text[at] !== close) fail(`',' or '${close}'`)
    }
    at++
  }
  const readString = (): string => {
    const start = at
    const quote = text[at++]
    while (at < text.length && text[at] !== quote) at += text[at] === '\\' ? 2 : 1
    if (at >= text.length) fail('the end of the string')
    const inner = text.slice(start + 1, at++)
    const quoted = quote === '"' ? inner : inner.replaceAll("\\'", "'").replaceAll('"', '\\"')
    try {
      return JSON.parse(`"${quoted}"`) as string
    } catch {
      throw new JsonError(start, 'not valid JSON: a bad escape or a control character in this string')
    }
  }
  const readEntry = (): SourceEntry => {
    const keyAt = base + at
    if (text[at] !== '"' && text[at] !== "'") fail('a quoted field name')
    const key = readString()
    skipSpace()
    if (text[at] !== ':') fail("':'")
    at++
    skipSpace()
    return { key, at: keyAt, value: readValue() }
  }
  const readValue = (): SourceNode => {
    const start = base + at
    if (text[at] === '{') {
      const entries: SourceEntry[] = []
      each('}', () => entries.push(readEntry()))
      return { kind: 'map', at: start, entries }
    }
    if (text[at] === '[') {
      const items: SourceNode[] = []
      each(']', () => items.push(readValue()))
      return { kind: 'list', at: start, items }
    }
    if (text[at] === '"' || text[at] === "'") return { kind: 'scalar', at: start, value: readString() }
    const [word] = /^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?)/.exec(text.slice(at, at + 400)) ?? []
    if (word === undefined) return fail('a value')
    at += word.length
    // Integers beyond what a double can hold keep their digits.
    const value = JSON.parse(word) as number | boolean | null
    const unsafe = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
    return { kind: 'scalar', at: start, value: unsafe ? word : value }
  }
  try {
    skipSpace()
    if (at === text.length) fail("'{'")
    const value = readValue()
    skipSpace()
    if (at < text.length) fail('the end of the file')
    return value
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    problems.add('syntax', { at: base + error.at, path: '' }, error.message)
    return undefined
  }
}

class JsonError extends Error {
  readonly at: number

  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}
