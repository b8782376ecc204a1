import type { MetadataMatcher, ValueMatcher } from '../metadata-matcher.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { parseStringMatcher } from './matchers.ts'

/** Of an envoy.type.matcher.v3.MetadataMatcher. */
export function parseMetadataMatcher(message: Message, context: ParseContext): MetadataMatcher {
  return {
    namespace: message.string('filter'),
    path: message.messages('path').map(segment => segment.string('key')),
    value: parseValueMatcher(message.message('value'), context),
    invert: message.boolean('invert'),
  }
}

function parseValueMatcher(message: Message | undefined, context: ParseContext): ValueMatcher {
  const number = message?.message('double_match')
  if (number !== undefined) {
    const range = number.message('range')
    if (range !== undefined) return { type: 'number', start: range.number('start'), end: range.number('end') }
    return { type: 'number', start: number.number('exact'), end: number.number('exact') }
  }
  if (message?.has('string_match')) {
    return { type: 'string', matcher: parseStringMatcher(message.message('string_match'), context) }
  }
  if (message?.has('bool_match')) return { type: 'bool', value: message.boolean('bool_match') }
  if (message?.has('present_match')) return { type: 'present', present: message.boolean('present_match') }
  const list = message?.message('list_match')
  if (list !== undefined) return { type: 'list', item: parseValueMatcher(list.message('one_of'), context) }
  const or = message?.message('or_match')
  if (or === undefined) return { type: 'null' }
  return { type: 'or', matchers: or.messages('value_matchers').map(one => parseValueMatcher(one, context)) }
}
