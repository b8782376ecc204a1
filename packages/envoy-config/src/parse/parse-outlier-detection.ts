import type { OutlierDetection } from '../cluster.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'

/** Of an envoy.config.cluster.v3.OutlierDetection. */
export function parseOutlierDetection(message: Message, context: ParseContext): OutlierDetection {
  const most = message.duration('max_ejection_time')
  const base = message.duration('base_ejection_time', 30_000)
  if (most !== undefined && most < base) {
    const what = `cannot be smaller than base_ejection_time, ${base / 1000}s`
    context.problems.add('invalid', message.place('max_ejection_time'), what)
  }
  return {
    consecutive5xx: message.number('consecutive_5xx', 5),
    consecutiveGatewayFailure: message.number('consecutive_gateway_failure', 5),
    consecutiveLocalOriginFailure: message.number('consecutive_local_origin_failure', 5),
    interval: message.duration('interval', 10_000),
    baseEjectionTime: base,
    ...(most === undefined ? {} : { maxEjectionTime: most }),
    maxEjectionTimeJitter: message.duration('max_ejection_time_jitter', 0),
    maxEjectionPercent: message.number('max_ejection_percent', 10),
    alwaysEjectOneHost: message.boolean('always_eject_one_host'),
    successfulActiveHealthCheckUnejectHost: message.boolean('successful_active_health_check_uneject_host', true),
    splitExternalLocalOriginErrors: message.boolean('split_external_local_origin_errors'),
    successRateMinimumHosts: message.number('success_rate_minimum_hosts', 5),
    successRateRequestVolume: message.number('success_rate_request_volume', 100),
    successRateStdevFactor: message.number('success_rate_stdev_factor', 1900),
    failurePercentageThreshold: message.number('failure_percentage_threshold', 85),
    failurePercentageMinimumHosts: message.number('failure_percentage_minimum_hosts', 5),
    failurePercentageRequestVolume: message.number('failure_percentage_request_volume', 50),
    enforcing: {
      consecutive_5xx: message.number('enforcing_consecutive_5xx', 100),
      consecutive_gateway_failure: message.number('enforcing_consecutive_gateway_failure', 0),
      consecutive_local_origin_failure: message.number('enforcing_consecutive_local_origin_failure', 100),
      success_rate: message.number('enforcing_success_rate', 100),
      failure_percentage: message.number('enforcing_failure_percentage', 0),
      local_origin_success_rate: message.number('enforcing_local_origin_success_rate', 100),
      local_origin_failure_percentage: message.number('enforcing_failure_percentage_local_origin', 0),
    },
  }
}
