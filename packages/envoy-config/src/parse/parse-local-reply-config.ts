import type { LocalReplyConfig, ResponseMapper } from '../local-reply.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { readDataSource } from './data-source.ts'
import { parseAdditions } from './header-mutations.ts'
import { parseAccessLogFilter } from './parse-access-log-filter.ts'
import { parseSubstitutionFormat } from './substitution-format.ts'

/** Of HttpConnectionManager.LocalReplyConfig. */
export function parseLocalReplyConfig(message: Message, context: ParseContext): LocalReplyConfig {
  const format = message.message('body_format')
  const bodyFormat = format && parseSubstitutionFormat(format, context)
  return {
    mappers: message.messages('mappers').flatMap(mapper => parseMapper(mapper, context) ?? []),
    ...(bodyFormat === undefined ? {} : { bodyFormat }),
  }
}

function parseMapper(message: Message, context: ParseContext): ResponseMapper | undefined {
  const filter = message.message('filter')
  const parsed = filter && parseAccessLogFilter(filter, context)
  const source = message.message('body')
  const body = source && (readDataSource(source, context) ?? new Uint8Array())
  const headersToAdd = parseAdditions(message, 'headers_to_add', context)
  const override = message.message('body_format_override')
  const format = override && parseSubstitutionFormat(override, context)
  if (parsed === undefined) return undefined
  return {
    filter: parsed,
    ...(message.has('status_code') ? { statusCode: message.number('status_code') } : {}),
    ...(body === undefined ? {} : { body }),
    ...(format === undefined ? {} : { bodyFormatOverride: format }),
    headersToAdd,
  }
}
