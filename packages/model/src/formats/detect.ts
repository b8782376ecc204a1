import { DecodeError } from './decode-error.ts'

export type Format = 'JSON_V1' | 'JSON_V2' | 'PROTO3' | 'THRIFT'

/**
 * Refuses a body that cannot be the list it is sent as, as zipkin-server does before it decodes: by the first byte, and
 * by keys that only the other version of Zipkin's JSON has. JSON whitespace before the list passes, where the server
 * takes a newline only. Throws {@link DecodeError}; its text ends in a newline, as the server's does.
 */
export function requireFormat(format: Format, body: Uint8Array): void {
  if (!looksLikeList(body)) throw new DecodeError('not_a_list', `Expected a ${format} encoded list\n`)
  const other =
    format === 'JSON_V2' && includes(body, V1_KEY)
      ? 'JSON_V1'
      : format === 'JSON_V1' && (includes(body, V2_ENDPOINT_KEY) || includes(body, V2_TAGS_KEY))
        ? 'JSON_V2'
        : undefined
  if (other) throw new DecodeError('other_format', `Expected a ${format} encoded list, but received: ${other}\n`)
}

const ascii = (text: string) => Uint8Array.from(text, c => c.charCodeAt(0))
/** The ends of `binaryAnnotations` and of `localEndpoint`, `remoteEndpoint`. */
const V1_KEY = ascii('yAnnotations"')
const V2_ENDPOINT_KEY = ascii('Endpoint"')
const V2_TAGS_KEY = ascii('"tags"')

const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])

function looksLikeList(body: Uint8Array): boolean {
  const first = body[0]
  // A proto3 list, a thrift list of either kind, or JSON.
  if (first === 0x0a && body.length > 1 && body[1] !== 0) return true
  if (first === 0x0b || first === 0x0c) return true
  let i = 0
  while (BLANKS.has(body[i]!)) i++
  return body[i] === 0x5b
}

function includes(body: Uint8Array, bytes: Uint8Array): boolean {
  const last = body.length - bytes.length
  for (let i = body.indexOf(bytes[0]!); i !== -1 && i <= last; i = body.indexOf(bytes[0]!, i + 1)) {
    let j = 1
    while (j < bytes.length && body[i + j] === bytes[j]) j++
    if (j === bytes.length) return true
  }
  return false
}
