import type { QueryRequest } from './query.ts'
import type { Microseconds } from './span.ts'

/**
 * A search as a person types it: `service=shop hop=shop->price attempt>1 timeout tag=http.status_code=503 duration>=10ms`.
 * Words are separated by blanks and all must hold; the order says nothing. What is absent does not restrict. A word with
 * `-` before it must not hold: `-error`, `-attempt>1`.
 *
 * Without `hop` it is Zipkin's search: each condition is met by some span (of `service`, when there is one). The words
 * about calls (`hop`, `attempt`, `timeout`, `untraced`) must be met by one and the same call.
 */
export interface TypedQuery {
  /** Lower case, as the other names. */
  serviceName?: string
  spanName?: string
  /** `peer=`: a service that the searched one talks to. */
  remoteServiceName?: string
  /** Tag → its value, or `''`: a tag of that key, or an annotation of that value. `error` is one of them. */
  annotationQuery?: Map<string, string>
  minDuration?: Microseconds
  maxDuration?: Microseconds
  hop?: HopCriteria
  /** Each of one word, none of which may hold. */
  not?: TypedQuery[]
}

/** Conditions on one call. */
export interface HopCriteria {
  caller?: string
  callee?: string
  minAttempts?: number
  maxAttempts?: number
  timeout?: true
  untraced?: true
}

/** What cannot be read: characters [from, to) of the text, and what to write instead. */
export interface TypedQueryProblem {
  from: number
  to: number
  message: string
}

/** One word of the text: `service=` and what follows, or a flag. Positions are characters; `value` is unquoted. */
export interface TypedWord {
  from: number
  to: number
  isNegated: boolean
  field: string
  operator: string
  value: string
  /** Where the value begins. */
  valueFrom: number
}

/** The words that take a value, in the order in which they are offered. */
export const QUERY_FIELDS = ['service', 'span', 'tag', 'hop', 'attempt', 'duration', 'peer'] as const
/** Words that stand alone, without a value. */
export const QUERY_FLAGS = ['error', 'timeout', 'untraced'] as const

const UNITS: Record<string, Microseconds> = { us: 1, µs: 1, μs: 1, ms: 1_000, s: 1_000_000, m: 60_000_000 }

/** `service=shop "span=get /"` → its words; a quote that is not closed runs to the end. */
export function splitTypedQuery(text: string): TypedWord[] {
  const words: TypedWord[] = []
  const pattern = /(?:"(?:\\.|[^"\\])*"?|[^\s"])+/g
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const isNegated = match[0].startsWith('-') && match[0].length > 1
    const raw = isNegated ? match[0].slice(1) : match[0]
    const from = match.index + (isNegated ? 1 : 0)
    const parts = /^([a-z]\w*(?:[.-]\w+)*)?(>=|<=|=|>|<)?/i.exec(raw)!
    const [head, field = '', operator = ''] = parts
    const hasField = operator !== '' || head === raw
    words.push({
      from: match.index,
      to: from + raw.length,
      isNegated,
      field: hasField ? field : raw,
      operator,
      value: hasField ? unquote(raw.slice(head.length)) : '',
      valueFrom: from + (hasField ? head.length : raw.length),
    })
  }
  return words
}

/** Reads all words it can, and says of each other one what is wrong with it. */
export function parseTypedQuery(text: string): { query: TypedQuery; problems: TypedQueryProblem[] } {
  const query: TypedQuery = {}
  const problems: TypedQueryProblem[] = []
  for (const word of splitTypedQuery(text)) {
    const into: TypedQuery = word.isNegated ? {} : query
    const message = read(word, into)
    if (word.isNegated && message === undefined && Object.keys(into).length > 0) {
      query.not = [...(query.not ?? []), into]
    }
    if (message !== undefined) problems.push({ from: word.from, to: word.to, message })
  }
  return { query, problems }
}

/** The inverse: the shortest text that is read as this query. */
export function formatTypedQuery(query: TypedQuery): string {
  const words: string[] = []
  if (query.serviceName) words.push(`service=${quote(query.serviceName)}`)
  if (query.spanName) words.push(`span=${quote(query.spanName)}`)
  if (query.remoteServiceName) words.push(`peer=${quote(query.remoteServiceName)}`)
  const { hop } = query
  if (hop?.caller !== undefined || hop?.callee !== undefined) {
    words.push(`hop=${quote(hop.caller ?? '*')}->${quote(hop.callee ?? '*')}`)
  }
  if (hop?.minAttempts !== undefined && hop.minAttempts === hop.maxAttempts) words.push(`attempt=${hop.minAttempts}`)
  else {
    if (hop?.minAttempts !== undefined) words.push(`attempt>${hop.minAttempts - 1}`)
    if (hop?.maxAttempts !== undefined) words.push(`attempt<${hop.maxAttempts + 1}`)
  }
  if (hop?.timeout) words.push('timeout')
  if (hop?.untraced) words.push('untraced')
  for (const [key, value] of query.annotationQuery ?? []) {
    if (key === 'error' && value === '') words.push('error')
    else words.push(`tag=${quote(value === '' ? key : `${key}=${value}`)}`)
  }
  if (query.minDuration !== undefined) words.push(`duration>=${formatUnit(query.minDuration)}`)
  if (query.maxDuration !== undefined) words.push(`duration<=${formatUnit(query.maxDuration)}`)
  for (const not of query.not ?? []) words.push(`-${formatTypedQuery(not)}`)
  return words.join(' ')
}

/** The part that a span store answers, with the window it is asked for; `isAfterthought` says whether there is more. */
export function queryRequestOf(
  query: TypedQuery,
  window: Pick<QueryRequest, 'endTs' | 'lookback' | 'limit'>,
): QueryRequest {
  const { hop: _, not: __, minDuration, ...rest } = query
  // A longest duration counts only beside a shortest one.
  const min = minDuration ?? (query.maxDuration === undefined ? undefined : 1)
  return { ...rest, ...(min === undefined ? {} : { minDuration: min }), ...window }
}

/** Puts a word where it belongs; what is wrong with it comes back. */
function read(word: TypedWord, query: TypedQuery): string | undefined {
  const { field, operator, value } = word
  const hop = () => {
    query.hop ??= {}
    return query.hop
  }
  if (operator === '') {
    if (field === 'error') putTag(query, 'error', '')
    else if (field === 'timeout') hop().timeout = true
    else if (field === 'untraced') hop().untraced = true
    else if (field !== 'and') return unknownWord(field)
    return undefined
  }
  if (!(QUERY_FIELDS as readonly string[]).includes(field)) {
    return `“${field}” is no field. Fields are ${QUERY_FIELDS.join(', ')}; a tag is written tag=${field || 'key'}=value.`
  }
  if (value === '') return `${field}${operator} needs a value.`
  if (field === 'attempt') return readAttempts(operator, value, hop)
  if (field === 'duration') return readDuration(operator, value, query)
  if (operator !== '=') return `${field} takes =, as in ${field}=${value}.`
  switch (field) {
    case 'service':
      return putOnce(query, 'serviceName', 'service', value)
    case 'span':
      return putOnce(query, 'spanName', 'span', value)
    case 'peer':
      return putOnce(query, 'remoteServiceName', 'peer', value)
    case 'tag':
      return readTag(value, query)
    default:
      return readHop(value, hop)
  }
}

function putOnce(
  query: TypedQuery,
  key: 'serviceName' | 'spanName' | 'remoteServiceName',
  field: string,
  value: string,
): string | undefined {
  if (query[key] !== undefined) return `${field}= stands twice.`
  query[key] = value.toLowerCase()
  return undefined
}

function readTag(text: string, query: TypedQuery): string | undefined {
  const equals = text.indexOf('=')
  const key = (equals < 0 ? text : text.slice(0, equals)).trim()
  if (key === '') return 'tag= needs a key, as in tag=http.status_code=503.'
  putTag(query, key, equals < 0 ? '' : text.slice(equals + 1).trim())
  return undefined
}

/** A word without value never replaces one with. */
function putTag(query: TypedQuery, key: string, value: string): void {
  query.annotationQuery ??= new Map()
  if (value !== '' || !query.annotationQuery.has(key)) query.annotationQuery.set(key, value)
}

function readHop(text: string, criteria: () => HopCriteria): string | undefined {
  const match = /^(.+?)\s*(?:->|→)\s*(.+)$/.exec(text)
  if (!match) return `hop= names caller and callee, as in hop=${text || 'shop'}->* or hop=*->${text || 'price'}.`
  const hop = criteria()
  if (hop.caller !== undefined || hop.callee !== undefined) return 'hop= stands twice.'
  if (match[1] !== '*') hop.caller = match[1]!.toLowerCase()
  if (match[2] !== '*') hop.callee = match[2]!.toLowerCase()
  return undefined
}

function readAttempts(operator: string, value: string, criteria: () => HopCriteria): string | undefined {
  if (!/^\d{1,6}$/.test(value)) return `attempt${operator} takes a whole number, as in attempt>1; it got “${value}”.`
  const n = Number(value)
  const hop = criteria()
  if (operator !== '<' && operator !== '<=') hop.minAttempts = operator === '>' ? n + 1 : n
  if (operator !== '>' && operator !== '>=') hop.maxAttempts = operator === '<' ? n - 1 : n
  return undefined
}

function readDuration(operator: string, value: string, query: TypedQuery): string | undefined {
  const match = /^(\d+(?:\.\d+)?)(us|µs|μs|ms|s|m)?$/i.exec(value)
  const us = match ? Math.round(Number(match[1]) * UNITS[(match[2] ?? 'us').toLowerCase()]!) : Number.NaN
  if (!Number.isSafeInteger(us)) return `“${value}” is no duration. Write 10ms, 1.5s or 200us.`
  if (operator === '=') return 'duration takes >, >=, < or <=, as in duration>10ms.'
  if (operator === '>') query.minDuration = us + 1
  else if (operator === '>=') query.minDuration = us
  else query.maxDuration = operator === '<' ? us - 1 : us
  const { minDuration = 0, maxDuration = Number.POSITIVE_INFINITY } = query
  return maxDuration < minDuration || maxDuration < 1 ? 'No duration is that short and that long.' : undefined
}

function unknownWord(word: string): string {
  const arrow = /->|→/.test(word) ? ` A call is written hop=${word}.` : ''
  return `“${word}” is no condition.${arrow} Names are written service=${word}, span=${word} or tag=${word}; on their own stand ${QUERY_FLAGS.join(', ')}.`
}

function unquote(text: string): string {
  return text.replace(/"((?:\\.|[^"\\])*)"?/g, (_, inner: string) => inner.replace(/\\(.)/g, '$1'))
}

/** Quoted where a blank or a quote would end the word. */
function quote(text: string): string {
  return /[\s"\\]/.test(text) || text === '' ? `"${text.replace(/["\\]/g, '\\$&')}"` : text
}

/** The largest unit that says it exactly. */
function formatUnit(us: Microseconds): string {
  if (us % 1_000_000 === 0) return `${us / 1_000_000}s`
  return us % 1_000 === 0 ? `${us / 1_000}ms` : `${us}us`
}
