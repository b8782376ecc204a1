/** envoy.extensions.filters.http.buffer.v3.Buffer, and BufferPerRoute. */
export interface BufferFilter {
  type: 'buffer'
  /** undefined: off, said by a route. */
  maxRequestBytes: number | undefined
}
