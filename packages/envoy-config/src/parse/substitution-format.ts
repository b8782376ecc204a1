import type { JsonFormat, SubstitutionFormat } from '../access-log.ts'
import type { Message, Place } from '../schema/message.ts'
import { checkFormat, type ParseContext } from './context.ts'
import { readDataSource } from './data-source.ts'

/** Of an envoy.config.core.v3.SubstitutionFormatString; undefined when it says no format, which is noted elsewhere. */
export function parseSubstitutionFormat(message: Message, context: ParseContext): SubstitutionFormat | undefined {
  const common = {
    omitEmptyValues: message.boolean('omit_empty_values'),
    contentType: message.string('content_type'),
  }
  if (message.has('json_format')) {
    const json = message.plain('json_format') as JsonFormat
    checkLeaves(json, message.valuePlace('json_format'), context)
    return { json, ...common }
  }
  const source = message.message('text_format_source')
  if (source !== undefined) {
    const bytes = readDataSource(source, context) ?? new Uint8Array()
    return {
      ...textFormat(new TextDecoder().decode(bytes), message.valuePlace('text_format_source'), context),
      ...common,
    }
  }
  if (!message.has('text_format')) return undefined
  return { ...textFormat(message.string('text_format'), message.valuePlace('text_format'), context), ...common }
}

export function textFormat(text: string, place: Place, context: ParseContext): { text: string } {
  checkFormat(text, place, context)
  return { text }
}

function checkLeaves(value: unknown, place: Place, context: ParseContext): void {
  if (typeof value === 'string') checkFormat(value, place, context)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, nested] of Object.entries(value))
      checkLeaves(nested, { at: place.at, path: `${place.path}.${key}` }, context)
  }
}
