import type { HttpConnectionManager } from '@hopscope/envoy-config'
import type { Runtime } from '../runtime.ts'
import type { RequestHeaders } from './headers.ts'

/** What is to be done with a request whose path was looked at. `redirect`: to the path that it has now. */
export type PathVerdict = 'go on' | 'reject' | 'redirect'

/**
 * Makes paths what their parts mean, in Envoy's order: escaped slashes, then dot segments and needless escapes, then slashes that
 * follow each other. Queries stay as they are. Undefined: the configuration asks for none of it.
 */
export function compilePathNormaliser(
  config: Pick<HttpConnectionManager, 'normalizePath' | 'mergeSlashes' | 'pathWithEscapedSlashesAction'>,
  runtime: Runtime,
): ((headers: RequestHeaders) => PathVerdict) | undefined {
  const normalise =
    config.normalizePath ??
    runtime.enabled('http_connection_manager.normalize_path', { numerator: 0, denominator: 100 }, 0)
  const { mergeSlashes, pathWithEscapedSlashesAction: escaped } = config
  if (!normalise && !mergeSlashes && escaped === 'KEEP_UNCHANGED') return undefined
  return headers => {
    // A CONNECT has none.
    if (headers.path === '') return 'go on'
    const mark = headers.path.indexOf('?')
    const query = mark === -1 ? '' : headers.path.slice(mark)
    let path = mark === -1 ? headers.path : headers.path.slice(0, mark)
    let verdict: PathVerdict = 'go on'
    if (escaped !== 'KEEP_UNCHANGED' && ESCAPED_SLASH.test(path)) {
      path = path.replace(/%2f/gi, '/').replace(/%5c/gi, '\\')
      if (escaped === 'REJECT_REQUEST') {
        headers.path = path + query
        return 'reject'
      }
      if (escaped === 'UNESCAPE_AND_REDIRECT') verdict = 'redirect'
    }
    if (normalise) {
      const canonical = canonicalPath(path)
      if (canonical === undefined) return 'reject'
      path = canonical
    }
    // A path of slashes alone keeps its first and its last, as in Envoy.
    if (mergeSlashes) path = /^\/{2,}$/.test(path) ? '//' : path.replace(/\/{2,}/g, '/')
    headers.path = path + query
    return verdict
  }
}

const ESCAPED_SLASH = /%2f|%5c/i

/** What a path may hold as it is; the rest is escaped. */
const PLAIN = /[!$&'()*+,\-.0-9:;=@A-Z[\]_a-z~]/
const ALL_PLAIN = /^[!$&'()*+,\-.0-9:;=@A-Z[\]_a-z~]*$/
/** What needs no escape, and loses one. (RFC 3986 §2.3) */
const UNRESERVED = /[-.0-9A-Z_a-z~]/
const ESCAPED_BYTE = /^%([0-9a-fA-F]{2})/
/** `.` or `..`, escaped or not, with parameters or not. */
const DOT_SEGMENT = /^(\.|%2e)(\.|%2e)?(;|$)/i

/**
 * As browsers do it (Envoy has their library): `\` is a slash, dot segments go, escapes of unreserved characters are undone, others and
 * broken ones stay. Undefined: `%00` is no path. `path` begins with a slash; the work is in proportion to its length.
 */
export function canonicalPath(path: string): string | undefined {
  const segments = path.split(/[/\\]/)
  const kept: string[] = []
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i]!
    const dots = DOT_SEGMENT.exec(segment)
    if (dots !== null) {
      if (dots[2] !== undefined) kept.pop()
      if (i === segments.length - 1) kept.push('')
      continue
    }
    const canonical = ALL_PLAIN.test(segment) ? segment : canonicalSegment(segment)
    if (canonical === undefined) return undefined
    kept.push(canonical)
  }
  return `/${kept.join('/')}`
}

function canonicalSegment(segment: string): string | undefined {
  const out: string[] = []
  /** Where in `out` the last broken escape begins. */
  let brokenAt = Number.NEGATIVE_INFINITY
  for (let at = 0; at < segment.length; ) {
    const c = segment[at]!
    if (c !== '%') {
      out.push(PLAIN.test(c) ? c : `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
      at++
      continue
    }
    const escaped = ESCAPED_BYTE.exec(segment.slice(at, at + 3))
    if (escaped === null) {
      brokenAt = out.push(c) - 1
      at++
      continue
    }
    const byte = Number.parseInt(escaped[1]!, 16)
    if (byte === 0) return undefined
    const meant = String.fromCharCode(byte)
    at += 3
    const isUnreserved = UNRESERVED.test(meant)
    out.push(isUnreserved ? meant : escaped[0])
    if (!isUnreserved || out.length - brokenAt > 3) continue
    // `%2%41` must not become the escape `%2A` that it was not.
    const since = out.slice(brokenAt).join('')
    if (ESCAPED_BYTE.test(since.length === 2 ? since + (segment[at] ?? '') : since)) out[brokenAt] = '%25'
  }
  return out.join('')
}
