import { DEFAULT_TIME, formatTime, parseTime, type TimeRange } from '../shared/time-range.ts'

/** Two sides, each a trace's id or a typed query; `''` is not chosen yet. */
export interface CompareRoute {
  page: 'compare'
  a: string
  b: string
  time: TimeRange
  /** Rows without a difference are left out. */
  changed: boolean
  /** What `hopscope compare` measured, as {@link encodeRuns} writes it; `''` without. */
  runs: string
}

export const COMPARE: CompareRoute = { page: 'compare', a: '', b: '', time: DEFAULT_TIME, changed: false, runs: '' }

export function parseCompareUrl(parameters: URLSearchParams): CompareRoute {
  return {
    page: 'compare',
    a: parameters.get('a') ?? '',
    b: parameters.get('b') ?? '',
    time: parseTime(parameters),
    changed: parameters.get('rows') === 'changed',
    runs: parameters.get('runs') ?? '',
  }
}

export function formatCompareUrl(route: CompareRoute, put: (name: string, value: string) => void): string {
  put('a', route.a)
  put('b', route.b)
  formatTime(route.time, put)
  if (route.changed) put('rows', 'changed')
  put('runs', route.runs)
  return 'compare'
}

/** `463ac35c9f6413ad`, 16 or 32 hex characters: one trace, not a query. */
export function isTraceId(text: string): boolean {
  return /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/i.test(text.trim())
}
