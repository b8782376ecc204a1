import type { Message, Value } from '../schema/message.ts'
import type { Matcher, MatchInput, OnMatch, Predicate } from '../unified-matcher.ts'
import type { ParseContext } from './context.ts'
import { parseStringMatcher } from './matchers.ts'

/** Of an xds.type.matcher.v3.Matcher whose actions are of one kind. */
export function parseMatcher<Action>(
  message: Message,
  parseAction: (message: Message) => Action,
  context: ParseContext,
): Matcher<Action> {
  const onMatch = (on: Message | undefined): OnMatch<Action> | undefined => {
    const keepMatching = on?.boolean('keep_matching') ?? false
    const nested = on?.message('matcher')
    if (nested !== undefined) {
      return { type: 'matcher', matcher: parseMatcher(nested, parseAction, context), keepMatching }
    }
    const action = on?.message('action')?.message('typed_config')
    return action && { type: 'action', action: parseAction(action), keepMatching }
  }
  return { match: parseMatch(message, onMatch, context), onNoMatch: onMatch(message.message('on_no_match')) }
}

function parseMatch<Action>(
  message: Message,
  onMatch: (on: Message | undefined) => OnMatch<Action> | undefined,
  context: ParseContext,
): Matcher<Action>['match'] {
  const list = message.message('matcher_list')
  if (list !== undefined) {
    const matchers = list.messages('matchers').flatMap(matcher => {
      const on = onMatch(matcher.message('on_match'))
      const predicate = parsePredicate(matcher.message('predicate'), context)
      return on === undefined || predicate === undefined ? [] : [{ predicate, onMatch: on }]
    })
    return { type: 'list', matchers }
  }
  const tree = message.message('matcher_tree')
  const input = parseInput(tree?.message('input')?.message('typed_config'))
  for (const type of ['exact', 'prefix'] as const) {
    const entries = tree?.message(`${type}_match_map`)?.entries('map')
    if (entries === undefined || input === undefined) continue
    return { type, input, map: new Map([...entries].flatMap(entry => onEntry(entry, onMatch))) }
  }
  return { type: 'none' }
}

function onEntry<Action>(
  [key, value]: [string, Value],
  onMatch: (on: Message | undefined) => OnMatch<Action> | undefined,
): [string, OnMatch<Action>][] {
  const on = value.kind === 'message' ? onMatch(value) : undefined
  return on === undefined ? [] : [[key, on]]
}

function parsePredicate(message: Message | undefined, context: ParseContext): Predicate | undefined {
  const not = message?.message('not_matcher')
  if (not !== undefined) {
    const predicate = parsePredicate(not, context)
    return predicate && { type: 'not', predicate }
  }
  for (const type of ['and', 'or'] as const) {
    const list = message?.message(`${type}_matcher`)
    if (list === undefined) continue
    return { type, predicates: list.messages('predicate').flatMap(one => parsePredicate(one, context) ?? []) }
  }
  const single = message?.message('single_predicate')
  const input = parseInput(single?.message('input')?.message('typed_config'))
  if (single === undefined || input === undefined) return undefined
  return { type: 'single', input, matcher: parseStringMatcher(single.message('value_match'), context) }
}

const NETWORK = 'envoy.extensions.matching.common_inputs.network.v3.'

function parseInput(message: Message | undefined): MatchInput | undefined {
  switch (message?.type) {
    case 'envoy.type.matcher.v3.HttpRequestHeaderMatchInput':
      return { type: 'request_header', name: message.string('header_name').toLowerCase() }
    case `${NETWORK}DestinationIPInput`:
      return { type: 'destination_ip' }
    case `${NETWORK}DestinationPortInput`:
      return { type: 'destination_port' }
    case `${NETWORK}SourceIPInput`:
      return { type: 'source_ip' }
    case `${NETWORK}DirectSourceIPInput`:
      return { type: 'direct_source_ip' }
    case `${NETWORK}SourcePortInput`:
      return { type: 'source_port' }
    default:
      return undefined
  }
}
