import { newestInWindow, type Span } from '@hopscope/model'
import type { SampleRequest } from './store.ts'

/** Whether a whole trace is one of those that a sample is of. */
export function isInSample(request: SampleRequest, trace: readonly Span[]): boolean {
  if (newestInWindow(request, trace) === undefined) return false
  const { serviceName, spanName } = request
  const isOfService = ({ localEndpoint }: Span): boolean =>
    serviceName === undefined || localEndpoint?.serviceName === serviceName
  if (serviceName !== undefined && !trace.some(isOfService)) return false
  return spanName === undefined || trace.some(span => span.name === spanName && isOfService(span))
}
