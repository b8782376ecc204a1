import { compileRegex, type RegexRewrite, type RouteAction, type RouteMatch } from '@hopscope/envoy-config'
import { compileFormat } from '../format/compile-format.ts'
import type { RequestHeaders } from '../http/headers.ts'
import type { StreamInfo } from '../stream-info.ts'

/** What of a request's head becomes something else; undefined: it stays. */
export type Rewrite = (headers: RequestHeaders, info: StreamInfo) => string | undefined

interface PathRewrite {
  prefixRewrite?: string
  regexRewrite?: RegexRewrite
  pathRewrite?: string
}

/** The path, its query kept. */
export function compilePathRewrite(config: PathRewrite, match: RouteMatch): Rewrite | undefined {
  const { prefixRewrite, regexRewrite, pathRewrite } = config
  if (regexRewrite !== undefined) {
    const replace = compileReplacement(regexRewrite)
    return ({ path }) => {
      const end = endOfPath(path)
      return replace(path.slice(0, end)) + path.slice(end)
    }
  }
  if (pathRewrite !== undefined) {
    const format = compileFormat(pathRewrite, { absent: '' })
    return ({ path }, info) => {
      const rewritten = format(info)
      return rewritten === '' ? undefined : rewritten + path.slice(endOfPath(path))
    }
  }
  if (prefixRewrite === undefined) return undefined
  return ({ path }) => rewritePrefix(match, path, prefixRewrite)
}

/** What matched is replaced: the prefix of a prefix match, else the whole path. `path` may have a query; it is kept. */
export function rewritePrefix({ path: { type, value } }: RouteMatch, path: string, replacement: string): string {
  const isPrefix = type === 'prefix' || type === 'separated'
  return replacement + path.slice(isPrefix ? Buffer.byteLength(value) : endOfPath(path))
}

export function compileHostRewrite(config: RouteAction['hostRewrite']): Rewrite | undefined {
  switch (config?.type) {
    case undefined:
      return undefined
    case 'literal':
      return () => filled(config.host)
    case 'header':
      return headers => filled(headers.get(config.name))
    case 'path_regex': {
      const replace = compileReplacement(config.rewrite)
      return ({ path }) => replace(path.slice(0, endOfPath(path)))
    }
    case 'format': {
      // Unlike in paths, what is absent is a dash here.
      const format = compileFormat(config.format, { absent: '-' })
      return (_, info) => filled(format(info))
    }
  }
}

export function compileReplacement({ pattern, substitution }: RegexRewrite): (text: string) => string {
  const regex = compileRegex(pattern)
  return text => regex.replaceAll(text, substitution)
}

const filled = (text: string | undefined): string | undefined => (text === '' ? undefined : text)

/** Where the query begins, or the path ends. */
function endOfPath(path: string): number {
  const mark = path.indexOf('?')
  return mark === -1 ? path.length : mark
}
