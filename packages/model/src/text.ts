import { normaliseSpan } from './normalise-span.ts'
import type { Annotation, Endpoint, Kind, Microseconds, Span } from './span.ts'
import { buildTree, depthFirst, type SpanNode } from './tree.ts'

/**
 * A trace as text. One span a line, in the order of the tree; two blanks between columns, two a level of indent.
 *
 *     gateway  GET /orders  0..100  server
 *       gateway  GET /orders  5..95  client  ->orders
 *         orders  GET /orders  10..90  server  shared  @50 "cache miss"  error=timeout
 *
 * Columns: service, name, `start..end` in ms from the start of the trace (thousandths are µs), then in this order
 * - the kind: `client`, `server`, `producer`, `consumer`; none for local work
 * - `shared`: the other half of the span above, with its id; `debug`
 * - `->peer`: the remote service
 * - `@ms value`: an annotation
 * - `key=value`: a tag
 *
 * `-` stands for what is absent: a service, a name; `-..-` for no times, `5..-` for no duration. What is empty, has
 * two blanks in a row or a quote, or reads like another column is quoted as in JSON. Ids, addresses and ports are not
 * in the text: reading makes ids of the line numbers, times from 2024-01-01.
 * One root, siblings by start, below a shared half only spans of its service: then writing gives back what was read.
 */

/** The trace id and epoch of every trace that is read from text. */
export const TEXT_TRACE_ID = '0000000000000001'
/** 0 ms of a trace that is written as text. */
export const TEXT_EPOCH: Microseconds = Date.UTC(2024, 0, 1) * 1000

const KINDS: Readonly<Record<string, Kind>> = {
  client: 'CLIENT',
  server: 'SERVER',
  producer: 'PRODUCER',
  consumer: 'CONSUMER',
}
const TIMES = /^(-|-?\d+(?:\.\d{1,3})?)\.\.(-|-?\d+(?:\.\d{1,3})?)$/

/** A text that is not in the notation; tells the line. */
export class TraceTextError extends Error {
  override readonly name = 'TraceTextError'
  readonly code = 'bad_trace_text'
  /** 1-based. */
  readonly line: number

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`)
    this.line = line
  }
}

/** Reads the notation. Blank lines and a common indent are allowed. Throws {@link TraceTextError}. */
export function traceFromText(text: string): Span[] {
  const spans: Span[] = []
  const above: { depth: number; span: Span }[] = []
  for (const line of linesOf(text)) {
    while (above.length > 0 && above[above.length - 1]!.depth >= line.depth) above.pop()
    const parent = above[above.length - 1]?.span
    if (!parent && line.depth > 0) throw new TraceTextError(line.number, 'is indented, but has no parent above it')
    const span = readSpan(line, parent, spans.length + 1)
    spans.push(span)
    above.push({ depth: line.depth, span })
  }
  return spans
}

function readSpan(line: TextLine, parent: Span | undefined, ordinal: number): Span {
  const [service, name, times, ...rest] = line.columns
  if (service === undefined || name === undefined || times === undefined) {
    throw new TraceTextError(line.number, `expected service, name and times, two blanks between them: ${line.text}`)
  }
  const span = TIMES.exec(times.text)
  if (!span || times.isQuoted) throw new TraceTextError(line.number, `expected start..end in ms, got ${times.text}`)
  const start = span[1] === '-' ? undefined : microseconds(span[1]!)
  const end = span[2] === '-' ? undefined : microseconds(span[2]!)
  const timestamp = start === undefined ? undefined : TEXT_EPOCH + start
  const duration = start === undefined || end === undefined ? undefined : end - start

  let kind: Kind | undefined
  let shared = false
  let debug = false
  let remoteEndpoint: Endpoint | undefined
  const annotations: Annotation[] = []
  const tags: Record<string, string> = Object.create(null)
  for (const column of rest) {
    const { text } = column
    if (column.annotationAt !== undefined) {
      annotations.push({ timestamp: TEXT_EPOCH + microseconds(column.annotationAt), value: text })
    } else if (column.bound)
      throw new TraceTextError(line.number, `${column.tagKey}${column.bound} is for expectations`)
    else if (column.tagKey !== undefined) tags[column.tagKey] = text
    else if (column.isPeer) remoteEndpoint = { serviceName: text }
    else if (KINDS[text]) kind = KINDS[text]
    else if (text === 'shared') shared = true
    else if (text === 'debug') debug = true
    else
      throw new TraceTextError(
        line.number,
        `expected a kind, shared, debug, ->peer, @ms value or key=value, got ${text}`,
      )
  }
  if (shared && !parent) throw new TraceTextError(line.number, 'is shared, but has no other half above it')
  if (parent?.shared && parent.localEndpoint?.serviceName !== service.text.toLowerCase()) {
    throw new TraceTextError(line.number, 'is below a shared half, so it must be of the same service')
  }
  return normaliseSpan({
    traceId: TEXT_TRACE_ID,
    id: shared ? parent!.id : ordinal.toString(16).padStart(16, '0'),
    parentId: shared ? parent!.parentId : parent?.id,
    kind,
    name: isAbsent(name) ? undefined : name.text,
    timestamp,
    duration,
    localEndpoint: isAbsent(service) ? undefined : { serviceName: service.text },
    remoteEndpoint,
    annotations,
    tags,
    debug,
    shared,
  })
}

/** Writes the notation; spans that the tree cannot reach come last, under a line that says so. */
export function textFromTrace(spans: readonly Span[]): string {
  const root = buildTree(spans)
  const origin = originOf(spans)
  let text = ''
  for (const { node, depth } of withDepth(root)) text += `${'  '.repeat(depth)}${lineOf(node.span, origin)}\n`
  if (root.detached) {
    text += '# not reachable from the root:\n'
    for (const span of root.detached) text += `# ${lineOf(span, origin)}\n`
  }
  return text
}

/** What times are counted from: the earliest, or, in a trace that was read from text, what its text counts from. */
export function originOf(spans: readonly Span[]): Microseconds {
  if (spans[0]?.traceId === TEXT_TRACE_ID) return TEXT_EPOCH
  let earliest = Number.POSITIVE_INFINITY
  for (const { timestamp = earliest } of spans) if (timestamp < earliest) earliest = timestamp
  return earliest
}

/** Depth as text shows it: a synthetic root takes no line. */
export function* withDepth(root: SpanNode): Generator<{ node: SpanNode & { span: Span }; depth: number }> {
  const depths = new Map<SpanNode, number>([[root, root.span ? 0 : -1]])
  for (const node of depthFirst(root)) {
    const depth = depths.get(node) ?? depths.get(node.parent!)! + 1
    depths.set(node, depth)
    yield { node, depth }
  }
}

/** One span in the notation, without indent. */
export function lineOf(span: Span, origin: Microseconds): string {
  const { localEndpoint, name, timestamp, duration, kind, remoteEndpoint } = span
  const start = timestamp === undefined ? undefined : timestamp - origin
  const end = start === undefined || duration === undefined ? undefined : start + duration
  const columns = [
    localEndpoint?.serviceName === undefined ? '-' : quoteName(localEndpoint.serviceName),
    name === undefined ? '-' : quoteName(name),
    `${start === undefined ? '-' : milliseconds(start)}..${end === undefined ? '-' : milliseconds(end)}`,
  ]
  if (kind) columns.push(kind.toLowerCase())
  if (span.shared) columns.push('shared')
  if (span.debug) columns.push('debug')
  if (remoteEndpoint?.serviceName !== undefined) columns.push(`->${quoteName(remoteEndpoint.serviceName)}`)
  for (const { timestamp: at, value } of span.annotations ?? []) {
    columns.push(`@${milliseconds(at - origin)} ${quoteValue(value)}`)
  }
  for (const key of Object.keys(span.tags ?? {}).sort()) {
    columns.push(`${quoteName(key)}=${quoteValue(span.tags![key]!)}`)
  }
  return columns.join('  ')
}

export interface TextColumn {
  /** Unquoted. Of a tag or an annotation, the value. */
  text: string
  isQuoted: boolean
  tagKey?: string
  /** Stands for `=`; expectations only. */
  bound?: '>=' | '<='
  annotationAt?: string
  isPeer?: boolean
}

export interface TextLine {
  /** 1-based. */
  number: number
  /** Columns of indent, the common one taken away. */
  depth: number
  text: string
  columns: TextColumn[]
}

/** Lines that are neither blank nor a comment (`#`), cut into columns. */
export function linesOf(text: string): TextLine[] {
  const lines: TextLine[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd()
    const content = line.trimStart()
    if (content === '' || content.startsWith('#')) continue
    const number = index + 1
    lines.push({ number, depth: line.length - content.length, text: content, columns: columnsOf(content, number) })
  }
  const common = Math.min(...lines.map(line => line.depth))
  for (const line of lines) line.depth -= common
  return lines
}

const BARE = '(?:(?!  |"|=|>=|<=).)*'
const QUOTED = String.raw`"(?:[^"\\]|\\.)*"`
const COLUMN = new RegExp(
  `(?:@(?<at>-?[\\d.]+|\\*) (?<value>${QUOTED}|(?:(?!  |").)*)|(?<peer>->)(?<to>${QUOTED}|${BARE})|(?<key>${QUOTED}|${BARE})(?<operator>>=|<=|=)(?<tag>${QUOTED}|(?:(?!  |").)*)|(?<plain>${QUOTED}|${BARE}))(?:  +|$)`,
  'y',
)

function columnsOf(content: string, line: number): TextColumn[] {
  const columns: TextColumn[] = []
  COLUMN.lastIndex = 0
  while (COLUMN.lastIndex < content.length) {
    const at = COLUMN.lastIndex
    const groups = COLUMN.exec(content)?.groups
    if (!groups) throw new TraceTextError(line, `cannot read from column ${at + 1}: ${content.slice(at)}`)
    const raw = groups.value ?? groups.to ?? groups.tag ?? groups.plain ?? ''
    const column: TextColumn = { text: unquote(raw, line), isQuoted: raw.startsWith('"') }
    if (groups.at !== undefined) column.annotationAt = groups.at
    if (groups.peer !== undefined) column.isPeer = true
    if (groups.key !== undefined) column.tagKey = unquote(groups.key, line)
    if (groups.operator !== undefined && groups.operator !== '=') column.bound = groups.operator as '>=' | '<='
    columns.push(column)
  }
  return columns
}

function isAbsent(column: TextColumn): boolean {
  return column.text === '-' && !column.isQuoted
}

/** In a value: nothing, blanks at an end or two in a row, a quote, a control character, a wildcard of expectations. */
const VALUE_NEEDS_QUOTES = /^$|^\s|\s$| {2}|["*\p{Cc}]/u
/** In a service, name, peer or key moreover: what reads as absence, as another column or as a bound. */
const NAME_NEEDS_QUOTES = /^-$|[=…]|^(?:->|@|#)|[<>]$/

function quoteValue(text: string): string {
  return VALUE_NEEDS_QUOTES.test(text) ? JSON.stringify(text) : text
}

function quoteName(text: string): string {
  return NAME_NEEDS_QUOTES.test(text) ? JSON.stringify(text) : quoteValue(text)
}

function unquote(text: string, line: number): string {
  if (!text.startsWith('"')) return text
  try {
    return JSON.parse(text)
  } catch {
    throw new TraceTextError(line, `is not quoted as in JSON: ${text}`)
  }
}

function microseconds(ms: string): Microseconds {
  return Math.round(Number(ms) * 1000)
}

function milliseconds(us: Microseconds): string {
  return String(us / 1000)
}
