/**
 * Ids as zipkin-server normalises them, on ingest and in query parameters alike. One difference on purpose: a trace id
 * of 17 to 31 characters that becomes zero-prefixed by padding is trimmed to its low half, as one of 32 is. The server
 * stores it with 32 characters and then cannot find it again.
 */

const SIXTEEN_ZEROS = '0000000000000000'
const LOWER_HEX = /^[0-9a-f]+$/
const ALL_ZEROS = /^0+$/

/** What is wrong with an id. `message` is zipkin-server's text: `traceId is empty`, `X should be lower-hex encoded…`. */
export class IdError extends Error {
  override readonly name = 'IdError'
}

/** → 16 or 32 lower-hex characters. Throws {@link IdError}. */
export function normaliseTraceId(text: string): string {
  const { length } = text
  if (length === 0) throw new IdError('traceId is empty')
  if (length > 32) throw new IdError('traceId.length > 32')
  requireLowerHex(text)
  if (ALL_ZEROS.test(text)) throw new IdError('traceId is all zeros')
  if (length <= 16) return text.padStart(16, '0')
  const padded = text.padStart(32, '0')
  return padded.startsWith(SIXTEEN_ZEROS) ? padded.slice(16) : padded
}

/** → 16 lower-hex characters. `"0"` passes, as it does in zipkin-server; sixteen zeros do not. Throws {@link IdError}. */
export function normaliseSpanId(text: string): string {
  if (text.length === 0) throw new IdError('id is empty')
  if (text.length > 16) throw new IdError('id.length > 16')
  requireLowerHex(text)
  if (text === SIXTEEN_ZEROS) throw new IdError('id is all zeros')
  return text.padStart(16, '0')
}

/** → 16 lower-hex characters, or undefined when all are zero. Throws {@link IdError}. */
export function normaliseParentId(text: string): string | undefined {
  if (text.length === 0) throw new IdError('parentId is empty')
  if (text.length > 16) throw new IdError('parentId.length > 16')
  requireLowerHex(text)
  return ALL_ZEROS.test(text) ? undefined : text.padStart(16, '0')
}

/** The right-most 16 characters: what 64- and 128-bit forms of one trace have in common. */
export function lowTraceId(traceId: string): string {
  return traceId.length <= 16 ? traceId : traceId.slice(traceId.length - 16)
}

function requireLowerHex(text: string): void {
  if (!LOWER_HEX.test(text)) throw new IdError(`${text} should be lower-hex encoded with no prefix`)
}
