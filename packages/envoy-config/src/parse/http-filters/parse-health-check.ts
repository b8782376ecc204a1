import type { HealthCheckFilter } from '../../http-filters/health-check.ts'
import type { Message } from '../../schema/message.ts'
import type { ParseContext } from '../context.ts'
import { parseHeaderMatcher } from '../matchers.ts'
import { parsePercent } from '../percent.ts'

/** Of an envoy.extensions.filters.http.health_check.v3.HealthCheck. */
export function parseHealthCheck(message: Message, context: ParseContext): HealthCheckFilter {
  const passThroughMode = message.boolean('pass_through_mode')
  const cacheTime = message.duration('cache_time', 0)
  if (!passThroughMode && cacheTime > 0) {
    const what = 'cache_time must not be set when path_through_mode is disabled'
    context.problems.add('invalid', message.place('cache_time'), what)
  }
  const percentages = [...message.entries('cluster_min_healthy_percentages')].flatMap(([name, value]) =>
    value.kind === 'message' ? [[name, parsePercent(value, 0)] as const] : [],
  )
  return {
    type: 'health_check',
    passThroughMode,
    cacheTime,
    clusterMinHealthyPercentages: new Map(percentages),
    headers: message.messages('headers').map(header => parseHeaderMatcher(header, context)),
  }
}
