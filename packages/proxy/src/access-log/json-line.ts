import type { JsonFormat } from '@hopscope/envoy-config'
import { compileTypedFormat } from '../format/compile-format.ts'
import type { Formatter } from '../format/formatter.ts'
import type { StreamInfo } from '../stream-info.ts'

type Part = string | ((info: StreamInfo) => string)

/** One JSON object a line, keys sorted on every level; single operators keep their type. */
export function compileJsonLine(format: JsonFormat): Formatter {
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
    // Whole numbers stay numbers, others become texts.
    parts.push(Number.isInteger(value) ? String(value) : `"${value}"`)
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
      parts.push(`${i > 0 ? ',' : ''}${quoteJson(Buffer.from(key, 'utf8').toString('latin1'))}:`)
      writeValue((value as Record<string, unknown>)[key], parts)
    }
    parts.push('}')
  } else parts.push('null')
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

function jsonOf(value: string | number | null): string {
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
