import type { RateLimit, RateLimitAction } from '@hopscope/envoy-config'
import { withoutPort } from '../../format/address-text.ts'
import { compileFormat } from '../../format/compile-format.ts'
import { maskedAddress } from '../../format/masked-address.ts'
import { metadataValue } from '../../format/metadata-value.ts'
import { compileRanges } from '../../http/client-address.ts'
import type { Exchange } from '../../http/exchange.ts'
import { compileHeaderMatcher } from '../../match/header-matcher.ts'
import { compileQueryParameter, queryParameter } from '../../route/match-route.ts'
import type { Runtime } from '../../runtime.ts'

export type Entry = readonly [key: string, value: string]

/** What one RateLimit says of a request. */
export interface Descriptor {
  entries: readonly Entry[]
  /** So many requests it counts for. */
  hits: number
  xRateLimitOption: RateLimit['xRateLimitOption']
}

/** Undefined: it says nothing of this request. */
export type Describe = (exchange: Exchange) => Descriptor | undefined

export interface DescribeServices {
  runtime: Runtime
  /** The `node.cluster` of this proxy. */
  serviceName: string
}

export function compileRateLimit(limit: RateLimit, { runtime, serviceName }: DescribeServices): Describe {
  const actions = limit.actions.map(action => compileAction(action, serviceName))
  const { disableKey, hitsAddend, applyOnStreamDone, xRateLimitOption } = limit
  const hitsOf = compileHits(hitsAddend)
  return exchange => {
    // What is to be counted when the request is over, a local limit never counts. (Seen in Envoy 1.40)
    if (applyOnStreamDone) return undefined
    if (disableKey !== '' && !runtime.enabled(`ratelimit.${disableKey}.http_filter_enabled`, ALWAYS, 0))
      return undefined
    const entries: Entry[] = []
    for (const action of actions) {
      const entry = action(exchange)
      if (entry === undefined) return undefined
      if (entry !== 'skipped') entries.push(entry)
    }
    const hits = hitsOf(exchange)
    return entries.length === 0 || hits === undefined ? undefined : { entries, hits, xRateLimitOption }
  }
}

const ALWAYS = { numerator: 100, denominator: 100 } as const

/** Undefined: what the format gives is no number. */
function compileHits(hitsAddend: RateLimit['hitsAddend']): (exchange: Exchange) => number | undefined {
  if (typeof hitsAddend !== 'string') return () => hitsAddend ?? 1
  const format = compileFormat(hitsAddend, { absent: '' })
  return ({ info }) => {
    const text = format(info)
    return /^\d+$/.test(text) ? Number(text) : undefined
  }
}

type Act = (exchange: Exchange) => Entry | 'skipped' | undefined

function compileAction(action: RateLimitAction, serviceName: string): Act {
  switch (action.type) {
    case 'source_cluster':
      return () => ['source_cluster', serviceName]
    case 'destination_cluster':
      return ({ cluster }) => cluster && ['destination_cluster', cluster.name]
    case 'remote_address':
      return exchange => ['remote_address', addressOf(exchange)]
    case 'masked_remote_address':
      return exchange => {
        const address = addressOf(exchange)
        const bits = address.includes(':') ? action.v6Bits : action.v4Bits
        return ['masked_remote_address', maskedAddress(address, bits)]
      }
    case 'remote_address_match': {
      const contains = compileRanges(action.ranges)
      return exchange => (contains(addressOf(exchange)) === action.invert ? undefined : [action.key, action.value])
    }
    case 'generic_key':
      return () => [action.key, action.value]
    case 'request_headers':
      return ({ headers }) => present(action, headers.get(action.name))
    case 'query_parameters':
      return ({ headers }) => present(action, queryParameter(headers.path, action.name))
    case 'header_value_match': {
      const matchers = action.headers.map(compileHeaderMatcher)
      return ({ headers }) =>
        matchers.every(matches => matches(headers)) === action.expectMatch ? [action.key, action.value] : undefined
    }
    case 'query_parameter_value_match': {
      const matchers = action.queryParameters.map(compileQueryParameter)
      return ({ headers }) =>
        matchers.every(matches => matches(headers.path)) === action.expectMatch ? [action.key, action.value] : undefined
    }
    case 'metadata':
      return ({ info }) => {
        const metadata = action.of === 'DYNAMIC' ? info.dynamicMetadata : info.route?.metadata
        const value = metadataValue(metadata, action.path)
        const text = typeof value === 'string' && value !== '' ? value : action.defaultValue
        return present(action, text === '' ? undefined : text)
      }
  }
}

function present({ key, skipIfAbsent }: { key: string; skipIfAbsent: boolean }, value: string | undefined) {
  if (value === undefined) return skipIfAbsent ? 'skipped' : undefined
  return [key, value] as const
}

function addressOf({ info }: Exchange): string {
  return withoutPort(info.downstreamRemoteAddress)
}
