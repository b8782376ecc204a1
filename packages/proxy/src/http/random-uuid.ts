import { randomFillSync } from 'node:crypto'

/** Bytes fetched from the system at once: 256 ids. */
const POOL_BYTES = 4096

/** Where a byte's two digits go in `xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx`. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]
const DASHES = [8, 13, 18, 23]
const HEX_DIGITS = Buffer.from('0123456789abcdef')

const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES
const text = Buffer.alloc(36)
for (const at of DASHES) text[at] = 45

/** A random UUID (RFC 9562, version 4). `crypto.randomUUID` joins some twenty strings for one; this makes one. */
export function randomUuid(): string {
  if (used === POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  for (let i = 0; i < 16; i++) {
    let byte = pool[used++]!
    if (i === 6) byte = (byte & 0x0f) | 0x40
    else if (i === 8) byte = (byte & 0x3f) | 0x80
    const at = PLACES[i]!
    text[at] = HEX_DIGITS[byte >> 4]!
    text[at + 1] = HEX_DIGITS[byte & 15]!
  }
  return text.toString('latin1')
}
