import { matchTraceText, type Span, textFromTrace } from '@hopscope/model'
import { partialMismatch } from './partial-match.ts'
import type { Failure } from './step-evidence.ts'

/** Each expected text stands for one trace, and no trace is left. */
export function tracesMismatch(texts: readonly string[], traces: readonly Span[][] | undefined): Failure | undefined {
  if (traces === undefined) return undefined
  const left = [...traces]
  for (const text of texts) {
    const found = left.findIndex(spans => matchTraceText(text, spans).ok)
    if (found >= 0) {
      left.splice(found, 1)
      continue
    }
    // The one that is most likely meant: of the service that the text begins with.
    const service = text.trim().split(/\s/)[0]
    const nearest = left.find(spans => textFromTrace(spans).startsWith(`${service}  `)) ?? left[0]
    if (nearest === undefined)
      return { message: `traces: expected one more\n${text}\nthere are ${traces.length}:\n${tracesText(traces)}` }
    const match = matchTraceText(text, nearest)
    const message = match.ok ? '' : match.message
    return {
      message: `traces: none of ${left.length} is as expected; the nearest: ${message}`,
      traceId: nearest[0]!.traceId,
    }
  }
  if (left.length === 0) return undefined
  return {
    message: `traces: expected ${texts.length}, there are ${traces.length}; not expected:\n${tracesText(left)}`,
    traceId: left[0]![0]!.traceId,
  }
}

/** Each part of a span is found somewhere. */
export function spansMismatch(expected: readonly unknown[], traces: readonly Span[][]): Failure | undefined {
  const spans = traces.flat()
  for (const part of expected) {
    if (spans.some(span => partialMismatch(part, span) === undefined)) continue
    return {
      message: `spans: none is like ${JSON.stringify(part)} in\n${tracesText(traces)}`,
      ...(spans[0] ? { traceId: spans[0].traceId } : {}),
    }
  }
  return undefined
}

function tracesText(traces: readonly (readonly Span[])[]): string {
  return traces.map(spans => textFromTrace(spans)).join('\n') || '(no traces)'
}
