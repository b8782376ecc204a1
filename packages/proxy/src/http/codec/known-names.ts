/** A name that finds no slot costs a string of its own, no more. */
const SLOTS = 1024

/** Upper-case letters to lower case, all else as it is. */
const LOWER = new Uint8Array(256)
for (let c = 0; c < 256; c++) LOWER[c] = c >= 65 && c <= 90 ? c + 32 : c

/**
 * Names that are met all the time, found by their bytes: what is known costs no string, and is the same string wherever it is
 * compared or looked up, which is what makes that cheap.
 */
export class KnownNames {
  readonly #slots: (string | undefined)[] = new Array(SLOTS).fill(undefined)

  /** In lower case. */
  constructor(names: Iterable<string>) {
    for (const name of names) {
      const bytes = Buffer.from(name, 'latin1')
      let slot = hash(bytes, 0, bytes.length)
      while (this.#slots[slot] !== undefined && this.#slots[slot] !== name) slot = (slot + 1) & (SLOTS - 1)
      this.#slots[slot] = name
    }
  }

  /** The name between `start` and `end`, in whatever case it is written; undefined: not one of these. */
  find(bytes: Uint8Array, start: number, end: number): string | undefined {
    for (let slot = hash(bytes, start, end); ; slot = (slot + 1) & (SLOTS - 1)) {
      const name = this.#slots[slot]
      if (name === undefined || equals(name, bytes, start, end)) return name
    }
  }
}

/** Length, first, last and middle byte tell most of these apart. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  const first = LOWER[bytes[start]!]!
  const last = LOWER[bytes[end - 1]!]!
  const middle = LOWER[bytes[start + (length >> 1)]!]!
  return (length * 61 + first * 7 + last * 131 + middle * 17) & (SLOTS - 1)
}

function equals(name: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) !== LOWER[bytes[start + i]!]) return false
  return true
}
