import { FAILURES } from '../errors.ts'
import type { Instant } from '../stream-info.ts'
import type { ResetReason } from '../upstream/reset-reason.ts'
import type { Attempt } from '../upstream/send.ts'
import type { AttemptOutcome } from './http-tracer.ts'

/** What became of an attempt, for its span. `attempt` undefined: there was no host for one. */
export function attemptOutcome(
  attempt: Attempt | undefined,
  at: Instant,
  canceled: boolean,
  resetReason?: ResetReason,
): AttemptOutcome {
  const outcome: AttemptOutcome = {
    at,
    upstreamAddress: attempt?.hostKnown ? attempt.host.address : '',
    statusCode: attempt?.status ?? 0,
    responseHeaders: attempt?.responseHeaders,
    responseFlags: '',
    canceled,
    firstUpstreamTxByte: attempt?.firstTxByte ?? Number.NaN,
    lastUpstreamTxByte: attempt?.lastTxByte ?? Number.NaN,
    firstUpstreamRxByte: attempt?.firstRxByte ?? Number.NaN,
    lastUpstreamRxByte: attempt?.lastRxByte ?? Number.NaN,
  }
  if (resetReason !== undefined) {
    outcome.resetReason = resetReason
    outcome.responseFlags = FAILURES[resetReason].flag ?? ''
  }
  return outcome
}
