import type { ResetHeader, RetryPolicy } from '../route.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { parseHeaderMatcher } from './matchers.ts'

/** Of an envoy.config.route.v3.RetryPolicy. Back-off is 25 ms at first and ten times the first interval at most. */
export function parseRetryPolicy(message: Message, context: ParseContext): RetryPolicy {
  const limited = message.message('rate_limited_retry_back_off')
  const backOff = message.message('retry_back_off')
  // Envoy's timers have whole milliseconds: a shorter interval becomes one.
  const base = Math.max(1, backOff?.duration('base_interval') ?? 25)
  const most = Math.max(1, backOff?.duration('max_interval') ?? base * 10)
  if (most < base) {
    context.problems.add('invalid', backOff!.valuePlace('max_interval'), 'expected at least base_interval')
  }
  const tokens = message.string('retry_on').split(',')
  const retryOn = tokens.map(token => token.trim()).filter(token => token !== '')
  return {
    retryOn,
    numRetries: message.number('num_retries', 1),
    perTryTimeout: message.duration('per_try_timeout', 0),
    baseInterval: base,
    maxInterval: most,
    retriableStatusCodes: message.scalars('retriable_status_codes').map(code => Number(code.value)),
    perTryIdleTimeout: message.duration('per_try_idle_timeout', 0),
    retriableHeaders: message.messages('retriable_headers').map(one => parseHeaderMatcher(one, context)),
    retriableRequestHeaders: message.messages('retriable_request_headers').map(one => parseHeaderMatcher(one, context)),
    ...(limited === undefined
      ? {}
      : {
          rateLimitedBackOff: {
            resetHeaders: limited.messages('reset_headers').map(header => ({
              name: header.string('name').toLowerCase(),
              format: header.enum<ResetHeader['format']>('format', 'SECONDS'),
            })),
            maxInterval: limited.duration('max_interval', 300_000),
          },
        }),
    avoidPreviousHosts: parseHostPredicates(message, context),
    hostSelectionRetryMaxAttempts: message.number('host_selection_retry_max_attempts') || 1,
  }
}

const PREVIOUS_HOSTS = 'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate'

function parseHostPredicates(message: Message, context: ParseContext): boolean {
  let previousHosts = false
  for (const predicate of message.messages('retry_host_predicate')) {
    const config = predicate.message('typed_config')
    if (config?.type === PREVIOUS_HOSTS) previousHosts = true
    else {
      const what = `Envoy may know this predicate; Hopscope has ${PREVIOUS_HOSTS}`
      context.problems.add('unsupported', predicate.place('typed_config'), what)
    }
  }
  return previousHosts
}
