import type { HeaderMutations, HeaderValueOption } from '@hopscope/envoy-config'
import { compileFormat } from '../format/compile-format.ts'
import type { Formatter } from '../format/formatter.ts'
import type { HeaderMap } from '../http/headers.ts'
import { INLINE_REQUEST_HEADERS, INLINE_RESPONSE_HEADERS } from '../http/inline-headers.ts'
import type { StreamInfo } from '../stream-info.ts'

/** The mutations of one level: removals, then what overwrites, then what adds; all values are taken before the first is written. */
export type Mutate = (headers: HeaderMap, info: StreamInfo) => void

interface Addition {
  key: string
  value: Formatter
  action: HeaderValueOption['appendAction']
  keepEmptyValue: boolean
  /** Appending joins: Envoy knows the field by name. */
  separator: string | undefined
}

/** The levels in the order given; undefined when they change nothing. */
export function compileMutations(
  levels: readonly HeaderMutations[],
  direction: 'request' | 'response',
): Mutate | undefined {
  const compiled = levels
    .map(level =>
      direction === 'request'
        ? compileLevel(level.requestHeadersToRemove, level.requestHeadersToAdd, INLINE_REQUEST_HEADERS)
        : compileLevel(level.responseHeadersToRemove, level.responseHeadersToAdd, INLINE_RESPONSE_HEADERS),
    )
    .filter(level => level !== undefined)
  if (compiled.length === 0) return undefined
  if (compiled.length === 1) return compiled[0]
  return (headers, info) => {
    for (const level of compiled) level(headers, info)
  }
}

/** A list of additions alone. */
export function compileAdditions(
  options: readonly HeaderValueOption[],
  direction: 'request' | 'response',
): Mutate | undefined {
  return compileLevel([], options, direction === 'request' ? INLINE_REQUEST_HEADERS : INLINE_RESPONSE_HEADERS)
}

function compileLevel(
  removals: readonly string[],
  options: readonly HeaderValueOption[],
  inline: ReadonlySet<string>,
): Mutate | undefined {
  if (removals.length === 0 && options.length === 0) return undefined
  const removed = removals.map(name => name.toLowerCase())
  const additions = options.map(
    (option): Addition => ({
      key: option.key,
      value: compileFormat(option.value, { absent: '' }),
      action: option.appendAction,
      keepEmptyValue: option.keepEmptyValue,
      separator: option.key === 'cookie' ? '; ' : inline.has(option.key) ? ',' : undefined,
    }),
  )
  const overwriting = additions.filter(({ action }) => action.startsWith('OVERWRITE'))
  const adding = additions.filter(({ action }) => !action.startsWith('OVERWRITE'))
  const ordered = [...overwriting, ...adding]
  return (headers, info) => {
    for (const name of removed) headers.remove(name)
    const values = ordered.map(addition => valueFor(addition, headers, info))
    for (let i = 0; i < ordered.length; i++) {
      const value = values[i]
      if (value !== undefined) write(headers, ordered[i]!, value)
    }
  }
}

/** Undefined: nothing is written. Whether a field is there is asked before anything of this level is written, as in Envoy. */
function valueFor(addition: Addition, headers: HeaderMap, info: StreamInfo): string | undefined {
  const { key, action, keepEmptyValue } = addition
  if (action === 'ADD_IF_ABSENT' && headers.has(key)) return undefined
  if (action === 'OVERWRITE_IF_EXISTS' && !headers.has(key)) return undefined
  const value = addition.value(info)
  return value === '' && !keepEmptyValue ? undefined : value
}

function write(headers: HeaderMap, { key, action, separator }: Addition, value: string): void {
  if (action.startsWith('OVERWRITE')) {
    // Known by name or not, what a configuration overwrites is last from then on. (Seen in Envoy 1.40)
    headers.remove(key)
    headers.append(key, value)
  } else if (separator === undefined) headers.append(key, value)
  else headers.appendJoined(key, value, separator)
}
