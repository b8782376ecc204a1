import { type Microseconds, peerOf, type Span } from '@hopscope/model'
import { FLAG, type RowDraft, SEGMENT } from './columns.ts'
import type { PlacedSpan } from './span-order.ts'

const KIND_FLAG = { CLIENT: FLAG.client, SERVER: FLAG.server, PRODUCER: FLAG.producer, CONSUMER: FLAG.consumer }

/** One row a span, in the order they are placed. */
export function spanRows(placed: readonly PlacedSpan[], traceStart: Microseconds): RowDraft[] {
  const drafts: RowDraft[] = []
  for (const [index, { span, parent, shift, isOrphan, isCut }] of placed.entries()) {
    const above = drafts[parent]
    const start = span.timestamp === undefined ? (above?.start ?? 0) : span.timestamp + shift - traceStart
    const duration = span.duration ?? 0
    const peer = span.kind === 'CLIENT' ? peerOf(span) : undefined
    const note = noteOf(span)
    let flags = span.kind ? KIND_FLAG[span.kind] : 0
    if (span.tags?.error !== undefined) flags |= FLAG.error
    if (shift !== 0) flags |= FLAG.moved
    if (isOrphan) flags |= FLAG.missingParent
    if (isCut) flags |= FLAG.cycle
    if (span.duration === undefined) flags |= FLAG.noDuration
    if (span.timestamp === undefined) flags |= FLAG.noTime
    drafts.push({
      parent,
      start,
      duration,
      shift,
      service: span.localEndpoint?.serviceName ?? 'unknown',
      name: span.name ?? 'unknown',
      ...(peer === undefined ? {} : { peer }),
      ...(note === undefined ? {} : { note }),
      flags,
      segments: [[start, start + duration, SEGMENT.span]],
      spans: [index],
    })
  }
  return drafts
}

/** The status where it tells something: all but a plain 2xx. */
export function noteOf(span: Span): string | undefined {
  const status = span.tags?.['http.status_code'] ?? span.tags?.['grpc.status_code']
  if (status === undefined || /^2\d\d$/.test(status)) return undefined
  const flags = span.tags?.response_flags
  return flags && flags !== '-' ? `${status} ${flags}` : status
}
