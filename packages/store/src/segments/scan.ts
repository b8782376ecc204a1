import { DecodeError, IdError } from '@hopscope/model'
import type { Head } from './head.ts'

/** Reads bodies of one format straight into the columns of a head. */
export interface Scanner {
  /**
   * Adds the spans of `body` and returns how many; undefined, and the head as it was, when it is not for this scanner, or
   * holds more than `maxSpans`.
   */
  scan(body: Uint8Array, maxSpans?: number): number | undefined
}

/** Thrown at whatever is not ordinary; one object, made once. */
export const NOT_ORDINARY = new Error('not ordinary')

/** Runs `read`; what it adds is taken back when it meets something that is not ordinary. */
export function scanInto(head: Head, read: (firstRow: number) => void): number | undefined {
  const mark = head.mark()
  try {
    read(mark.rows)
    return head.rows.length - mark.rows
  } catch (error) {
    head.rollback(mark)
    if (error === NOT_ORDINARY || error instanceof DecodeError || error instanceof IdError) return undefined
    // JSON.parse of a text with a bad escape.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
