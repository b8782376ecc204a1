import type { AccessLogFilter, Comparison } from '@hopscope/envoy-config'
import { grpcStatusOf } from '../format/operators.ts'
import { RequestHeaders } from '../http/headers.ts'
import { compileHeaderMatcher } from '../match/header-matcher.ts'
import { compileMetadataMatcher } from '../match/metadata-matcher.ts'
import type { Runtime } from '../runtime.ts'
import type { ResponseFlag, StreamInfo } from '../stream-info.ts'

export interface FilterServices {
  runtime: Runtime
  /** Numbers in [0, 1). */
  random: () => number
}

/** Whether a request is logged, or a local reply mapped. */
export type TakesStream = (info: StreamInfo) => boolean

const NO_HEADERS = new RequestHeaders()

export function compileAccessLogFilter(filter: AccessLogFilter, services: FilterServices): TakesStream {
  const { runtime, random } = services
  switch (filter.type) {
    case 'status_code': {
      const compare = compileComparison(filter.comparison, runtime)
      return info => compare(info.responseCode)
    }
    case 'duration': {
      const compare = compileComparison(filter.comparison, runtime)
      return info => !Number.isNaN(info.endInstant) && compare(Math.trunc(info.endInstant - info.startInstant))
    }
    case 'not_health_check':
      return info => !info.healthCheck
    case 'traceable':
      // For Envoy that is who was forced to be, by `x-envoy-force-trace`.
      return info => info.traced && !info.healthCheck && isServiceForced(info)
    case 'runtime': {
      const { runtimeKey, percentSampled, useIndependentRandomness } = filter
      const { numerator, denominator } = percentSampled
      return info => {
        const draw = (useIndependentRandomness ? undefined : idAsNumber(info)) ?? Math.floor(random() * 2 ** 32)
        // Unlike other shares the runtime's is of the same denominator.
        return draw % denominator < Math.min(runtime.number(runtimeKey, numerator), denominator)
      }
    }
    case 'and':
    case 'or': {
      const parts = filter.filters.map(one => compileAccessLogFilter(one, services))
      return filter.type === 'and'
        ? info => parts.every(takes => takes(info))
        : info => parts.some(takes => takes(info))
    }
    case 'header': {
      const matches = compileHeaderMatcher(filter.header)
      return info => matches(info.requestHeaders ?? NO_HEADERS)
    }
    case 'response_flag': {
      const flags = filter.flags as readonly ResponseFlag[]
      return flags.length === 0 ? info => info.flags.size > 0 : info => flags.some(flag => info.flags.has(flag))
    }
    case 'grpc_status': {
      const statuses = new Set(filter.statuses)
      return info => statuses.has(grpcStatusOf(info)) !== filter.exclude
    }
    case 'metadata': {
      const { matcher, matchIfNotFound } = filter
      // As in Envoy: `invert` is not looked at, and what is looked for in no namespace is not found.
      const namespace = matcher?.namespace ?? ''
      const path = matcher?.path ?? []
      const isThere = compileMetadataMatcher({
        namespace,
        path,
        value: { type: 'present', present: true },
        invert: false,
      })
      const matches = matcher === undefined ? () => false : compileMetadataMatcher({ ...matcher, invert: false })
      return ({ dynamicMetadata }) => (isThere(dynamicMetadata) ? matches(dynamicMetadata) : matchIfNotFound)
    }
    case 'log_type': {
      const types: ReadonlySet<string> = new Set(filter.types)
      return info => types.has(info.accessLogType) !== filter.exclude
    }
  }
}

function compileComparison({ op, value, runtimeKey }: Comparison, runtime: Runtime): (number: number) => boolean {
  const wanted = runtimeKey === '' ? () => value : () => runtime.number(runtimeKey, value)
  switch (op) {
    case 'EQ':
      return number => number === wanted()
    case 'GE':
      return number => number >= wanted()
    case 'LE':
      return number => number <= wanted()
    case 'NE':
      return number => number !== wanted()
  }
}

/** The trace reason in the request id. */
function isServiceForced(info: StreamInfo): boolean {
  const id = info.requestHeaders?.get('x-request-id')
  return id?.length === 36 && id[14] === 'a'
}

/** The id's first eight hex digits: the same draw on every hop. */
function idAsNumber(info: StreamInfo): number | undefined {
  const id = info.requestHeaders?.get('x-request-id')
  return id !== undefined && /^[0-9a-f]{8}/i.test(id) ? Number.parseInt(id.slice(0, 8), 16) : undefined
}
