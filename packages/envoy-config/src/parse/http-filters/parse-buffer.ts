import type { BufferFilter } from '../../http-filters/buffer.ts'
import type { Message } from '../../schema/message.ts'

/** Of an envoy.extensions.filters.http.buffer.v3.Buffer. */
export function parseBuffer(message: Message | undefined): BufferFilter {
  return { type: 'buffer', maxRequestBytes: message?.number('max_request_bytes') }
}

/** Of a BufferPerRoute: another limit, or none of it. */
export function parseBufferOfRoute(message: Message): BufferFilter {
  return parseBuffer(message.message('buffer'))
}
