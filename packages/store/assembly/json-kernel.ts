/*
 * AssemblyScript: TypeScript's syntax, compiled to src/segments/json-kernel.wasm by build.ts. Numbers are machine words, `load` and
 * `store` take addresses, nothing is allocated.
 *
 * Finds the structure of a Zipkin v2 JSON list, sixteen bytes at a time, and gives each distinct text of it a number. A text is
 * here what stands in the body, with quotes, escapes and blanks: a tag is all from its key's first quote to its value's last, an
 * endpoint all from brace to brace. What a text means, json-kernel.ts in src asks once, when it is new.
 *
 * Whoever calls writes the body to BODY and zeros behind it: a zero ends everything.
 */

/** What a text stands for: two texts of one spelling are two when these differ. */
const NAME: u32 = 0
const ENDPOINT: u32 = 1
const PAIR: u32 = 2
const VALUE: u32 = 3

/** By number, as in json-kernel.ts; their names are written to FIELD_NAMES by it, those of kinds to KIND_NAMES. */
const TRACE_ID: u32 = 0
const ID: u32 = 1
const PARENT_ID: u32 = 2
const KIND: u32 = 3
const NAME_FIELD: u32 = 4
const TIMESTAMP: u32 = 5
const DURATION: u32 = 6
const LOCAL: u32 = 7
const REMOTE: u32 = 8
const ANNOTATIONS: u32 = 9
const TAGS: u32 = 10
const DEBUG: u32 = 11
const SHARED: u32 = 12
const FIELDS: u32 = 13
/** Before the first field; a name that is none. */
const NO_FIELD: u32 = FIELDS
const BOTH_IDS: u32 = (1 << TRACE_ID) | (1 << ID)
const KINDS: u32 = 5
const DEBUG_FLAG: u32 = 8
const SHARED_FLAG: u32 = 16

const QUOTE: u8 = 0x22
const COMMA: u8 = 0x2c
const COLON: u8 = 0x3a
const OPEN_LIST: u8 = 0x5b
const BACKSLASH: u8 = 0x5c
const CLOSE_LIST: u8 = 0x5d
const OPEN: u8 = 0x7b
const CLOSE: u8 = 0x7d

/** Tags beyond this of a span are not guessed. */
const GUESSED: u32 = 64

// Where things are, and how much of each there may be; what does not fit is not for this kernel.
/** Names of 15 bytes at most, each in 16 with its length in the last. */
export const FIELD_NAMES: u32 = 1024
export const KIND_NAMES: u32 = FIELD_NAMES + FIELDS * 16
/** By field: where its name last stood in this body, from quote to colon, its length, and the field behind it. */
const FIELD_AT: u32 = KIND_NAMES + KINDS * 16
/** By place among the tags of a span, and after them the last name and endpoints: where, length, text. */
const GUESSES: u32 = FIELD_AT + (FIELDS + 1) * 12
/** Behind them once more: what stood at the place before that. */
const OTHER_GUESSES: u32 = GUESSED * 12
const LAST_NAME: u32 = GUESSES + 2 * OTHER_GUESSES
const LAST_LOCAL: u32 = LAST_NAME + 12
const LAST_REMOTE: u32 = LAST_LOCAL + 12
const GUESSES_END: u32 = LAST_REMOTE + 12

export const MAX_ROWS: u32 = 4096
/** Of a row: ten u32, see `span`, and timestamp and duration as f64. */
export const ROW_BYTES: u32 = 80
export const ROWS: u32 = 8192
export const MAX_TAGS: u32 = 65536
/** u32: text */
export const TAGS_OUT: u32 = ROWS + MAX_ROWS * ROW_BYTES
export const MAX_ANNOTATIONS: u32 = 16384
/** f64 timestamp, u32 text, u32 unused */
export const ANNOTATIONS_OUT: u32 = TAGS_OUT + MAX_TAGS * 4

/**
 * Texts, one after the other, each at an address that is a multiple of 16, which is its number: hash, length and kind << 28, a u32
 * that belongs to who calls, a u32 unused, the bytes. In one place, and with a small table before it, since what costs is to
 * wait for memory.
 */
export const TEXTS: u32 = ANNOTATIONS_OUT + MAX_ANNOTATIONS * 16
const TEXTS_END: u32 = TEXTS + (8 << 20)
const MAX_TEXTS: u32 = 24576
const SLOTS_LOG2: u32 = 15
const SLOTS: u32 = TEXTS_END + 16
export const MAX_BODY_BYTES: u32 = 1 << 20
export const BODY: u32 = SLOTS + (4 << SLOTS_LOG2)
/** Zeros that stand behind the body. */
export const PADDING: u32 = 64
export const MEMORY_BYTES: u32 = BODY + MAX_BODY_BYTES + PADDING

let textCount: u32 = 0
/** Where the next new text goes. */
let textEnd: u32 = TEXTS
/** So that nobody outside knows which texts share a hash. */
let seed: u64 = 0

/** Where the scan is, and the end of the body. */
let at: u32 = 0
let bodyEnd: u32 = 0
let isRefused: bool = false
let tagCount: u32 = 0
let annotationCount: u32 = 0

/** Where the next new text goes; after `scan`, new ones are those from what it was before. */
export function end(): u32 {
  return textEnd
}

/** Where the text behind this one is. */
export function after(text: u32): u32 {
  return text + 16 + (((load<u32>(text + 4) & 0x0fffffff) + 15) & ~15)
}

/** Forgets all texts. */
export function reset(newSeed: u64): void {
  seed = newSeed
  textCount = 0
  textEnd = TEXTS
  memory.fill(SLOTS, 0, 4 << SLOTS_LOG2)
}

/** Forgets the texts from this one on. */
export function truncate(first: u32): void {
  const mask: u32 = (1 << SLOTS_LOG2) - 1
  // Last in, first out: with linear probing, nothing that stays was ever moved past these.
  for (let text = first; text < textEnd; text = after(text)) {
    let slot = load<u32>(text) & mask
    while (load<u32>(SLOTS + slot * 4) !== text) slot = (slot + 1) & mask
    store<u32>(SLOTS + slot * 4, 0)
    textCount--
  }
  textEnd = first
}

/** Whether a body might find too little room for its texts: time to `reset`. */
export function isFull(): bool {
  return textCount > MAX_TEXTS / 2 || textEnd + MAX_BODY_BYTES * 4 > TEXTS_END
}

/** Reads the body of so many bytes. Returns how many rows it has; -1: it is not ordinary, or too large. */
export function scan(length: u32, maxRows: u32): i32 {
  at = BODY
  bodyEnd = BODY + length
  isRefused = false
  tagCount = 0
  annotationCount = 0
  memory.fill(FIELD_AT, 0, GUESSES_END - FIELD_AT)
  expect(OPEN_LIST)
  let rows: u32 = 0
  if (peek() === CLOSE_LIST) at++
  else {
    for (;;) {
      if (rows === maxRows || rows === MAX_ROWS) return -1
      span(ROWS + rows * ROW_BYTES)
      if (isRefused) return -1
      rows++
      const next = peek()
      at++
      if (next === CLOSE_LIST) break
      if (next !== COMMA) return -1
    }
  }
  if (isRefused) return -1
  peek()
  return at === bodyEnd ? <i32>rows : -1
}

/** Nothing of this body counts. What is under way goes on, at a place that gives it nothing but zeros. */
function refuse(): void {
  isRefused = true
  at = bodyEnd
}

/** The next byte that is no blank. */
function peek(): u8 {
  let byte = load<u8>(at)
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = load<u8>(++at)
  return byte
}

function expect(byte: u8): void {
  if (peek() !== byte) refuse()
  else at++
}

/** Goes past a comma: true; or past `close`: false. */
function isMore(close: u8): bool {
  const next = peek()
  if (next === COMMA) {
    at++
    return true
  }
  if (next === close) at++
  else refuse()
  return false
}

function span(row: u32): void {
  let seen: u32 = 0
  let field: u32 = NO_FIELD
  let kind: u32 = 0
  let flags: u32 = 0
  for (let i: u32 = 0; i < ROW_BYTES; i += 16) v128.store(row + i, i64x2.splat(0))
  expect(OPEN)
  do {
    field = fieldAfter(field)
    if (field === NO_FIELD || (seen & (1 << field)) !== 0) return refuse()
    seen |= 1 << field
    switch (field) {
      case TRACE_ID: {
        expect(QUOTE)
        let low = hex16()
        let high: u64 = 0
        if (load<u8>(at) !== QUOTE) {
          high = low
          low = hex16()
        }
        closeQuote()
        if ((low | high) === 0) refuse()
        storeId(row, low)
        storeId(row + 8, high)
        break
      }
      case ID: {
        const id = quotedHex16()
        if (id === 0) refuse()
        storeId(row + 16, id)
        break
      }
      case PARENT_ID:
        storeId(row + 24, quotedHex16())
        break
      case KIND:
        expect(QUOTE)
        kind = known(KIND_NAMES, KINDS)
        if (kind === KINDS) return refuse()
        at += load<u8>(KIND_NAMES + kind * 16 + 15)
        closeQuote()
        break
      case NAME_FIELD:
        store<u32>(row + 36, quoted(NAME, LAST_NAME))
        break
      case TIMESTAMP:
        store<f64>(row + 64, integer())
        break
      case DURATION:
        store<f64>(row + 72, integer())
        break
      case LOCAL:
        store<u32>(row + 40, endpoint(LAST_LOCAL))
        break
      case REMOTE:
        store<u32>(row + 44, endpoint(LAST_REMOTE))
        break
      case ANNOTATIONS:
        annotations()
        break
      case TAGS:
        tags()
        break
      case DEBUG:
        if (boolean()) flags |= DEBUG_FLAG
        break
      case SHARED:
        if (boolean()) flags |= SHARED_FLAG
        break
    }
  } while (isMore(CLOSE))
  if ((seen & BOTH_IDS) !== BOTH_IDS) refuse()
  store<u32>(row + 32, kind | flags)
  store<u32>(row + 48, tagCount)
  store<u32>(row + 52, annotationCount)
}

/** Two u32, the higher first. */
function storeId(to: u32, id: u64): void {
  store<u64>(to, (id >> 32) | (id << 32))
}

/** The field whose name comes next, and goes past its colon; `before` is the field before it. */
function fieldAfter(before: u32): u32 {
  peek()
  const guess = load<u32>(FIELD_AT + before * 12 + 8)
  const last = FIELD_AT + guess * 12
  if (repeats(load<u32>(last), load<u32>(last + 4))) {
    at += load<u32>(last + 4)
    return guess
  }
  const start = at
  expect(QUOTE)
  const field = known(FIELD_NAMES, FIELDS)
  if (field === NO_FIELD) return NO_FIELD
  at += load<u8>(FIELD_NAMES + field * 16 + 15)
  closeQuote()
  expect(COLON)
  store<u32>(FIELD_AT + before * 12 + 8, field)
  store<u32>(FIELD_AT + field * 12, start)
  store<u32>(FIELD_AT + field * 12 + 4, at - start)
  return field
}

/** Which of `count` names stands here, before a quote; `count`: none. A name without length is none. */
function known(names: u32, count: u32): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const length = load<u8>(names + i * 16 + 15)
    if (length > 0 && load<u8>(at + length) === QUOTE && same(names + i * 16, at, length)) return i
  }
  return count
}

/** Whether the bytes at `from`, which were read before, stand here again; of none, no. */
function repeats(from: u32, length: u32): bool {
  return length !== 0 && at + length <= bodyEnd && same(from, at, length)
}

function same(a: u32, b: u32, length: u32): bool {
  if (length < 16) {
    const mask = (1 << length) - 1
    return (i8x16.bitmask(i8x16.eq(v128.load(a), v128.load(b))) & mask) === mask
  }
  const last = length - 16
  for (let i: u32 = 0; i < last; i += 16) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false
  }
  return !v128.any_true(v128.xor(v128.load(a + last), v128.load(b + last)))
}

function closeQuote(): void {
  if (load<u8>(at) !== QUOTE) refuse()
  else at++
}

function quotedHex16(): u64 {
  expect(QUOTE)
  const value = hex16()
  closeQuote()
  return value
}

/** Sixteen lower-hex characters. */
function hex16(): u64 {
  const text = v128.load(at)
  const digits = i8x16.lt_u(i8x16.sub(text, i8x16.splat(0x30)), i8x16.splat(10))
  const letters = i8x16.lt_u(i8x16.sub(text, i8x16.splat(0x61)), i8x16.splat(6))
  if (!i8x16.all_true(v128.or(digits, letters))) {
    refuse()
    return 0
  }
  at += 16
  const nibbles = i8x16.add(v128.and(text, i8x16.splat(0x0f)), v128.and(letters, i8x16.splat(9)))
  // In each pair of bytes the first is the higher half.
  const pairs = v128.or(i16x8.shl(v128.and(nibbles, i16x8.splat(0xff)), 4), i16x8.shr_u(nibbles, 8))
  return bswap<u64>(i64x2.extract_lane(i8x16.narrow_i16x8_u(pairs, pairs), 0))
}

/** Digits alone, below 2^53. */
function integer(): f64 {
  const first = peek()
  const from = at
  let value: u64 = 0
  if (isEightDigits(load<u64>(at))) {
    value = eightDigits(load<u64>(at))
    at += 8
  }
  for (let digit = <u32>load<u8>(at) - 0x30; digit <= 9 && at - from <= 16; digit = <u32>load<u8>(at) - 0x30) {
    value = value * 10 + digit
    at++
  }
  const digits = at - from
  const next = load<u8>(at)
  if (
    digits === 0 ||
    digits > 16 ||
    (first === 0x30 && digits > 1) ||
    value > 9007199254740991 ||
    // A fraction or an exponent.
    next === 0x2e ||
    next === 0x65 ||
    next === 0x45
  ) {
    refuse()
    return 0
  }
  return <f64>value
}

function isEightDigits(word: u64): bool {
  return (
    ((word & 0xf0f0f0f0f0f0f0f0) | (((word + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4)) === 0x3333333333333333
  )
}

function eightDigits(word: u64): u64 {
  word = (word & 0x0f0f0f0f0f0f0f0f) * 10 + ((word & 0x0f0f0f0f0f0f0f0f) >> 8)
  word = (word & 0x00ff00ff00ff00ff) * 100 + ((word & 0x00ff00ff00ff00ff) >> 16)
  return ((word & 0x0000ffff0000ffff) * 10000 + ((word & 0x0000ffff0000ffff) >> 32)) & 0xffffffff
}

function boolean(): bool {
  peek()
  const word = load<u32>(at)
  // "true", "fals"
  if (word === 0x65757274) {
    at += 4
    return true
  }
  if (word === 0x736c6166 && load<u8>(at + 4) === 0x65) at += 5
  else refuse()
  return false
}

/** Where the text ends whose first byte, behind its quote, is at `from`: at its last quote. 0: it does not. */
function endOfText(from: u32): u32 {
  while (from < bodyEnd) {
    const bytes = v128.load(from)
    const ends = v128.or(
      v128.or(i8x16.eq(bytes, i8x16.splat(QUOTE)), i8x16.eq(bytes, i8x16.splat(BACKSLASH))),
      i8x16.lt_u(bytes, i8x16.splat(0x20)),
    )
    const mask = i8x16.bitmask(ends)
    if (mask === 0) {
      from += 16
      continue
    }
    from += ctz(mask)
    const byte = load<u8>(from)
    if (byte === QUOTE) return from
    // A control character, or the end of the body.
    if (byte !== BACKSLASH) return 0
    from += 2
  }
  return 0
}

/** A text between quotes. `last`: where the one of its sort stood that was read last. */
function quoted(kind: u32, last: u32): u32 {
  peek()
  if (repeats(load<u32>(last), load<u32>(last + 4))) return repeated(last)
  const start = at
  expect(QUOTE)
  const to = endOfText(at)
  if (to === 0) {
    refuse()
    return 0
  }
  at = to + 1
  return remember(last, start, kind)
}

function repeated(last: u32): u32 {
  at += load<u32>(last + 4)
  return load<u32>(last + 8)
}

/** What stands from `start` to here, as a text. */
function remember(last: u32, start: u32, kind: u32): u32 {
  const text = intern(start, at - start, kind)
  store<u32>(last, start)
  store<u32>(last + 4, at - start)
  store<u32>(last + 8, text)
  return text
}

/** An object without others in it, and without a backslash. */
function endpoint(last: u32): u32 {
  if (peek() !== OPEN) {
    refuse()
    return 0
  }
  if (repeats(load<u32>(last), load<u32>(last + 4))) return repeated(last)
  const start = at
  for (let from = at + 1; from < bodyEnd; from += 16) {
    const bytes = v128.load(from)
    const ends = v128.or(
      v128.or(i8x16.eq(bytes, i8x16.splat(CLOSE)), i8x16.eq(bytes, i8x16.splat(OPEN))),
      i8x16.eq(bytes, i8x16.splat(BACKSLASH)),
    )
    const mask = i8x16.bitmask(ends)
    if (mask === 0) continue
    at = from + ctz(mask)
    if (load<u8>(at) !== CLOSE) break
    at++
    return remember(last, start, ENDPOINT)
  }
  refuse()
  return 0
}

function tags(): void {
  expect(OPEN)
  if (peek() === CLOSE) {
    at++
    return
  }
  let place: u32 = 0
  do {
    if (tagCount === MAX_TAGS) return refuse()
    store<u32>(TAGS_OUT + tagCount * 4, pair(GUESSES + place * 12))
    tagCount++
    if (place < GUESSED - 1) place++
  } while (isMore(CLOSE))
}

function pair(last: u32): u32 {
  peek()
  if (repeats(load<u32>(last), load<u32>(last + 4))) return repeated(last)
  const other = last + OTHER_GUESSES
  if (repeats(load<u32>(other), load<u32>(other + 4))) return repeated(other)
  // What came last is kept as the other; of two that take turns, both stay.
  store<u64>(other, load<u64>(last))
  store<u32>(other + 8, load<u32>(last + 8))
  const start = at
  expect(QUOTE)
  const keyEnd = endOfText(at)
  if (keyEnd === 0) {
    refuse()
    return 0
  }
  at = keyEnd + 1
  expect(COLON)
  expect(QUOTE)
  const to = endOfText(at)
  if (isRefused || to === 0) {
    refuse()
    return 0
  }
  at = to + 1
  return remember(last, start, PAIR)
}

function annotations(): void {
  expect(OPEN_LIST)
  if (peek() === CLOSE_LIST) {
    at++
    return
  }
  do {
    if (annotationCount === MAX_ANNOTATIONS) return refuse()
    annotation(ANNOTATIONS_OUT + annotationCount * 16)
    annotationCount++
  } while (isMore(CLOSE_LIST))
}

/** A timestamp and a value, in either order. */
function annotation(to: u32): void {
  let seen: u32 = 0
  expect(OPEN)
  do {
    expect(QUOTE)
    const keyEnd = endOfText(at)
    const length = keyEnd - at
    // "timestamp" as among the fields of a span; "value"
    const isTimestamp = length === 9 && same(FIELD_NAMES + TIMESTAMP * 16, at, 9)
    const isValue = length === 5 && load<u32>(at) === 0x756c6176 && load<u8>(at + 4) === 0x65
    if (keyEnd === 0 || (!isTimestamp && !isValue)) return refuse()
    at = keyEnd + 1
    expect(COLON)
    const bit: u32 = isTimestamp ? 1 : 2
    if ((seen & bit) !== 0) return refuse()
    seen |= bit
    if (isTimestamp) store<f64>(to, integer())
    else store<u32>(to + 8, value())
  } while (isMore(CLOSE))
  if (seen !== 3) refuse()
}

function value(): u32 {
  expect(QUOTE)
  const start = at - 1
  const to = endOfText(at)
  if (isRefused || to === 0) {
    refuse()
    return 0
  }
  at = to + 1
  return intern(start, at - start, VALUE)
}

/** These bytes as this kind of text. */
function intern(from: u32, length: u32, kind: u32): u32 {
  const hash = hashOf(from, length, kind)
  const mask: u32 = (1 << SLOTS_LOG2) - 1
  const what = length | (kind << 28)
  let slot = hash & mask
  for (let text = load<u32>(SLOTS + slot * 4); text !== 0; text = load<u32>(SLOTS + slot * 4)) {
    if (load<u32>(text) === hash && load<u32>(text + 4) === what && same(text + 16, from, length)) return text
    slot = (slot + 1) & mask
  }
  if (textCount === MAX_TEXTS || textEnd + 32 + length > TEXTS_END) {
    refuse()
    return 0
  }
  const text = textEnd
  store<u32>(text, hash)
  store<u32>(text + 4, what)
  store<u32>(text + 8, 0)
  memory.copy(text + 16, from, length)
  store<u32>(SLOTS + slot * 4, text)
  textEnd = after(text)
  textCount++
  return text
}

/** Of two bytes and more. */
function hashOf(from: u32, length: u32, kind: u32): u32 {
  let hash = seed ^ (((<u64>length) << 8) | kind)
  let rest = length
  for (; rest >= 8; rest -= 8) {
    hash = mix(hash ^ load<u64>(from))
    from += 8
  }
  if (rest > 0) hash = mix(hash ^ (load<u64>(from) & (((<u64>1) << (rest * 8)) - 1)))
  hash = mix(hash)
  return <u32>hash
}

function mix(hash: u64): u64 {
  hash *= 0x9e3779b97f4a7c15
  return hash ^ (hash >> 32)
}
