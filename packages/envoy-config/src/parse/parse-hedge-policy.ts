import type { HedgePolicy } from '../route.ts'
import type { Message } from '../schema/message.ts'

/** `hedge_policy` of a route action or a virtual host. */
export function parseHedgePolicy(message: Message | undefined): { hedgePolicy?: HedgePolicy } {
  const policy = message?.message('hedge_policy')
  return policy === undefined
    ? {}
    : { hedgePolicy: { hedgeOnPerTryTimeout: policy.boolean('hedge_on_per_try_timeout') } }
}
