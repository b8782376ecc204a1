import type { JsonFormat, JsonFormatValue } from '@hopscope/envoy-config'
import type { StreamInfo } from '../stream-info.ts'
import { compileTypedFormat } from './compile-format.ts'
import type { Formatter } from './formatter.ts'
import type { JsonText } from './value.ts'

type Part = string | ((info: StreamInfo) => string)

/**
 * One JSON object a line, keys sorted on every level; single operators keep their type. With `omitEmpty` what has no value is not there:
 * no key, no element, no part of a text.
 */
export function compileJsonLine(format: JsonFormat, omitEmpty: boolean): Formatter {
  if (omitEmpty) {
    const write = compileSparse(format)
    return info => `${write(info) ?? '{}'}\n`
  }
  const parts: Part[] = []
  writeValue(format, parts)
  parts.push('\n')
  const merged = mergeTexts(parts)
  return info => {
    let line = ''
    for (const part of merged) line += typeof part === 'string' ? part : part(info)
    return line
  }
}

function writeValue(value: unknown, parts: Part[]): void {
  if (typeof value === 'string') {
    const read = compileTypedFormat(value)
    parts.push(info => jsonOf(read(info)))
  } else if (typeof value === 'number') {
    parts.push(String(value))
  } else if (typeof value === 'boolean') parts.push(String(value))
  else if (Array.isArray(value)) {
    parts.push('[')
    for (const [i, element] of value.entries()) {
      if (i > 0) parts.push(',')
      writeValue(element, parts)
    }
    parts.push(']')
  } else if (typeof value === 'object' && value !== null) {
    parts.push('{')
    for (const [i, key] of Object.keys(value).sort(byBytes).entries()) {
      parts.push(`${i > 0 ? ',' : ''}${quoteJson(bytesOf(key))}:`)
      writeValue((value as Record<string, unknown>)[key], parts)
    }
    parts.push('}')
  } else parts.push('null')
}

/** Undefined: there is nothing to write. */
type Sparse = (info: StreamInfo) => string | undefined

function compileSparse(value: JsonFormatValue): Sparse {
  if (typeof value === 'string') {
    const read = compileTypedFormat(value, '')
    return info => {
      const given = read(info)
      return given === null ? undefined : jsonOf(given)
    }
  }
  if (value === null) return () => undefined
  if (typeof value !== 'object') {
    const parts: Part[] = []
    writeValue(value, parts)
    const text = parts.join('')
    return () => text
  }
  if (Array.isArray(value)) {
    const elements = (value as readonly JsonFormatValue[]).map(compileSparse)
    return info => `[${elements.flatMap(element => element(info) ?? []).join(',')}]`
  }
  const fields = Object.keys(value)
    .sort(byBytes)
    .map(key => [quoteJson(bytesOf(key)), compileSparse((value as JsonFormat)[key]!)] as const)
  return info => {
    let text = ''
    for (const [key, write] of fields) {
      const written = write(info)
      if (written !== undefined) text += `${text === '' ? '' : ','}${key}:${written}`
    }
    return text === '' ? undefined : `{${text}}`
  }
}

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

function jsonOf(value: string | number | JsonText | null): string {
  if (typeof value === 'object' && value !== null) return value.json
  return typeof value === 'string' ? quoteJson(value) : String(value)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const SPECIAL = /[\x00-\x1f"\\\x7f]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const SPECIAL_OR_HIGH = /[\x00-\x1f"\\\x7f-\xff]/g
const HIGH = /[\x80-\xff]/

/** `text` is bytes, one a character. Where they are not UTF-8 every byte beyond ASCII becomes `\u00xx`, as in Envoy's logs. */
function quoteJson(text: string): string {
  if (HIGH.test(text) && !isUtf8(text)) return `"${text.replace(SPECIAL_OR_HIGH, escapeNumeric)}"`
  return `"${text.replace(SPECIAL, escapeOf)}"`
}

function isUtf8(text: string): boolean {
  const bytes = Buffer.from(text, 'latin1')
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes)
}

function escapeOf(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  if (character === '\t') return '\\t'
  if (character === '\b') return '\\b'
  if (character === '\f') return '\\f'
  return escapeNumeric(character)
}

function escapeNumeric(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function mergeTexts(parts: readonly Part[]): Part[] {
  const merged: Part[] = []
  for (const part of parts) {
    const last = merged.at(-1)
    if (typeof part === 'string' && typeof last === 'string') merged[merged.length - 1] = last + part
    else merged.push(part)
  }
  return merged
}
