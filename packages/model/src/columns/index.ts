// A trace as columns: what a viewer needs of 100,000 spans, each pass linear and without recursion.
export {
  COLUMNS_CONTENT_TYPE,
  ColumnsError,
  type DecodedColumns,
  decodeColumns,
  encodeColumns,
} from './columns-codec.ts'
export { type CriticalPath, findCriticalPath } from './critical-path.ts'
export { type Deadlines, findDeadlines } from './deadlines.ts'
export { foldHops, groupByParent } from './fold-hops.ts'
export { type AttemptTable, FORM, type HopTable } from './hop-table.ts'
export { findShifts, isOrphan, type Placement, placeSpans } from './place-spans.ts'
export { endOf, KIND, MISSING, type SpanTable, type TabledSpans, TRAIT } from './span-table.ts'
export { StringTable } from './string-table.ts'
export { tableSpans } from './table-spans.ts'
export { type WhatIf, whatIfFaster } from './what-if.ts'
