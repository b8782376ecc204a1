import type { BindConfig } from '../cluster.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { parseIpAddress } from './socket-address.ts'

/** Of an envoy.config.core.v3.BindConfig, if there is one. */
export function parseBindConfig(message: Message | undefined, context: ParseContext): BindConfig | undefined {
  if (message === undefined) return undefined
  const source = message.message('source_address')
  return source === undefined ? {} : { source: parseIpAddress(source, ': connections begin at an IP', context) }
}
