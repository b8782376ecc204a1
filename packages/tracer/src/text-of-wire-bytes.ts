/**
 * Text of bytes off the wire, one a character, as Envoy's JSON has it: UTF-8 stays, and what is not is a blank. A sequence that ends
 * too early takes the byte with it that is not its own, and one that is longer than it need be is taken all the same (protobuf's
 * JSON writer):
 *
 *     c3 a9 → é    e9 41 42 → ' B'    ff 41 → ' A'    c0 80 → U+0000
 */
export function textOfWireBytes(bytes: string): string {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes.charCodeAt(at++)
    if (lead < 0x80) {
      text += String.fromCharCode(lead)
      continue
    }
    const more = Math.clz32(~(lead << 24)) - 1
    // A byte that no sequence begins with.
    let code = more < 1 || more > 3 ? BROKEN : lead & (0x3f >> more)
    for (let i = 0; i < more && code !== BROKEN; i++) {
      // Past the end is NaN, which is no such byte either.
      const next = bytes.charCodeAt(at++)
      code = (next & 0xc0) === 0x80 ? (code << 6) | (next & 0x3f) : BROKEN
    }
    if (code === BROKEN || code > 0x10ffff) text += ' '
    else if (isOverlong(code, more)) text += code < 0x20 ? String.fromCharCode(code) : REPLACEMENT.repeat(more + 1)
    else if (code >= 0xd800 && code <= 0xdfff) text += REPLACEMENT.repeat(3)
    else text += String.fromCodePoint(code)
  }
  return text
}

const BROKEN = -1
/** Envoy writes the bytes themselves, and readers of its JSON read one of these for each. */
const REPLACEMENT = '\ufffd'

function isOverlong(code: number, more: number): boolean {
  return code < (more === 1 ? 0x80 : more === 2 ? 0x800 : 0x10000)
}
