import type { HttpConnectionManager } from '@hopscope/envoy-config'
import type { RequestHeaders } from './headers.ts'
import { randomUuid } from './random-uuid.ts'

/** A UUID's version digit, in which the trace reason is kept. */
const REASON_AT = 14

/** x-request-id: a new one where there is none or the client is not trusted with it, else the one that came. */
export function applyRequestId(config: HttpConnectionManager, headers: RequestHeaders, edge: boolean): void {
  const given = headers.get('x-request-id')
  const keep = given !== undefined && given !== '' && (!edge || config.preserveExternalRequestId)
  if (!keep) {
    if (config.generateRequestId) headers.set('x-request-id', randomUuid())
    else if (edge && given !== undefined) headers.remove('x-request-id')
  } else if (edge && config.requestId.packTraceReason && given.length === 36) {
    headers.set('x-request-id', `${given.slice(0, REASON_AT)}4${given.slice(REASON_AT + 1)}`)
  }
}
