import { crc32 } from 'node:zlib'
import { Head, type Mark } from './head.ts'

/*
 * A log: what a head holds, appended group by group. Numbers are little-endian.
 *
 *   header   "HOPSLOG" and the version (1)   8 bytes
 *            its number                       u32
 *            CRC32 of the 12 bytes before     u32
 *   record   length of what follows the CRC   u32
 *            CRC32 of what follows            u32
 *            rows, traces, entries, bytes of entries, tags, annotations: six counts before it, six in it   12 × u32
 *            the traces, the entries, their bytes, the tags, the annotations, the rows: each column after column
 *
 * A record refers to entries and traces of those before it, so reading ends at the first that is not whole.
 */
const MAGIC = 'HOPSLOG\x01'
export const HEADER_BYTES = 16
const RECORD_HEADER_BYTES = 8
const COUNT_BYTES = 48

export function encodeHeader(number: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.write(MAGIC, 'latin1')
  header.writeUInt32LE(number, 8)
  header.writeUInt32LE(crc32(header.subarray(0, 12)), 12)
  return header
}

/** What the head holds beyond `from`; in the memory of `old`, whose bytes nobody needs any more, when that is enough. */
export function encodeRecord(head: Head, from: Mark, old?: Buffer): Buffer {
  const to = head.mark()
  const parts: Uint8Array[] = [
    ...head.traces.bytes(from.traces),
    ...head.dictionary.entries.bytes(from.entries),
    head.dictionary.bytes.subarray(from.bytes, to.bytes),
    ...head.tags.bytes(from.tags),
    ...head.annotations.bytes(from.annotations),
    ...head.rows.bytes(from.rows),
  ]
  let length = COUNT_BYTES
  for (const part of parts) length += part.length
  const whole = RECORD_HEADER_BYTES + length
  const memory = old !== undefined && old.buffer.byteLength >= whole ? old.buffer : new ArrayBuffer(whole * 2)
  const record = Buffer.from(memory, 0, whole)
  let at = RECORD_HEADER_BYTES
  for (const count of counts(from)) at = record.writeUInt32LE(count, at)
  for (const [i, count] of counts(to).entries()) at = record.writeUInt32LE(count - counts(from)[i]!, at)
  for (const part of parts) {
    record.set(part, at)
    at += part.length
  }
  record.writeUInt32LE(length, 0)
  record.writeUInt32LE(crc32(record.subarray(RECORD_HEADER_BYTES)), 4)
  return record
}

const counts = (mark: Mark): number[] => [mark.rows, mark.traces, mark.entries, mark.bytes, mark.tags, mark.annotations]

export interface Replayed {
  head: Head
  /** Bytes that were read; the log can go on from there. */
  end: number
  /**
   * torn: the last write did not finish, and nobody was told that it did. damaged: more stands behind a record that is
   * not as it was written.
   */
  rest: 'none' | 'torn' | 'damaged'
}

/**
 * The head that a log was written from, in the memory of `old`, if any, which nobody reads any more; undefined: it has no whole
 * header, so nothing was ever acknowledged from it.
 */
export function replay(log: Buffer, number: number, old?: Head): Replayed | undefined {
  if (log.length < HEADER_BYTES) return undefined
  if (!encodeHeader(number).equals(log.subarray(0, HEADER_BYTES))) return undefined
  const head = new Head(old)
  let end = HEADER_BYTES
  while (end + RECORD_HEADER_BYTES <= log.length) {
    const length = log.readUInt32LE(end)
    const from = end + RECORD_HEADER_BYTES
    if (length < COUNT_BYTES || from + length > log.length) {
      // The counts say the length once more: a whole record whose length was changed is no write that did not finish.
      const counted = countedLength(head, log, from)
      const isWhole = counted !== undefined && crc32(log.subarray(from, from + counted)) === log.readUInt32LE(end + 4)
      return { head, end, rest: isWhole ? 'damaged' : 'torn' }
    }
    const payload = log.subarray(from, from + length)
    const mark = head.mark()
    if (crc32(payload) !== log.readUInt32LE(end + 4) || !append(head, payload)) {
      head.rollback(mark)
      return { head, end, rest: from + length === log.length ? 'torn' : 'damaged' }
    }
    end = from + length
  }
  return { head, end, rest: end === log.length ? 'none' : 'torn' }
}

/** Of the record whose counts stand at `from`; undefined when it does not fit. */
function countedLength(head: Head, log: Buffer, from: number): number | undefined {
  if (from + COUNT_BYTES > log.length) return undefined
  const [rows, traces, entries, bytes, tags, annotations] = Array.from({ length: 6 }, (_, i) =>
    log.readUInt32LE(from + 4 * (6 + i)),
  ) as [number, number, number, number, number, number]
  const length =
    COUNT_BYTES +
    rows * head.rows.width +
    traces * head.traces.width +
    entries * head.dictionary.entries.width +
    bytes +
    tags * head.tags.width +
    annotations * head.annotations.width
  return from + length <= log.length ? length : undefined
}

function append(head: Head, payload: Buffer): boolean {
  const numbers = Array.from({ length: 12 }, (_, i) => payload.readUInt32LE(4 * i))
  if (counts(head.mark()).some((count, i) => count !== numbers[i])) return false
  const [rows, traces, entries, bytes, tags, annotations] = numbers.slice(6) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const expected =
    COUNT_BYTES +
    rows * head.rows.width +
    traces * head.traces.width +
    entries * head.dictionary.entries.width +
    bytes +
    tags * head.tags.width +
    annotations * head.annotations.width
  if (expected !== payload.length) return false
  try {
    let at = head.appendTraces(traces, payload, COUNT_BYTES)
    at = head.dictionary.append(entries, payload, at, bytes)
    at = head.tags.append(tags, payload, at)
    at = head.annotations.append(annotations, payload, at)
    head.appendRows(rows, payload, at)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
