/** What one side of a stream has cost on the wire, as Envoy counts it: whole reads and writes, and of them the field lines of heads. */
export class BytesMeter {
  wireReceived = 0
  wireSent = 0
  /** Name and value of each field, and three bytes for what is between and after them. */
  headerReceived = 0
  /** Whole field lines. */
  headerSent = 0
  /** In HTTP/1 nothing is compressed; but Envoy adds all of `headerReceived` again with every head, so interim answers and retries count more than once. */
  decompressedHeaderReceived = 0

  /** A whole head was read; `bytes` as of `FramingFields`. */
  receiveHead(bytes: number): void {
    this.receiveFields(bytes)
    this.decompressedHeaderReceived += this.headerReceived
  }

  /** A head or trailers without a field count as one empty field. */
  receiveFields(bytes: number): void {
    this.headerReceived += Math.max(FIELD_FRAMING, bytes)
  }
}

/** The colon and the line's end; blanks are not counted. */
export const FIELD_FRAMING = 3
