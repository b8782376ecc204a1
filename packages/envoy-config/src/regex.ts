import { createRequire } from 'node:module'
import type { RE2JS } from 're2js'

/** A compiled RE2 pattern: linear in the text, whatever the pattern. Texts are bytes, one a character, as header values are held. */
export interface Regex {
  /** Whether all of `text` matches (Envoy's `safe_regex` is never a search). */
  matches(text: string): boolean
  /** Whether a part of `text` does. */
  finds(text: string): boolean
  /** Every match replaced; `\1` is its first group, `\0` all of it. (RE2 `GlobalReplace`) */
  replaceAll(text: string, substitution: string): string
}

// Envoy 1.40 words the mistake as RE2 does: `missing ): (`.
export class RegexError extends Error {
  override readonly name = 'RegexError'
}

/** Throws a `RegexError` for what is no RE2 pattern. The engine is loaded with the first pattern: most files have none. */
export function compileRegex(pattern: string): Regex {
  const { RE2JS } = loadEngine()
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch (error) {
    throw new RegexError(wordsOfRe2((error as Error).message), { cause: error })
  }
  return {
    matches: text => compiled.testExact(HIGH.test(text) ? Buffer.from(text, 'latin1') : text),
    finds: text => compiled.test(HIGH.test(text) ? Buffer.from(text, 'latin1') : text),
    replaceAll: (text, substitution) =>
      HIGH.test(text)
        ? fromUtf8(replaceAll(compiled, toUtf8(text), substitution))
        : replaceAll(compiled, text, substitution),
  }
}

/** The engine has the words of Go's copy of RE2; these are those of the original. */
const WORDS: readonly (readonly [go: string, re2: string])[] = [
  ['missing closing ', 'missing '],
  ['missing argument to repetition operator', 'no argument for repetition operator'],
  ['invalid nested repetition operator', 'bad repetition operator'],
  ['invalid repeat count', 'invalid repetition size'],
  ['invalid or unsupported Perl syntax', 'invalid perl operator'],
  ['invalid named capture', 'invalid named capture group'],
  ['trailing backslash at end of expression', 'trailing \\'],
]

function wordsOfRe2(message: string): string {
  const text = message.replace(/^error parsing regexp: /, '').replace(/: `(.*)`$/s, ': $1')
  const [go, re2] = WORDS.find(([go]) => text.startsWith(go)) ?? ['', '']
  return re2 + text.slice(go.length)
}

let engine: typeof import('re2js') | undefined

function loadEngine(): typeof import('re2js') {
  engine ??= createRequire(import.meta.url)('re2js') as typeof import('re2js')
  return engine
}

const HIGH = /[\x80-\xff]/

function toUtf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8')
}

function fromUtf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

function replaceAll(compiled: RE2JS, text: string, substitution: string): string {
  const matcher = compiled.matcher(text)
  let result = ''
  let at = 0
  let lastEnd = -1
  while (matcher.find()) {
    // RE2 has no empty match at the end of the one before.
    if (matcher.start() === lastEnd && matcher.end() === lastEnd) continue
    lastEnd = matcher.end()
    result += text.slice(at, matcher.start())
    result += substitution.replace(/\\([0-9\\])/g, (_, c: string) =>
      c === '\\' ? c : (matcher.group(Number(c)) ?? ''),
    )
    at = matcher.end()
  }
  return result + text.slice(at)
}

/** The highest group that a substitution asks for, and whether it is well-formed. */
export function checkSubstitution(pattern: string, substitution: string): string | undefined {
  if (/(?<!\\)(?:\\\\)*\\(?![0-9\\])/.test(substitution))
    return 'a backslash has to be followed by a digit or another backslash'
  const groups = loadEngine().RE2JS.compile(pattern).groupCount()
  const asked = Math.max(
    0,
    ...[...substitution.replaceAll('\\\\', '').matchAll(/\\([0-9])/g)].map(match => Number(match[1])),
  )
  return asked > groups ? `asks for group ${asked}, but the pattern has ${groups}` : undefined
}
