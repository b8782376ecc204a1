import { FAILURES, type Failure } from '../errors.ts'
import type { ResetReason } from '../upstream/reset-reason.ts'

/** What the client is told of an attempt that was reset. `informed`: a 1xx had come. */
export function resetFailure(
  reason: ResetReason,
  transportFailure: string,
  attempts: number,
  informed: boolean,
): Failure {
  const failure: Failure = FAILURES[reason]
  const { body } = failure
  const details = informed ? failure.details.replace('before_response', 'after_response') : failure.details
  return {
    ...failure,
    details: transportFailure === '' ? details : `${details.slice(0, -1)}|${transportFailure}}`,
    body: attempts > 1 ? body.replace('. reset reason: ', '. retried and the latest reset reason: ') : body,
  }
}
