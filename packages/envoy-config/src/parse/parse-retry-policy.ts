import type { RetryPolicy } from '../route.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'

/** Conditions of Envoy that would fire here and that Hopscope does not have. (What nobody knows is passed over, as in Envoy.) */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  'cancelled',
  'deadline-exceeded',
  'envoy-ratelimited',
  'internal',
  'reset-before-request',
  'resource-exhausted',
  'retriable-headers',
  'unavailable',
])

/** Of an envoy.config.route.v3.RetryPolicy. Back-off is 25 ms at first and ten times the first interval at most. */
export function parseRetryPolicy(message: Message, context: ParseContext): RetryPolicy {
  const backOff = message.message('retry_back_off')
  // Envoy's timers have whole milliseconds: a shorter interval becomes one.
  const base = Math.max(1, backOff?.duration('base_interval') ?? 25)
  const most = Math.max(1, backOff?.duration('max_interval') ?? base * 10)
  if (most < base) {
    context.problems.add('invalid', backOff!.valuePlace('max_interval'), 'expected at least base_interval')
  }
  const tokens = message.string('retry_on').split(',')
  const retryOn = tokens.map(token => token.trim()).filter(token => token !== '')
  for (const token of retryOn) {
    if (!UNSUPPORTED.has(token)) continue
    const what = `Envoy knows the condition ${token}; Hopscope does not support it yet`
    context.problems.add('unsupported', message.valuePlace('retry_on'), what)
  }
  return {
    retryOn,
    numRetries: message.number('num_retries', 1),
    perTryTimeout: message.duration('per_try_timeout', 0),
    baseInterval: base,
    maxInterval: most,
    retriableStatusCodes: message.scalars('retriable_status_codes').map(code => Number(code.value)),
  }
}
