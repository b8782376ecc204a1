import type { Metadata, MetadataMatcher, ValueMatcher } from '@hopscope/envoy-config'
import { compileStringMatcher } from './string-matcher.ts'

/** Whether a value is there that fits. (Envoy: MetadataMatcher, ValueMatcher) */
export function compileMetadataMatcher(matcher: MetadataMatcher): (metadata: Metadata | undefined) => boolean {
  const { namespace, path, invert } = matcher
  const matches = compileValueMatcher(matcher.value)
  return metadata => matches(valueAt(metadata?.get(namespace), path)) !== invert
}

/** Undefined: there is no such thing. */
function valueAt(value: unknown, path: readonly string[]): unknown {
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}

function compileValueMatcher(matcher: ValueMatcher): (value: unknown) => boolean {
  switch (matcher.type) {
    case 'null':
      return value => value === null
    case 'present':
      // As in Envoy `present_match: false` is true of nothing.
      return value => value !== undefined && matcher.present
    case 'bool':
      return value => value === matcher.value
    case 'string': {
      const matches = compileStringMatcher(matcher.matcher)
      return value => typeof value === 'string' && matches(Buffer.from(value, 'utf8').toString('latin1'))
    }
    case 'number':
      return value => {
        if (typeof value !== 'number') return false
        return matcher.start === matcher.end ? value === matcher.start : value >= matcher.start && value < matcher.end
      }
    case 'list': {
      const matches = compileValueMatcher(matcher.item)
      return value => Array.isArray(value) && value.some(matches)
    }
    case 'or': {
      const all = matcher.matchers.map(compileValueMatcher)
      return value => all.some(matches => matches(value))
    }
  }
}
