import { peerOf } from './peer.ts'
import type { Microseconds, Span } from './span.ts'
import { linesOf, originOf, type TextColumn, type TextLine, TraceTextError, textFromTrace } from './text.ts'
import { buildTree, type SpanNode } from './tree.ts'

/** `message`: what was expected and what came, as text. */
export type TraceTextMatch = { ok: true } | { ok: false; message: string }

interface Expected {
  line: TextLine
  children: Expected[]
  /** A line `…` stands among the children: there may be more. */
  hasMore: boolean
}

interface Mismatch {
  line: number
  /** How many columns of the line held; -1: not even a candidate. */
  held: number
  reason: string
}

/**
 * Whether a trace is as the text expects it: the notation of `text.ts`, with room for what varies.
 *
 *     client  *           ..  client  ->orders  http.status_code=200  dur>=295  dur<=360
 *       orders  GET /*    ..  server  error=*
 *       …
 *
 * - `*` in a service, a name, a tag's value, a peer or an annotation's value: any text (not within quotes)
 * - times: `..` or `*` any; `5..*`, `5..90` in ms; `@* value`: an annotation at any time
 * - `dur>=295`, `dur<=360`, `start>=…`, `start<=…`: bounds in ms; a tag with `>=` or `<=` is compared as a number
 * - a kind, `shared`, `debug`, peer, annotation or tag that is not written is not looked at; what is written must hold.
 *   The peer is the remote service, else what tags tell of it
 * - siblings come by start. Every child must be written, unless a line `…` (or `...`) stands among them
 *
 * Throws {@link TraceTextError} when the expectation itself cannot be read.
 */
export function matchTraceText(expected: string, spans: readonly Span[]): TraceTextMatch {
  const { children, hasMore } = readExpected(expected)
  const root = buildTree(spans)
  const matcher = new Matcher(originOf(spans))
  // A second parentless span hangs under the first in the tree; nothing to do but to write it so.
  const heads = root.span ? [root] : root.children
  if (matcher.children(children, heads, hasMore, 'the trace', 1)) return { ok: true }
  const { line, reason } = matcher.furthest
  const text = expected.split('\n')[line - 1]?.trim()
  return {
    ok: false,
    message: `line ${line}: ${reason}\n  expected: ${text}\nthe trace is:\n${textFromTrace(spans) || '(no spans)\n'}`,
  }
}

function readExpected(text: string): Expected {
  const root: Expected = {
    line: { number: 1, depth: -1, text: '', columns: [] },
    children: [],
    hasMore: false,
  }
  const above: Expected[] = [root]
  for (const line of linesOf(text)) {
    while (above[above.length - 1]!.line.depth >= line.depth) above.pop()
    const parent = above[above.length - 1]!
    if (line.text === '…' || line.text === '...') {
      parent.hasMore = true
      continue
    }
    if (line.columns.length < 3) {
      throw new TraceTextError(line.number, `expected service, name and times, two blanks between them: ${line.text}`)
    }
    const node: Expected = { line, children: [], hasMore: false }
    parent.children.push(node)
    above.push(node)
  }
  return root
}

class Matcher {
  /** The mismatch that came furthest in the text, of those the closest: where the trace began to differ. */
  furthest: Mismatch = { line: 0, held: -1, reason: '' }
  readonly #origin: Microseconds

  constructor(origin: Microseconds) {
    this.#origin = origin
  }

  children(
    expected: readonly Expected[],
    actual: readonly SpanNode[],
    hasMore: boolean,
    of: string,
    line: number,
  ): boolean {
    if (!hasMore && actual.length !== expected.length) {
      const last = expected[Math.min(actual.length, expected.length - 1)]
      for (let i = 0; i < Math.min(actual.length, expected.length); i++)
        if (!this.#node(expected[i]!, actual[i]!)) return false
      const names = actual
        .map(({ span }) => `${span!.localEndpoint?.serviceName ?? '-'} ${span!.name ?? '-'}`)
        .join(', ')
      this.#fail(
        last?.line.number ?? line,
        `${of} has ${actual.length} children${names && ` (${names})`}, expected ${expected.length}`,
      )
      return false
    }
    let from = 0
    for (const one of expected) {
      let isFound = false
      while (from < actual.length && !isFound) {
        isFound = this.#node(one, actual[from++]!)
        if (!isFound && !hasMore) return false
      }
      if (!isFound) {
        this.#fail(one.line.number, `no child of ${of} matches, from the ${from + 1}th on`)
        return false
      }
    }
    return true
  }

  #node(expected: Expected, { span, children }: SpanNode): boolean {
    const difference = this.#compare(expected.line, span!)
    if (difference) {
      this.#fail(expected.line.number, difference.reason, difference.held)
      return false
    }
    const name = `${span!.localEndpoint?.serviceName ?? '-'} ${span!.name ?? '-'}`
    return this.children(expected.children, children, expected.hasMore, name, expected.line.number)
  }

  #fail(line: number, reason: string, held = -1): void {
    const { furthest } = this
    if (line > furthest.line || (line === furthest.line && held > furthest.held)) this.furthest = { line, held, reason }
  }

  /** The first column that does not hold, or undefined. */
  #compare({ columns, number }: TextLine, span: Span): Omit<Mismatch, 'line'> | undefined {
    const start = span.timestamp === undefined ? undefined : (span.timestamp - this.#origin) / 1000
    const dur = span.duration === undefined ? undefined : span.duration / 1000
    const end = start === undefined || dur === undefined ? undefined : start + dur
    for (const [held, column] of columns.entries()) {
      const reason =
        held === 0
          ? compareName('service', column, span.localEndpoint?.serviceName)
          : held === 1
            ? compareName('name', column, span.name)
            : held === 2
              ? compareTimes(column.text, start, end, number)
              : this.#compareColumn(column, span, { start, dur }, number)
      if (reason) return { held, reason }
    }
    return undefined
  }

  #compareColumn(
    column: TextColumn,
    span: Span,
    measured: { start: number | undefined; dur: number | undefined },
    line: number,
  ): string | undefined {
    const { text, tagKey, annotationAt, bound } = column
    if (bound) {
      const value = tagKey === 'dur' || tagKey === 'start' ? measured[tagKey] : Number(span.tags?.[tagKey!])
      const limit = Number(text)
      if (Number.isNaN(limit)) throw new TraceTextError(line, `expected a number behind ${tagKey}${bound}, got ${text}`)
      const holds = value !== undefined && (bound === '>=' ? value >= limit : value <= limit)
      return holds ? undefined : `${tagKey} is ${value ?? 'absent'}`
    }
    if (annotationAt !== undefined) {
      const isThere = span.annotations?.some(
        ({ timestamp, value }) =>
          isLike(column, value) && (annotationAt === '*' || Number(annotationAt) === (timestamp - this.#origin) / 1000),
      )
      return isThere ? undefined : `no annotation @${annotationAt} ${text}`
    }
    if (tagKey !== undefined) {
      const value = span.tags?.[tagKey]
      return isLike(column, value)
        ? undefined
        : `${tagKey} is ${value === undefined ? 'absent' : JSON.stringify(value)}`
    }
    if (column.isPeer) return isLike(column, peerOf(span), true) ? undefined : `peer is ${peerOf(span) ?? 'absent'}`
    if (text === 'shared' || text === 'debug') return span[text] ? undefined : `is not ${text}`
    if (!/^(client|server|producer|consumer)$/.test(text)) throw new TraceTextError(line, `cannot read ${text}`)
    return span.kind?.toLowerCase() === text ? undefined : `kind is ${span.kind?.toLowerCase() ?? 'absent'}`
  }
}

function compareName(what: string, column: TextColumn, actual: string | undefined): string | undefined {
  return isLike(column, actual, true) ? undefined : `${what} is ${actual ?? 'absent'}`
}

function compareTimes(
  expected: string,
  start: number | undefined,
  end: number | undefined,
  line: number,
): string | undefined {
  if (expected === '*' || expected === '..') return undefined
  const sides = /^(\*|-|-?[\d.]+?)\.\.(\*|-|-?[\d.]+)$/.exec(expected)
  if (!sides) throw new TraceTextError(line, `expected times as 5..90, 5..*, * or .., got ${expected}`)
  const isEqual = (side: string, value: number | undefined) =>
    side === '*' || (side === '-' ? value === undefined : value === Number(side))
  if (isEqual(sides[1]!, start) && isEqual(sides[2]!, end)) return undefined
  return `times are ${start ?? '-'}..${end ?? '-'}`
}

/** An absent text is like `-` and, for names only, like `*`. */
function isLike({ text, isQuoted }: TextColumn, actual: string | undefined, isName = false): boolean {
  if (actual === undefined) return isName && !isQuoted && (text === '-' || text === '*')
  const wanted = isName ? text.toLowerCase() : text
  if (isQuoted || !wanted.includes('*')) return actual === wanted
  const parts = wanted.split('*').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's').test(actual)
}
