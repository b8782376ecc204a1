import type { SubstitutionFormat } from '@hopscope/envoy-config'
import { compileFormat } from './compile-format.ts'
import type { Formatter } from './formatter.ts'
import { compileJsonLine } from './json-line.ts'

/** Of a log line or a local reply's body: a text as it is written, or one JSON object and a line end. */
export function compileSubstitution(format: SubstitutionFormat): Formatter {
  const omitEmpty = format.omitEmptyValues ?? false
  if ('json' in format) return compileJsonLine(format.json, omitEmpty)
  return compileFormat(format.text, { absent: omitEmpty ? '' : '-' })
}
