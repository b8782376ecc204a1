import type { ApiError } from '../api/get-json.ts'
import { Command, Notice } from './Notice.tsx'

/** A request that failed: what the collector said, and what usually helps. */
export function CollectorFailed({
  error,
  onRetry,
}: {
  error: Pick<ApiError, 'message' | 'status'>
  onRetry: () => void
}) {
  const isDown = error.status === undefined || error.status >= 500
  return (
    <Notice kind="error" title={isDown ? 'The collector does not answer' : 'The collector refused this'}>
      <p>{error.message}</p>
      {isDown && (
        <>
          <p>Is it running? This starts a mesh, its collector and this viewer:</p>
          <Command>./hopscope up</Command>
        </>
      )}
      <button type="button" onClick={onRetry}>
        Try again
      </button>
    </Notice>
  )
}
