/** A byte order mark is text like any other. */
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true })
/** Longer texts are rarely the same twice. */
const MAX_KNOWN_BYTES = 64
/** A power of two. */
const KNOWN = 4096

/**
 * Texts that were read lately, each in the one place that its hash gives it. Keys, services and most values come in every
 * span: finding them again is cheaper than making them, and all spans share one copy. Bounded, whatever is sent. All are
 * ASCII.
 */
const known: (string | undefined)[] = new Array(KNOWN)

/** UTF-8 → text; what is no UTF-8 becomes U+FFFD. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start
  if (length === 0) return ''
  if (length > MAX_KNOWN_BYTES) return UTF8.decode(bytes.subarray(start, end))
  const place = placeOf(bytes, start, length)
  const last = known[place]
  if (last !== undefined && isText(last, bytes, start, length)) return last
  let text = ''
  for (let i = start; i < end; i++) {
    if (bytes[i]! >= 0x80) return UTF8.decode(bytes.subarray(start, end))
    text += String.fromCharCode(bytes[i]!)
  }
  known[place] = text
  return text
}

/** Five bytes tell most texts apart; those that share a place only cost each other the copy. */
function placeOf(bytes: Uint8Array, start: number, length: number): number {
  let hash = length
  hash = Math.imul(hash, 31) + bytes[start]!
  hash = Math.imul(hash, 31) + bytes[start + (length >> 2)]!
  hash = Math.imul(hash, 31) + bytes[start + (length >> 1)]!
  hash = Math.imul(hash, 31) + bytes[start + length - 1]!
  hash = Math.imul(hash, 31) + bytes[start + Math.max(0, length - 2)]!
  return (hash ^ (hash >>> 12)) & (KNOWN - 1)
}

function isText(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false
  return true
}
