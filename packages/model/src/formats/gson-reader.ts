import { trimBlanks } from '../trim-blanks.ts'
import { DecodeError } from './decode-error.ts'

export type JsonToken =
  | 'BEGIN_ARRAY'
  | 'END_ARRAY'
  | 'BEGIN_OBJECT'
  | 'END_OBJECT'
  | 'NAME'
  | 'STRING'
  | 'NUMBER'
  | 'BOOLEAN'
  | 'NULL'

type Scope = 'empty-document' | 'document' | 'empty-array' | 'array' | 'empty-object' | 'object' | 'name-read'

interface Level {
  scope: Scope
  name: string | undefined
  index: number
}

/** Longer numbers do not fit Gson's buffer and count as malformed. */
const MAX_NUMBER_LENGTH = 1024
const NESTING_LIMIT = 255
const INTEGER = /^-?(?:0|[1-9]\d*)$/
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const LITERAL_END = /[/\\;#={}[\]:, \t\f\r\n]/
const JAVA_LONG = /^[+-]?\d+$/
const JAVA_DOUBLE = /^[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)$/
const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/**
 * A pull reader that takes and refuses the same texts as the JSON reader inside zipkin-server (Gson's, in its "legacy
 * strict" mode), and says so in the same words: line, column and path are part of the messages. It accepts more than
 * JSON does (raw control characters, `\'`, literals in any letter case, numbers within strings) and never looks behind
 * the value it was asked for. No recursion. Half as fast as it could be: ordinary bodies take the other way, see
 * `json-v2.ts`.
 */
export class GsonReader {
  readonly #text: string
  #position = 0
  #line = 1
  #lineStart = 0
  #peeked: JsonToken | undefined
  #literal = ''
  readonly #stack: Level[] = [{ scope: 'empty-document', name: undefined, index: 0 }]

  constructor(text: string) {
    this.#text = text
  }

  beginArray(): void {
    this.#expect('BEGIN_ARRAY', 'BEGIN_ARRAY')
    this.#push('empty-array')
  }

  endArray(): void {
    this.#expect('END_ARRAY', 'END_ARRAY')
    this.#pop()
  }

  beginObject(): void {
    this.#expect('BEGIN_OBJECT', 'BEGIN_OBJECT')
    this.#push('empty-object')
  }

  endObject(): void {
    this.#expect('END_OBJECT', 'END_OBJECT')
    this.#pop()
  }

  hasNext(): boolean {
    const token = this.peek()
    return token !== 'END_ARRAY' && token !== 'END_OBJECT'
  }

  nextName(): string {
    this.#expect('NAME', 'a name')
    const name = this.#readString()
    this.#top().name = name
    return name
  }

  /** A number is taken as the text it was written in. */
  nextString(): string {
    const token = this.peek()
    if (token !== 'STRING' && token !== 'NUMBER') throw this.#unexpected('a string')
    const value = token === 'STRING' ? this.#readString() : this.#takeLiteral()
    this.#valueDone()
    return value
  }

  nextBoolean(): boolean {
    if (this.peek() !== 'BOOLEAN') throw this.#unexpected('a boolean')
    const value = this.#literal === 'true'
    this.#valueDone()
    return value
  }

  /** An int64 as a number: exact to 2^53, the nearest double beyond. */
  nextLong(): number {
    return this.#nextInteger('long', INT64_MIN, INT64_MAX)
  }

  nextInt(): number {
    return this.#nextInteger('int', -(2n ** 31n), 2n ** 31n - 1n)
  }

  skipValue(): void {
    let depth = 0
    do {
      switch (this.peek()) {
        case 'BEGIN_ARRAY':
          this.#peeked = undefined
          this.#push('empty-array')
          depth++
          break
        case 'BEGIN_OBJECT':
          this.#peeked = undefined
          this.#push('empty-object')
          depth++
          break
        case 'END_ARRAY':
        case 'END_OBJECT':
          this.#pop()
          depth--
          break
        case 'NAME':
          this.#peeked = undefined
          this.#readString()
          break
        case 'STRING':
          this.#readString()
          this.#valueDone()
          break
        case 'NUMBER':
          this.#takeLiteral()
          this.#valueDone()
          break
        default:
          this.#valueDone()
      }
    } while (depth > 0)
  }

  /** Where the reader stands: `$[0].tags.a`. */
  path(): string {
    let path = '$'
    for (const { scope, name, index } of this.#stack) {
      if (scope === 'empty-array' || scope === 'array') path += `[${index}]`
      else if (scope === 'empty-object' || scope === 'object' || scope === 'name-read') path += `.${name ?? ''}`
    }
    return path
  }

  /** The kind of what comes next, with everything before it read. */
  peek(): JsonToken {
    this.#peeked ??= this.#readToken()
    return this.#peeked
  }

  #readToken(): JsonToken {
    const level = this.#top()
    switch (level.scope) {
      case 'empty-array':
        level.scope = 'array'
        break
      case 'array': {
        const c = this.#nextNonBlank()
        if (c === ']') return 'END_ARRAY'
        if (c !== ',') throw this.#malformed()
        return this.#readValueToken(false)
      }
      case 'empty-object':
      case 'object': {
        const isFirst = level.scope === 'empty-object'
        level.scope = 'name-read'
        if (!isFirst) {
          const c = this.#nextNonBlank()
          if (c === '}') return 'END_OBJECT'
          if (c !== ',') throw this.#malformed()
        }
        const c = this.#nextNonBlank()
        if (c === '"') return 'NAME'
        if (c === '}' && isFirst) return 'END_OBJECT'
        throw this.#malformed()
      }
      case 'name-read':
        level.scope = 'object'
        if (this.#nextNonBlank() !== ':') throw this.#malformed()
        break
      case 'empty-document':
        level.scope = 'document'
        return this.#readValueToken(false)
      default:
        throw this.#malformed()
    }
    return this.#readValueToken(level.scope === 'array')
  }

  #readValueToken(mayEndArray: boolean): JsonToken {
    const c = this.#nextNonBlank()
    if (c === '"') return 'STRING'
    if (c === '[') return 'BEGIN_ARRAY'
    if (c === '{') return 'BEGIN_OBJECT'
    if (c === ']' && mayEndArray) return 'END_ARRAY'
    const start = this.#position - 1
    for (const word of ['true', 'false', 'null'] as const) {
      if (this.#text.slice(start, start + word.length).toLowerCase() !== word) continue
      if (this.#isLiteralAt(start + word.length)) break
      this.#position = start + word.length
      this.#literal = word
      return word === 'null' ? 'NULL' : 'BOOLEAN'
    }
    NUMBER.lastIndex = start
    const number = NUMBER.exec(this.#text)?.[0]
    if (number === undefined || this.#isLiteralAt(start + number.length)) throw this.#malformed()
    if (number.length >= MAX_NUMBER_LENGTH) throw this.#malformed()
    this.#literal = number
    // Gson moves over what fits an int64 while it peeks, over any other number only when it is taken: it shows in columns.
    this.#position = isPlainLong(number) ? start + number.length : start
    return 'NUMBER'
  }

  #isLiteralAt(position: number): boolean {
    return position < this.#text.length && !LITERAL_END.test(this.#text[position]!)
  }

  #nextNonBlank(): string {
    const text = this.#text
    while (this.#position < text.length) {
      const c = text[this.#position++]!
      if (c === '\n') {
        this.#line++
        this.#lineStart = this.#position
      } else if (c !== ' ' && c !== '\r' && c !== '\t') return c
    }
    throw new DecodeError('end_of_input', `End of input${this.#where()}`)
  }

  /** The rest of a string, whose opening quote is read. */
  #readString(): string {
    const text = this.#text
    let value = ''
    let start = this.#position
    for (;;) {
      if (this.#position >= text.length) throw this.#malformed()
      const c = text.charCodeAt(this.#position++)
      if (c === 0x22) return value + text.slice(start, this.#position - 1)
      if (c === 0x5c) {
        value += text.slice(start, this.#position - 1) + this.#readEscape()
        start = this.#position
      } else if (c === 0x0a) {
        this.#line++
        this.#lineStart = this.#position
      }
    }
  }

  #readEscape(): string {
    const c = this.#text[this.#position++]
    switch (c) {
      case 'u': {
        const hex = this.#text.slice(this.#position, this.#position + 4)
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw this.#malformed()
        this.#position += 4
        return String.fromCharCode(Number.parseInt(hex, 16))
      }
      case 't':
        return '\t'
      case 'b':
        return '\b'
      case 'n':
        return '\n'
      case 'r':
        return '\r'
      case 'f':
        return '\f'
      case '\n':
        this.#line++
        this.#lineStart = this.#position
        return '\n'
      case "'":
      case '"':
      case '\\':
      case '/':
        return c
      default:
        throw this.#malformed()
    }
  }

  #nextInteger(type: 'long' | 'int', min: bigint, max: bigint): number {
    const token = this.peek()
    if (token !== 'STRING' && token !== 'NUMBER') throw this.#unexpected(type === 'int' ? 'an int' : 'a long')
    const text = token === 'STRING' ? this.#readString() : this.#takeLiteral()
    const isLong = token === 'STRING' ? JAVA_LONG.test(text) : INTEGER.test(text)
    if (!(isLong && isWithin(text, min, max))) {
      const double = parseJavaDouble(text)
      // As Java casts: fractions are cut, what is too large saturates, NaN is 0; equal again or refused.
      const clamped = Math.min(Math.max(Math.trunc(double), Number(min)), Number(max))
      if (clamped !== double) {
        throw new DecodeError(
          'bad_number',
          `Expected ${type === 'int' ? 'an int' : 'a long'} but was ${text}${this.#where()}`,
        )
      }
    }
    this.#valueDone()
    return Number(trimBlanks(text).replace(/[fFdD]$/, ''))
  }

  #takeLiteral(): string {
    if (!isPlainLong(this.#literal)) this.#position += this.#literal.length
    return this.#literal
  }

  #valueDone(): void {
    this.#peeked = undefined
    this.#top().index++
  }

  #expect(token: JsonToken, name: string): void {
    if (this.peek() !== token) throw this.#unexpected(name)
    this.#peeked = undefined
  }

  #push(scope: Scope): void {
    if (this.#stack.length > NESTING_LIMIT) {
      throw new DecodeError('malformed', `Nesting limit ${NESTING_LIMIT} reached${this.#where()}`)
    }
    this.#stack.push({ scope, name: undefined, index: 0 })
  }

  #pop(): void {
    this.#stack.pop()
    this.#valueDone()
  }

  #top(): Level {
    return this.#stack[this.#stack.length - 1]!
  }

  #where(): string {
    return ` at line ${this.#line} column ${this.#position - this.#lineStart + 1} path ${this.path()}`
  }

  #unexpected(expected: string): DecodeError {
    // zipkin-server tells no more than this of a list or an object that is something else.
    if (expected === 'BEGIN_ARRAY' || expected === 'BEGIN_OBJECT') return this.#malformed()
    return new DecodeError('wrong_type', `Expected ${expected} but was ${this.peek()}${this.#where()}`)
  }

  #malformed(): DecodeError {
    return new DecodeError('malformed', 'Malformed')
  }
}

function isPlainLong(number: string): boolean {
  return INTEGER.test(number) && number !== '-0' && isWithin(number, INT64_MIN, INT64_MAX)
}

function isWithin(text: string, min: bigint, max: bigint): boolean {
  if (text.length < 10) return true
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  return value >= min && value <= max
}

function parseJavaDouble(text: string): number {
  const trimmed = trimBlanks(text)
  if (trimmed === '') throw new DecodeError('bad_number', 'empty String')
  if (!JAVA_DOUBLE.test(trimmed)) throw new DecodeError('bad_number', `For input string: "${text}"`)
  return Number(trimmed.replace(/[fFdD]$/, ''))
}
