import type { ResetHeader, RetryPolicy } from '../route.ts'
import type { Message } from '../schema/message.ts'
import type { Labels } from '../subsets.ts'
import type { ParseContext } from './context.ts'
import { parseHeaderMatcher } from './matchers.ts'
import { parseMetadataMatch } from './parse-subsets.ts'

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
    ...parseHostPredicates(message, context),
    ...parseRetryPriority(message, context),
    hostSelectionRetryMaxAttempts: message.number('host_selection_retry_max_attempts') || 1,
  }
}

const PREDICATE = 'envoy.extensions.retry.host.'
const PREVIOUS_PRIORITIES = 'envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig'

function parseHostPredicates(
  message: Message,
  context: ParseContext,
): Pick<RetryPolicy, 'avoidPreviousHosts' | 'omitCanaryHosts' | 'omitHosts'> {
  let avoidPreviousHosts = false
  let omitCanaryHosts = false
  const omitHosts: Labels[] = []
  for (const predicate of message.messages('retry_host_predicate')) {
    const config = predicate.message('typed_config')
    switch (config?.type) {
      case `${PREDICATE}previous_hosts.v3.PreviousHostsPredicate`:
        avoidPreviousHosts = true
        break
      case `${PREDICATE}omit_canary_hosts.v3.OmitCanaryHostsPredicate`:
        omitCanaryHosts = true
        break
      case `${PREDICATE}omit_host_metadata.v3.OmitHostMetadataConfig`: {
        const { metadataMatch } = parseMetadataMatch(config)
        // Without labels it is about no host.
        if (metadataMatch !== undefined && Object.keys(metadataMatch).length > 0) omitHosts.push(metadataMatch)
        break
      }
      default: {
        const ours = 'PreviousHostsPredicate, OmitCanaryHostsPredicate, OmitHostMetadataConfig'
        const what = `Envoy may know this predicate; Hopscope has ${ours}`
        context.problems.add('unsupported', predicate.place('typed_config'), what)
      }
    }
  }
  return { avoidPreviousHosts, omitCanaryHosts, omitHosts }
}

function parseRetryPriority(message: Message, context: ParseContext): Pick<RetryPolicy, 'previousPriorities'> {
  const priority = message.message('retry_priority')
  if (priority === undefined) return {}
  const config = priority.message('typed_config')
  if (config?.type === PREVIOUS_PRIORITIES)
    return { previousPriorities: { updateFrequency: config.number('update_frequency', 1) } }
  const what = `Envoy may know this retry priority; Hopscope has ${PREVIOUS_PRIORITIES}`
  context.problems.add('unsupported', priority.place('typed_config'), what)
  return {}
}
