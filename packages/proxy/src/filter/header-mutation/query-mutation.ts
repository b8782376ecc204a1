import type { HeaderValueOption, QueryParameterMutation } from '@hopscope/envoy-config'
import { compileFormat } from '../../format/compile-format.ts'
import type { RequestHeaders } from '../../http/headers.ts'
import type { StreamInfo } from '../../stream-info.ts'

/** Changes the query of a request's path. */
export type MutateQuery = (headers: RequestHeaders, info: StreamInfo) => void

export function compileQueryMutation(mutation: QueryParameterMutation): MutateQuery {
  if (mutation.type === 'remove') {
    return headers => change(headers, query => query.filter(pair => keyOf(pair) !== mutation.key))
  }
  const { key, action } = mutation
  const value = compileFormat(mutation.value, { absent: '' })
  return (headers, info) => {
    const pair = `${encodeURIComponent(key)}=${encodeURIComponent(value(info))}`
    change(headers, query => put(query, key, pair, action))
  }
}

function change(headers: RequestHeaders, mutate: (query: string[]) => string[]): void {
  const at = headers.path.indexOf('?')
  const path = at < 0 ? headers.path : headers.path.slice(0, at)
  const query =
    at < 0 || at === headers.path.length - 1
      ? []
      : headers.path
          .slice(at + 1)
          .split('&')
          .map(asPair)
  // As Envoy holds them: by their names, those of one name in their order.
  const changed = mutate(query).sort((a, b) => compare(keyOf(a), keyOf(b)))
  headers.path = changed.length === 0 ? path : `${path}?${changed.join('&')}`
}

/** `b` → `b=` */
function asPair(text: string): string {
  return text.includes('=') ? text : `${text}=`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function keyOf(pair: string): string {
  return pair.slice(0, pair.indexOf('='))
}

function put(query: string[], key: string, pair: string, action: HeaderValueOption['appendAction']): string[] {
  const exists = query.some(one => keyOf(one) === key)
  if (action === 'APPEND_IF_EXISTS_OR_ADD') return [...query, pair]
  if (action === 'ADD_IF_ABSENT') return exists ? query : [...query, pair]
  if (!exists) return action === 'OVERWRITE_IF_EXISTS' ? query : [...query, pair]
  const first = query.findIndex(one => keyOf(one) === key)
  return query.flatMap((one, i) => (i === first ? [pair] : keyOf(one) === key ? [] : [one]))
}
