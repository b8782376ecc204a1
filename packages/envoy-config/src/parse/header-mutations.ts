import type { HeaderMutations, HeaderValueOption } from '../header-mutations.ts'
import type { Message } from '../schema/message.ts'
import { checkFormat, type ParseContext } from './context.ts'

/** The four lists of header changes that a route configuration, virtual host, route and weighted cluster have. */
export function parseHeaderMutations(message: Message, context: ParseContext): HeaderMutations {
  return {
    requestHeadersToAdd: parseAdditions(message, 'request_headers_to_add', context),
    requestHeadersToRemove: parseRemovals(message, 'request_headers_to_remove', context),
    responseHeadersToAdd: parseAdditions(message, 'response_headers_to_add', context),
    responseHeadersToRemove: parseRemovals(message, 'response_headers_to_remove', context),
  }
}

/** Envoy counts on `:path` and `host` after the router has chosen. */
function isProtected(name: string): boolean {
  return name.startsWith(':') || name.toLowerCase() === 'host'
}

/** Of a list of envoy.config.core.v3.HeaderValueOption. */
export function parseAdditions(message: Message, field: string, context: ParseContext): HeaderValueOption[] {
  return message.messages(field).map(option => parseAddition(option, context))
}

/** Of one that changes the head of a request or an answer. */
export function parseAddition(option: Message, context: ParseContext): HeaderValueOption {
  const header = option.message('header')
  if (header !== undefined && isProtected(header.string('key'))) {
    context.problems.add('invalid', header.valuePlace('key'), ':-prefixed or host headers may not be modified')
  }
  return parseHeaderValueOption(option, context)
}

/** Of an envoy.config.core.v3.HeaderValueOption. */
export function parseHeaderValueOption(option: Message, context: ParseContext): HeaderValueOption {
  const header = option.message('header')
  const key = header?.string('key') ?? ''
  const value = header?.string('value') ?? ''
  if (header !== undefined) {
    checkFormat(value, header.valuePlace('value'), context)
  }
  if (option.has('append') && option.enum('append_action', 'APPEND_IF_EXISTS_OR_ADD') !== 'APPEND_IF_EXISTS_OR_ADD') {
    context.problems.add(
      'invalid',
      option.place('append'),
      'cannot be set together with append_action: leave out append',
    )
  }
  const older = option.boolean('append', true) ? 'APPEND_IF_EXISTS_OR_ADD' : 'OVERWRITE_IF_EXISTS_OR_ADD'
  return {
    key: key.toLowerCase(),
    value,
    appendAction: option.has('append') ? older : option.enum<HeaderValueOption['appendAction']>('append_action', older),
    keepEmptyValue: option.boolean('keep_empty_value'),
  }
}

function parseRemovals(message: Message, field: string, context: ParseContext): string[] {
  return message.scalars(field).map(item => {
    const name = String(item.value)
    if (isProtected(name)) context.problems.add('invalid', item, ':-prefixed or host headers may not be removed')
    return name.toLowerCase()
  })
}
