import { FIELD_FRAMING } from '../bytes-meter.ts'
import type { HeaderMap } from '../headers.ts'
import { INLINE_REQUEST_HEADERS, INLINE_RESPONSE_HEADERS } from '../inline-headers.ts'
import { CODEC_ERROR, type CodecError, INVALID_CHARACTERS } from './codec-error.ts'
import { KnownNames } from './known-names.ts'

const LF = 10
const CR = 13
const SPACE = 32
const TAB = 9
const COLON = 58

/** 1: in a token. (RFC 9110 §5.6.2) */
const TOKEN = new Uint8Array(256)
for (const c of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  TOKEN[c.charCodeAt(0)] = 1

/** Control characters but tab; DEL too. */
const CONTROL = new Uint8Array(256)
for (let c = 0; c < 32; c++) CONTROL[c] = 1
CONTROL[TAB] = 0
CONTROL[127] = 1

export function isTokenByte(byte: number): boolean {
  return TOKEN[byte] !== 0
}

const KNOWN = new KnownNames([
  ...INLINE_REQUEST_HEADERS,
  ...INLINE_RESPONSE_HEADERS,
  ...[
    'accept-language',
    'accept-ranges',
    'b3',
    'baggage',
    'cookie',
    'forwarded',
    'priority',
    'server-timing',
    'set-cookie',
  ],
  ...['sec-ch-ua', 'sec-ch-ua-mobile', 'sec-ch-ua-platform', 'sec-fetch-dest', 'sec-fetch-mode', 'sec-fetch-site'],
  ...['strict-transport-security', 'traceparent', 'tracestate', 'upgrade-insecure-requests', 'x-content-type-options'],
  ...['x-b3-flags', 'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-spanid', 'x-b3-traceid', 'x-frame-options'],
])

/** What the fields say of the body, gathered on the way. */
export class FramingFields {
  /** As written; undefined without one. */
  contentLength: string | undefined
  transferEncoding: string | undefined
  /** Lower case, of all Connection fields, with commas between. */
  connection = ''
  fields = 0
  /** Of names and values, with what is between and after them (as `BytesMeter.headerReceived`). */
  bytes = 0
  hosts = 0
}

/**
 * Reads the field lines of `text` (latin1, the head from `start` to its end, the empty line left out) into `headers`, names in lower
 * case, values trimmed. A bare CR or LF and a folded line are refused, which Envoy takes: other parsers may see other fields there.
 * `joined` says which repeated fields become one value with a comma.
 */
export function scanFields(
  bytes: Uint8Array,
  start: number,
  end: number,
  text: string,
  headers: HeaderMap,
  framing: FramingFields,
  joined: ReadonlySet<string>,
): CodecError | undefined {
  let at = start
  while (at < end) {
    let c = bytes[at]!
    const nameStart = at
    while (TOKEN[c] !== 0) c = bytes[++at]!
    if (c !== COLON || at === nameStart) return CODEC_ERROR
    const name = KNOWN.find(bytes, nameStart, at) ?? text.slice(nameStart, at).toLowerCase()
    at++
    while (bytes[at] === SPACE || bytes[at] === TAB) at++
    const valueStart = at
    while (at < end && CONTROL[bytes[at]!] === 0) at++
    let valueEnd = at
    if (bytes[at] === LF) return CODEC_ERROR
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return INVALID_CHARACTERS
    at += 2
    if (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) return CODEC_ERROR
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) valueEnd--
    const value = text.slice(valueStart, valueEnd)
    framing.fields++
    framing.bytes += name.length + value.length + FIELD_FRAMING
    const error = addField(headers, name, value, framing, joined)
    if (error !== undefined) return error
  }
  return undefined
}

function addField(
  headers: HeaderMap,
  name: string,
  value: string,
  framing: FramingFields,
  joined: ReadonlySet<string>,
): CodecError | undefined {
  switch (name) {
    case 'content-length':
      if (framing.contentLength !== undefined || !isDigits(value)) return CODEC_ERROR
      framing.contentLength = value
      break
    case 'transfer-encoding':
      framing.transferEncoding = framing.transferEncoding === undefined ? value : `${framing.transferEncoding},${value}`
      break
    case 'host':
      framing.hosts++
      break
    case 'connection':
      framing.connection =
        framing.connection === '' ? value.toLowerCase() : `${framing.connection},${value.toLowerCase()}`
      break
  }
  headers.add(name, value, joined)
  return undefined
}

/** At least one, and small enough to count with. */
function isDigits(value: string): boolean {
  if (value.length === 0 || value.length > 15) return false
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i)
    if (c < 48 || c > 57) return false
  }
  return true
}

/**
 * The index after the empty line that ends a head, or -1; looks from `from` on. One that ends with a bare LF is found too: to be refused.
 * Every second byte is enough, for the end has two line feeds in two or three bytes; and nearly every byte is above both.
 */
export function findHeadEnd(bytes: Uint8Array, from: number): number {
  for (let at = from + 1; at < bytes.length; at += 2) {
    const byte = bytes[at]!
    if (byte > CR || (byte !== CR && byte !== LF)) continue
    const before = afterEmptyLine(bytes, at - 1)
    if (before !== -1) return before
    const here = afterEmptyLine(bytes, at)
    if (here !== -1) return here
  }
  return -1
}

/** Where the empty line ends that follows the line feed at `at`; -1: there is none, or no line feed. */
function afterEmptyLine(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== LF) return -1
  if (bytes[at + 1] === LF) return at + 2
  return bytes[at + 1] === CR && bytes[at + 2] === LF ? at + 3 : -1
}
