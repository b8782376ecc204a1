import type { Microseconds, Span } from './span.ts'

/** How long a proxy waited for the other side: from its first byte out to the last byte in. */
export function upstreamWait(span: Span | undefined): Microseconds | undefined {
  const sent = span && annotationTime(span, 'first_upstream_tx_byte_sent')
  const received = span && annotationTime(span, 'last_upstream_rx_byte_received')
  return sent === undefined || received === undefined ? undefined : received - sent
}

function annotationTime(span: Span, value: string): Microseconds | undefined {
  return span.annotations?.find(annotation => annotation.value === value)?.timestamp
}
