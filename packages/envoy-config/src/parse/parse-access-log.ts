import type { AccessLog, JsonFormat } from '../listener.ts'
import type { Message, Place } from '../schema/message.ts'
import { checkFormat, type ParseContext } from './context.ts'
import { readDataSource } from './data-source.ts'

/** Of an envoy.config.accesslog.v3.AccessLog; undefined when its type is not one of ours, which is noted elsewhere. */
export function parseAccessLog(message: Message, context: ParseContext): AccessLog | undefined {
  const config = message.message('typed_config')
  switch (config?.type) {
    case 'envoy.extensions.access_loggers.file.v3.FileAccessLog':
      return { sink: { type: 'file', path: config.string('path') }, ...parseFormatOf(config, context) }
    case 'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog':
      return { sink: { type: 'stdout' }, ...parseFormatOf(config, context) }
    case 'envoy.extensions.access_loggers.stream.v3.StderrAccessLog':
      return { sink: { type: 'stderr' }, ...parseFormatOf(config, context) }
    default:
      return undefined
  }
}

function parseFormatOf(config: Message, context: ParseContext): Pick<AccessLog, 'format'> {
  if (config.string('format') !== '') return text(config.string('format'), config.valuePlace('format'), context)
  const format = config.message('log_format')
  if (format === undefined) return {}
  const source = format.message('text_format_source')
  if (source !== undefined) {
    const bytes = readDataSource(source, context) ?? new Uint8Array()
    return text(new TextDecoder().decode(bytes), format.valuePlace('text_format_source'), context)
  }
  if (format.has('json_format')) {
    const json = format.plain('json_format') as JsonFormat
    checkLeaves(json, format.valuePlace('json_format'), context)
    return { format: { json } }
  }
  if (format.has('text_format')) return text(format.string('text_format'), format.valuePlace('text_format'), context)
  return {}
}

function text(format: string, place: Place, context: ParseContext): Pick<AccessLog, 'format'> {
  checkFormat(format, place, context)
  return { format: { text: format } }
}

function checkLeaves(value: unknown, place: Place, context: ParseContext): void {
  if (typeof value === 'string') checkFormat(value, place, context)
  else if (value === null || Array.isArray(value)) {
    context.problems.add(
      'unsupported',
      place,
      'Envoy knows null and lists in a JSON format; Hopscope does not support them yet',
    )
  } else if (typeof value === 'object') {
    for (const [key, nested] of Object.entries(value))
      checkLeaves(nested, { at: place.at, path: `${place.path}.${key}` }, context)
  }
}
