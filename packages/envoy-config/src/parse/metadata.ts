import type { Metadata } from '../metadata.ts'
import type { Message } from '../schema/message.ts'

/** Of an envoy.config.core.v3.Metadata. */
export function parseMetadata(message: Message | undefined): Metadata {
  const metadata = new Map<string, unknown>()
  for (const [name, value] of message?.entries('filter_metadata') ?? []) {
    if (value.kind === 'scalar') metadata.set(name, value.value)
  }
  return metadata
}
