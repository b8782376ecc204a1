import type { AccessLog } from '../access-log.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { parseAccessLogFilter } from './parse-access-log-filter.ts'
import { parseSubstitutionFormat, textFormat } from './substitution-format.ts'

/** Of an envoy.config.accesslog.v3.AccessLog; undefined when its type is not one of ours, which is noted elsewhere. */
export function parseAccessLog(message: Message, context: ParseContext): AccessLog | undefined {
  const config = message.message('typed_config')
  const given = message.message('filter')
  const filter = given && parseAccessLogFilter(given, context)
  const sink = config && sinkOf(config)
  if (sink === undefined) return undefined
  return { sink, ...parseFormatOf(config!, context), ...(filter === undefined ? {} : { filter }) }
}

function sinkOf(config: Message): AccessLog['sink'] | undefined {
  switch (config.type) {
    case 'envoy.extensions.access_loggers.file.v3.FileAccessLog':
      return { type: 'file', path: config.string('path') }
    case 'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog':
      return { type: 'stdout' }
    case 'envoy.extensions.access_loggers.stream.v3.StderrAccessLog':
      return { type: 'stderr' }
    default:
      return undefined
  }
}

/** The deprecated fields of a file's log are formats of one line, too. */
function parseFormatOf(config: Message, context: ParseContext): Pick<AccessLog, 'format'> {
  if (config.string('format') !== '') {
    return { format: { ...textFormat(config.string('format'), config.valuePlace('format'), context) } }
  }
  const format = config.message('log_format')
  const parsed = format && parseSubstitutionFormat(format, context)
  return parsed === undefined ? {} : { format: parsed }
}
