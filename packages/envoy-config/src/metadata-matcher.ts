import type { StringMatcher } from './matchers.ts'

/** envoy.type.matcher.v3.MetadataMatcher: a value in a namespace, by the keys that lead to it. */
export interface MetadataMatcher {
  namespace: string
  path: readonly string[]
  value: ValueMatcher
  invert: boolean
}

/** envoy.type.matcher.v3.ValueMatcher */
export type ValueMatcher =
  | { type: 'null' }
  | { type: 'present'; present: boolean }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; matcher: StringMatcher }
  /** One number: `start` is `end`; else from `start` to before `end`. */
  | { type: 'number'; start: number; end: number }
  /** A list with such an item. */
  | { type: 'list'; item: ValueMatcher }
  | { type: 'or'; matchers: readonly ValueMatcher[] }
