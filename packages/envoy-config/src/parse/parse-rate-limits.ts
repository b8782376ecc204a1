import type { RateLimit, RateLimitAction } from '../rate-limits.ts'
import type { Message } from '../schema/message.ts'
import { parseCidrRanges } from './cidr-ranges.ts'
import { checkFormat, type ParseContext } from './context.ts'
import { parseHeaderMatcher, parseQueryParameterMatcher } from './matchers.ts'

/** `rate_limits` of a route, a virtual host or a filter. */
export function parseRateLimits(owner: Message | undefined, context: ParseContext): RateLimit[] {
  return (owner?.messages('rate_limits') ?? []).map(message => {
    const hits = message.message('hits_addend')
    const format = hits?.string('format') ?? ''
    if (format !== '') checkFormat(format, hits!.valuePlace('format'), context)
    const hitsAddend = format !== '' ? format : hits?.has('number') ? hits.number('number') : undefined
    return {
      stage: message.number('stage'),
      disableKey: message.string('disable_key'),
      actions: message.messages('actions').map(action => parseAction(action, context)),
      ...(hitsAddend === undefined ? {} : { hitsAddend }),
      applyOnStreamDone: message.boolean('apply_on_stream_done'),
      xRateLimitOption: message.enum<RateLimit['xRateLimitOption']>('x_ratelimit_option', 'UNSPECIFIED'),
    }
  })
}

function parseAction(message: Message, context: ParseContext): RateLimitAction {
  const generic = message.message('generic_key')
  if (generic !== undefined) {
    const key = generic.string('descriptor_key') || 'generic_key'
    return { type: 'generic_key', key, value: generic.string('descriptor_value') }
  }
  const header = message.message('request_headers')
  if (header !== undefined) {
    const key = header.string('descriptor_key')
    const name = header.string('header_name').toLowerCase()
    return { type: 'request_headers', name, key, skipIfAbsent: header.boolean('skip_if_absent') }
  }
  const parameter = message.message('query_parameters')
  if (parameter !== undefined) {
    const key = parameter.string('descriptor_key')
    const name = parameter.string('query_parameter_name')
    return { type: 'query_parameters', name, key, skipIfAbsent: parameter.boolean('skip_if_absent') }
  }
  const headers = message.message('header_value_match')
  if (headers !== undefined) {
    return {
      type: 'header_value_match',
      key: headers.string('descriptor_key') || 'header_match',
      value: headers.string('descriptor_value'),
      expectMatch: headers.boolean('expect_match', true),
      headers: headers.messages('headers').map(one => parseHeaderMatcher(one, context)),
    }
  }
  const query = message.message('query_parameter_value_match')
  if (query !== undefined) {
    return {
      type: 'query_parameter_value_match',
      key: query.string('descriptor_key') || 'query_match',
      value: query.string('descriptor_value'),
      expectMatch: query.boolean('expect_match', true),
      queryParameters: query.messages('query_parameters').map(one => parseQueryParameterMatcher(one, context)),
    }
  }
  const address = message.message('remote_address_match')
  if (address !== undefined) {
    const matcher = address.message('address_matcher')
    return {
      type: 'remote_address_match',
      key: address.string('descriptor_key') || 'remote_address_match',
      value: address.string('descriptor_value'),
      ranges: parseCidrRanges(matcher?.messages('ranges') ?? [], context),
      invert: matcher?.boolean('invert_match') ?? false,
    }
  }
  const metadata = message.message('metadata')
  if (metadata !== undefined) {
    const key = metadata.message('metadata_key')
    const path = key?.messages('path') ?? []
    return {
      type: 'metadata',
      key: metadata.string('descriptor_key'),
      of: metadata.enum<'DYNAMIC' | 'ROUTE_ENTRY'>('source', 'DYNAMIC'),
      path: [key?.string('key') ?? '', ...path.map(segment => segment.string('key'))],
      defaultValue: metadata.string('default_value'),
      skipIfAbsent: metadata.boolean('skip_if_absent'),
    }
  }
  const masked = message.message('masked_remote_address')
  if (masked !== undefined) {
    const v4Bits = masked.number('v4_prefix_mask_len', 32)
    return { type: 'masked_remote_address', v4Bits, v6Bits: masked.number('v6_prefix_mask_len', 128) }
  }
  if (message.has('destination_cluster')) return { type: 'destination_cluster' }
  return { type: message.has('remote_address') ? 'remote_address' : 'source_cluster' }
}
