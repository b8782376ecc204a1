import type { FaultFilter } from '../../http-filters.ts'
import type { Fraction } from '../../quantities.ts'
import type { Message } from '../../schema/message.ts'
import type { ParseContext } from '../context.ts'
import { parseHeaderMatcher } from '../matchers.ts'
import { parseFraction } from '../percent.ts'

/** A percentage that is left out is none: a filter without one does nothing. */
const NEVER: Fraction = { numerator: 0, denominator: 100 }

/** Of an envoy.extensions.filters.http.fault.v3.HTTPFault. */
export function parseFault(message: Message, context: ParseContext): FaultFilter {
  const delay = message.message('delay')
  const abort = message.message('abort')
  const limit = message.message('response_rate_limit')
  const most = message.has('max_active_faults') ? { maxActiveFaults: message.number('max_active_faults') } : {}
  return {
    type: 'fault',
    ...(delay && {
      delay: {
        fixed: delay.has('header_delay') ? 'header' : delay.duration('fixed_delay', 0),
        percentage: parseFraction(delay.message('percentage'), NEVER),
      },
    }),
    ...(abort && { abort: { by: parseAbort(abort), percentage: parseFraction(abort.message('percentage'), NEVER) } }),
    ...(limit && {
      responseRateLimit: {
        limit: limit.message('fixed_limit')?.number('limit_kbps') ?? 'header',
        percentage: parseFraction(limit.message('percentage'), NEVER),
      },
    }),
    upstreamCluster: message.string('upstream_cluster'),
    headers: message.messages('headers').map(matcher => parseHeaderMatcher(matcher, context)),
    downstreamNodes: message.strings('downstream_nodes'),
    ...most,
    runtimeKeys: {
      delayPercent: message.string('delay_percent_runtime') || 'fault.http.delay.fixed_delay_percent',
      abortPercent: message.string('abort_percent_runtime') || 'fault.http.abort.abort_percent',
      delayDuration: message.string('delay_duration_runtime') || 'fault.http.delay.fixed_duration_ms',
      abortHttpStatus: message.string('abort_http_status_runtime') || 'fault.http.abort.http_status',
      abortGrpcStatus: message.string('abort_grpc_status_runtime') || 'fault.http.abort.grpc_status',
      maxActiveFaults: message.string('max_active_faults_runtime') || 'fault.http.max_active_faults',
      responseRateLimitPercent:
        message.string('response_rate_limit_percent_runtime') || 'fault.http.rate_limit.response_percent',
    },
    disableDownstreamClusterStats: message.boolean('disable_downstream_cluster_stats'),
  }
}

function parseAbort(message: Message): NonNullable<FaultFilter['abort']>['by'] {
  if (message.has('header_abort')) return { type: 'header' }
  if (message.has('grpc_status')) return { type: 'grpc', status: message.number('grpc_status') }
  return { type: 'http', status: message.number('http_status') }
}
