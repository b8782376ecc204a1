import type { QueryRequest } from '@hopscope/model'
import type { Dictionary } from './dictionary.ts'

/**
 * What a trace can be found by, each a hash of 32 bits (FNV-1a over a letter and UTF-8):
 *
 *   service                  s  web
 *   span name                n  get /
 *   span name of a service   m  web FF get /
 *   remote service           r  db
 *   tag                      t  http.method FF GET
 *   tag key, or annotation   w  http.method          (a bare word asks for either)
 *
 * Two terms that share a hash only cost a look at the spans: `matches` decides.
 */
const PRIME = 0x01000193
const seed = (letter: string): number => Math.imul(0x811c9dc5 ^ letter.charCodeAt(0), PRIME)
const SERVICE = seed('s')
const NAME = seed('n')
const SERVICE_NAME = seed('m')
const REMOTE = seed('r')
const TAG = seed('t')
const WORD = seed('w')
/** Is in no UTF-8. */
const BETWEEN = 0xff

function extend(hash: number, bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, PRIME)
  return hash
}

const finish = (hash: number): number => {
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

function hashOf(seeded: number, ...texts: string[]): number {
  let hash = seeded
  for (const [i, text] of texts.entries()) {
    if (i > 0) hash = Math.imul(hash ^ BETWEEN, PRIME)
    const bytes = Buffer.from(text)
    hash = extend(hash, bytes, 0, bytes.length)
  }
  return finish(hash)
}

/** Terms of the entries of one dictionary. */
export const entryTerms = {
  service: (d: Dictionary, text: number): number => finish(extend(SERVICE, d.bytes, d.start(text), d.end(text))),
  name: (d: Dictionary, text: number): number => finish(extend(NAME, d.bytes, d.start(text), d.end(text))),
  remote: (d: Dictionary, text: number): number => finish(extend(REMOTE, d.bytes, d.start(text), d.end(text))),
  annotation: (d: Dictionary, text: number): number => finish(extend(WORD, d.bytes, d.start(text), d.end(text))),
  serviceName(d: Dictionary, service: number, name: number): number {
    let hash = extend(SERVICE_NAME, d.bytes, d.start(service), d.end(service))
    hash = Math.imul(hash ^ BETWEEN, PRIME)
    return finish(extend(hash, d.bytes, d.start(name), d.end(name)))
  },
  tag(d: Dictionary, pair: number): number {
    const start = d.start(pair)
    const middle = start + d.kind(pair)
    const hash = Math.imul(extend(TAG, d.bytes, start, middle) ^ BETWEEN, PRIME)
    return finish(extend(hash, d.bytes, middle, d.end(pair)))
  },
  key(d: Dictionary, pair: number): number {
    const start = d.start(pair)
    return finish(extend(WORD, d.bytes, start, start + d.kind(pair)))
  },
}

/** A term that a trace must have, and how long a span of it must at least be. */
export interface Condition {
  /** undefined: only the duration counts, of any span. */
  term: number | undefined
  /** 0: any. */
  minCode: number
}

/** The terms of a request, what is likely rarest first. Empty: any trace of the window may do. */
export function conditionsOf(request: QueryRequest): Condition[] {
  const { serviceName, spanName, remoteServiceName, annotationQuery, minDuration } = request
  const conditions: Condition[] = []
  const add = (term: number, minCode = 0): void => void conditions.push({ term, minCode })
  const minCode = minDuration === undefined ? 0 : durationCode(minDuration)
  const terms = [...(annotationQuery ?? [])]
  for (const [key, value] of terms) if (value !== '') add(hashOf(TAG, key, value))
  for (const [key, value] of terms) if (value === '') add(hashOf(WORD, key))
  if (spanName !== undefined) {
    // The long span may be another one of the same service.
    add(serviceName === undefined ? hashOf(NAME, spanName) : hashOf(SERVICE_NAME, serviceName, spanName))
  }
  if (remoteServiceName !== undefined) add(hashOf(REMOTE, remoteServiceName))
  if (serviceName !== undefined) add(hashOf(SERVICE, serviceName), minCode)
  else if (minCode > 0) conditions.push({ term: undefined, minCode })
  return conditions
}

/** Where the quarters of an octave begin, as shares of it. */
const SECOND_QUARTER = 2 ** 0.25
const THIRD_QUARTER = 2 ** 0.5
const LAST_QUARTER = 2 ** 0.75

/** Quarter octaves: a longer duration never has a smaller code; 0 is none. µs → 0..255 */
export function durationCode(duration: number): number {
  if (duration < 1) return duration > 0 ? 1 : 0
  let octave = 0
  let rest = duration
  for (; rest >= 0x8000_0000; rest /= 0x8000_0000) octave += 31
  const bits = 31 - Math.clz32(rest)
  const share = rest / (1 << bits)
  const quarter = share < THIRD_QUARTER ? (share < SECOND_QUARTER ? 0 : 1) : share < LAST_QUARTER ? 2 : 3
  return Math.min(255, 1 + 4 * (octave + bits) + quarter)
}
