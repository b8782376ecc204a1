import { parseFormat } from '@hopscope/envoy-config'
import type { StreamInfo } from '../stream-info.ts'
import type { Formatter } from './formatter.ts'
import { cut, operators, type Reader } from './operators.ts'
import type { JsonText, Value } from './value.ts'

export interface FormatOptions {
  /** What stands for an operator that has no value: nothing in headers, `-` in text logs. */
  absent: '' | '-'
}

/** Compiles a format string. Texts that the loader refused throw here: a checked configuration has none. */
export function compileFormat(format: string, options: FormatOptions): Formatter {
  const parts = compileParts(format)
  const { absent } = options
  if (parts.every(part => typeof part === 'string')) {
    const text = parts.join('')
    return () => text
  }
  if (parts.length === 1) {
    const reader = parts[0] as Reader
    return info => textOf(reader(info), absent)
  }
  return info => {
    let text = ''
    for (const part of parts) text += typeof part === 'string' ? part : textOf(part(info), absent)
    return text
  }
}

/** As `compileFormat`, but a single operator keeps its type: number, text, or null when there is no value. */
export function compileTypedFormat(
  format: string,
  absent: FormatOptions['absent'] = '-',
): (info: StreamInfo) => string | number | JsonText | null {
  const parts = compileParts(format)
  const only = parts[0]
  if (parts.length === 1 && typeof only === 'function') return info => only(info) ?? null
  return compileFormat(format, { absent })
}

function compileParts(format: string): (string | Reader)[] {
  const parsed = parseFormat(format)
  if (!parsed.ok) throw new Error(parsed.error.message)
  return parsed.segments.map(segment => {
    if (segment.type === 'literal') return Buffer.from(segment.text, 'utf8').toString('latin1')
    const reader = operators[segment.operator](segment.args)
    const length = segment.maxLength
    if (length === undefined) return reader
    return info => {
      const value = reader(info)
      if (typeof value === 'object') return cut(value.json, length)
      return typeof value === 'string' ? cut(value, length) : value
    }
  })
}

function textOf(value: Value, absent: string): string {
  if (typeof value === 'string') return value
  if (value === undefined) return absent
  return typeof value === 'number' ? String(value) : value.json
}
