import type { HeaderValueOption } from '../../header-mutations.ts'
import type {
  HeaderMutation,
  HeaderMutationFilter,
  QueryParameterMutation,
} from '../../http-filters/header-mutation.ts'
import type { Message } from '../../schema/message.ts'
import { checkFormat, type ParseContext } from '../context.ts'
import { parseAddition } from '../header-mutations.ts'
import { parseStringMatcher } from '../matchers.ts'

/** Of an envoy.extensions.filters.http.header_mutation.v3.HeaderMutation or HeaderMutationPerRoute. */
export function parseHeaderMutation(message: Message, context: ParseContext): HeaderMutationFilter {
  const mutations = message.message('mutations')
  const of = (field: string) => (mutations?.messages(field) ?? []).map(one => parseHeaderMutationRule(one, context))
  return {
    type: 'header_mutation',
    request: of('request_mutations'),
    response: of('response_mutations'),
    queryParameters: (mutations?.messages('query_parameter_mutations') ?? []).flatMap(one =>
      parseQueryParameter(one, context),
    ),
    mostSpecificWins: message.boolean('most_specific_header_mutations_wins'),
  }
}

/** Of an envoy.config.common.mutation_rules.v3.HeaderMutation. */
export function parseHeaderMutationRule(message: Message, context: ParseContext): HeaderMutation {
  const option = message.message('append')
  if (option !== undefined) return { type: 'append', option: parseAddition(option, context) }
  const matcher = message.message('remove_on_match')?.message('key_matcher')
  if (matcher !== undefined) return { type: 'remove_on_match', matcher: parseStringMatcher(matcher, context) }
  return { type: 'remove', name: message.string('remove').toLowerCase() }
}

/** Of an envoy.config.core.v3.KeyValueMutation; a value that is no text is left as JSON. */
function parseQueryParameter(message: Message, context: ParseContext): QueryParameterMutation[] {
  const append = message.message('append')
  const record = append?.message('record')
  const mutations: QueryParameterMutation[] = []
  if (append !== undefined && record !== undefined) {
    const plain = record.plain('value')
    const value = typeof plain === 'string' ? plain : JSON.stringify(plain ?? '')
    checkFormat(value, record.valuePlace('value'), context)
    const action = append.enum<HeaderValueOption['appendAction']>('action', 'APPEND_IF_EXISTS_OR_ADD')
    mutations.push({ type: 'append', key: record.string('key'), value, action })
  }
  if (message.string('remove') !== '') mutations.push({ type: 'remove', key: message.string('remove') })
  return mutations
}
