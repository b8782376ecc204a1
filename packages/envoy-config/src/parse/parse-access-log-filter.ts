import type { AccessLogFilter, Comparison } from '../access-log.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { parseHeaderMatcher } from './matchers.ts'
import { parseMetadataMatcher } from './metadata-matcher.ts'
import { parseFraction } from './percent.ts'

const GRPC_STATUSES = (
  'OK CANCELED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED ' +
  'FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'
).split(' ')

/** Of an envoy.config.accesslog.v3.AccessLogFilter; undefined when it is none of ours, which is noted elsewhere. */
export function parseAccessLogFilter(message: Message, context: ParseContext): AccessLogFilter | undefined {
  const [name] = message.fields.keys()
  const filter = message.message(name ?? '')
  if (filter === undefined) return undefined
  switch (name) {
    case 'status_code_filter':
      return { type: 'status_code', comparison: parseComparison(filter.message('comparison')) }
    case 'duration_filter':
      return { type: 'duration', comparison: parseComparison(filter.message('comparison')) }
    case 'not_health_check_filter':
      return { type: 'not_health_check' }
    case 'traceable_filter':
      return { type: 'traceable' }
    case 'runtime_filter':
      return {
        type: 'runtime',
        runtimeKey: filter.string('runtime_key'),
        percentSampled: parseFraction(filter.message('percent_sampled'), { numerator: 0, denominator: 100 }),
        useIndependentRandomness: filter.boolean('use_independent_randomness'),
      }
    case 'and_filter':
    case 'or_filter':
      return {
        type: name === 'and_filter' ? 'and' : 'or',
        filters: filter.messages('filters').flatMap(one => parseAccessLogFilter(one, context) ?? []),
      }
    case 'header_filter': {
      const header = filter.message('header')
      return header && { type: 'header', header: parseHeaderMatcher(header, context) }
    }
    case 'response_flag_filter':
      return { type: 'response_flag', flags: filter.strings('flags') }
    case 'grpc_status_filter':
      return {
        type: 'grpc_status',
        statuses: filter.strings('statuses').map(status => GRPC_STATUSES.indexOf(status)),
        exclude: filter.boolean('exclude'),
      }
    case 'log_type_filter':
      return { type: 'log_type', types: filter.strings('types'), exclude: filter.boolean('exclude') }
    case 'metadata_filter': {
      const matcher = filter.message('matcher')
      return {
        type: 'metadata',
        matcher: matcher === undefined ? undefined : parseMetadataMatcher(matcher, context),
        matchIfNotFound: filter.boolean('match_if_key_not_found', true),
      }
    }
    default:
      return undefined
  }
}

function parseComparison(message: Message | undefined): Comparison {
  const value = message?.message('value')
  return {
    op: message?.enum<Comparison['op']>('op', 'EQ') ?? 'EQ',
    value: value?.number('default_value') ?? 0,
    runtimeKey: value?.string('runtime_key') ?? '',
  }
}
