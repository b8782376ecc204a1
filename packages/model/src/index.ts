// What a trace is. Pure: no dependency, nothing of Node, so that collector, viewer and tests share one truth.

export { sortAnnotations } from './annotations.ts'
export { type CorrectedTrace, correctClockSkew } from './clock-skew.ts'
export { type Continuation, findContinuations, looseEnds } from './continuations.ts'
export { DependencyLinker } from './dependencies.ts'
export * from './formats/index.ts'
export { type Attempt, type Hop, type HopForm, type HopParts, hopsFromTrace } from './hop.ts'
export {
  attemptCount,
  countHops,
  type HopFacts,
  isAfterthought,
  isTimedOut,
  matchesHop,
  matchesTypedQuery,
} from './hop-facts.ts'
export { upstreamWait } from './hop-parts.ts'
export { ipFromV6Bytes, parseIp } from './ip.ts'
export { type ListedTrace, listTrace } from './listed-trace.ts'
export { matchTraceText, type TraceTextMatch } from './match-trace-text.ts'
export { mergeTrace } from './merge.ts'
export { normaliseEndpoint, normaliseSpan, type SpanFields } from './normalise-span.ts'
export { peerOf } from './peer.ts'
export {
  compareForSearch,
  matches,
  newestInWindow,
  parseAnnotationQuery,
  parseQuery,
  type QueryDefaults,
  QueryError,
  type QueryParameters,
  type QueryRequest,
  traceTimestamp,
} from './query.ts'
export type * from './span.ts'
export { requestOf, type ServiceSummary, summariseTrace, type TraceSummary } from './summary.ts'
export { TEXT_EPOCH, TEXT_TRACE_ID, TraceTextError, textFromTrace, traceFromText } from './text.ts'
export { IdError, lowTraceId, normaliseParentId, normaliseSpanId, normaliseTraceId } from './trace-id.ts'
export { breadthFirst, buildTree, depthFirst, type SpanNode } from './tree.ts'
export { trimBlanks } from './trim-blanks.ts'
export {
  formatTypedQuery,
  type HopCriteria,
  parseTypedQuery,
  QUERY_FIELDS,
  QUERY_FLAGS,
  queryRequestOf,
  splitTypedQuery,
  type TypedQuery,
  type TypedQueryProblem,
  type TypedWord,
} from './typed-query.ts'
