/** What stands before and after a chunk of a chunked body. */
export function chunkHeader(length: number): string {
  return `${length.toString(16)}\r\n`
}
export const CHUNK_END = '\r\n'
export const LAST_CHUNK = '0\r\n\r\n'
