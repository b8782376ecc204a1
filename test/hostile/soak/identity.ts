/** Whose bytes they are: a request's own body, or that of its answer. */
export type Role = 'asked' | 'answered'

const SALT: Record<Role, number> = { asked: 0x5bd1e995, answered: 0x27d4eb2f }

/** A body that no other exchange has: each of its words depends on the id, on the role and on its place. */
export function bodyOf(id: number, role: Role, size: number): Buffer {
  const words = new Uint32Array((size + 3) >> 2)
  const first = Math.imul(id + 1, 0x9e3779b1) ^ SALT[role]
  for (let i = 0; i < words.length; i++) words[i] = first ^ Math.imul(i + 1, 0x85ebca6b)
  return Buffer.from(words.buffer, 0, size)
}

/** Text for a header of about `size` characters, which no other exchange has either. */
export function textOf(id: number, role: Role, size: number): string {
  const piece = `${role}.${id}.`
  return piece.repeat(Math.ceil(size / piece.length))
}

/** What is wrong with these bytes; undefined: nothing. */
export function wrongBody(id: number, role: Role, size: number, bytes: Buffer): string | undefined {
  const expected = bodyOf(id, role, size)
  if (bytes.equals(expected)) return undefined
  let at = 0
  while (at < bytes.length && at < size && bytes[at] === expected[at]) at++
  const there = JSON.stringify(bytes.toString('latin1', at, at + 80))
  return `body of ${bytes.length} bytes, not ${size}; the first that is another's is ${at}: ${there}`
}
