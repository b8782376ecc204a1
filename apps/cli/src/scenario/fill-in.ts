import type { Answer } from './call.ts'

/** A text with `$traceId` and `$requestId` as the last answer said them; a placeholder stays when it said nothing. */
export function fillIn(text: string, answer: Answer | undefined): string {
  return text
    .replaceAll('$traceId', answer?.headers['x-b3-traceid'] ?? '$traceId')
    .replaceAll('$requestId', answer?.headers['x-request-id'] ?? '$requestId')
}

/** The same in every text of a value. */
export function fillInAll(value: unknown, answer: Answer | undefined): unknown {
  if (typeof value === 'string') return fillIn(value, answer)
  if (Array.isArray(value)) return value.map(item => fillInAll(item, answer))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillInAll(item, answer)]))
}
