import type { HeaderMutations, HeaderValueOption } from '@hopscope/envoy-config'
import { compileFormat } from '../format/compile-format.ts'
import type { Formatter } from '../format/formatter.ts'
import type { HeaderMap } from '../http/headers.ts'
import { INLINE_REQUEST_HEADERS, INLINE_RESPONSE_HEADERS } from '../http/inline-headers.ts'
import type { StreamInfo } from '../stream-info.ts'

/** The mutations of one level: removals, then additions, all values taken before the first is written. */
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
  return (headers, info) => {
    for (const name of removed) headers.remove(name)
    const values = additions.map(addition => addition.value(info))
    for (let i = 0; i < additions.length; i++) add(headers, additions[i]!, values[i]!)
  }
}

function add(headers: HeaderMap, { key, action, keepEmptyValue, separator }: Addition, value: string): void {
  if (value === '' && !keepEmptyValue) return
  switch (action) {
    case 'APPEND_IF_EXISTS_OR_ADD':
      if (separator === undefined) headers.append(key, value)
      else headers.appendJoined(key, value, separator)
      break
    case 'ADD_IF_ABSENT':
      if (!headers.has(key)) headers.append(key, value)
      break
    case 'OVERWRITE_IF_EXISTS_OR_ADD':
      headers.set(key, value)
      break
    case 'OVERWRITE_IF_EXISTS':
      if (headers.has(key)) headers.set(key, value)
      break
  }
}
