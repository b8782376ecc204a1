import type { Span } from '@hopscope/model'

/**
 * What a part of a trace can be found by, each hashed to four bytes and laid end to end:
 *
 *   tag http.method=GET          →  "http.method"  and  "http.method=GET"
 *   annotation "cache miss"      →  "cache miss"           (a bare word asks for a tag key or an annotation)
 *   name "get /"                 →  "\0name=get /"
 *   remote service "db"          →  "\0remote=db"
 *
 * A search looks for the four bytes with SQLite's instr(). Collisions, and hits across two terms, only cost a look at
 * the spans: `matches` decides.
 */
export function encodeTerms(spans: readonly Span[]): Buffer {
  const terms = new Set<number>()
  for (const span of spans) {
    if (span.name !== undefined) terms.add(hash(nameTerm(span.name)))
    const remote = span.remoteEndpoint?.serviceName
    if (remote !== undefined) terms.add(hash(remoteTerm(remote)))
    for (const key in span.tags) {
      const state = extend(SEED, key)
      terms.add(state | 0)
      terms.add(extend(extend(state, '='), span.tags[key]!) | 0)
    }
    for (const { value } of span.annotations ?? []) terms.add(hash(value))
  }
  const bytes = Buffer.allocUnsafe(terms.size * 4)
  let at = 0
  for (const term of terms) at = bytes.writeInt32LE(term, at)
  return bytes
}

/** The bytes that `encodeTerms` has for one term. */
export function encodeTerm(term: string): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32LE(hash(term))
  return bytes
}

export const nameTerm = (name: string): string => `\0name=${name}`
export const remoteTerm = (service: string): string => `\0remote=${service}`
export const tagTerm = (key: string, value: string): string => `${key}=${value}`

const SEED = 0x811c9dc5

const hash = (text: string): number => extend(SEED, text) | 0

/** FNV-1a over UTF-16 units; can go on from where it stopped, so that a tag's key is hashed once for both its terms. */
function extend(state: number, text: string): number {
  let h = state
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h
}
