import { QUERY_FIELDS, QUERY_FLAGS, splitTypedQuery } from '@hopscope/model'

/** What the mesh has names for; filled as far as it is known. */
export interface KnownNames {
  services: readonly string[]
  /** Of the service that the query names, if it does. */
  spans: readonly string[]
  /** Calls as `caller->callee`. */
  hops: readonly string[]
  tags: readonly string[]
  /** Values of a tag that is being typed. */
  tagValues?: readonly string[]
}

export interface Completion {
  /** Takes the place of the word at the caret. */
  text: string
  /** In a few words what it means. */
  detail: string
  /** More is to be typed behind it: no blank is put there. */
  isOpen: boolean
}

export interface Completions {
  from: number
  to: number
  options: Completion[]
}

const MAX_OPTIONS = 10
const FIELD_HELP: Record<string, [text: string, detail: string]> = {
  service: ['service=', 'a span of this service'],
  span: ['span=', 'a span of this name'],
  tag: ['tag=', 'a tag, tag=key or tag=key=value'],
  hop: ['hop=', 'a call, hop=caller->callee, * is anybody'],
  attempt: ['attempt>1', 'a call that was tried again'],
  duration: ['duration>', 'a span longer than, 10ms or 1.5s'],
  peer: ['peer=', 'a service that is called'],
}
const FLAG_HELP: Record<string, string> = {
  error: 'something failed',
  timeout: 'a call ran out of time',
  untraced: 'a call whose callee sent no span',
}

/**
 * What may stand where the caret is:
 *
 *     service=sh|          service=shop, service=shipping
 *     hop=shop->|          hop=shop->price, hop=shop->stock
 *     ti|                  timeout
 */
export function completionsAt(text: string, caret: number, names: KnownNames): Completions {
  const word = splitTypedQuery(text).find(({ from, to }) => from <= caret && caret <= to)
  if (!word) return { from: caret, to: caret, options: wordsLike('') }
  const from = word.isNegated ? word.from + 1 : word.from
  const typed = text.slice(from, caret)
  const place = { from, to: word.to }
  if (word.operator === '' || caret < word.valueFrom) return { ...place, options: wordsLike(typed) }
  const head = `${word.field}${word.operator}`
  const value = unquoted(text.slice(word.valueFrom, caret))
  const offer = (values: readonly string[], detail: string, isOpen = false) => ({
    ...place,
    options: like(values, value)
      .filter(name => name !== value || isOpen)
      .map(name => ({ text: `${head}${quoted(name)}`, detail, isOpen })),
  })
  switch (word.field) {
    case 'service':
      return offer(names.services, 'service')
    case 'peer':
      return offer(names.services, 'called service')
    case 'span':
      return offer(names.spans, 'span name')
    case 'hop':
      return offer(hopsLike(value, names), 'call')
    case 'tag': {
      const equals = value.indexOf('=')
      if (equals < 0) return offer(names.tags, 'tag', true)
      const key = value.slice(0, equals)
      return offer(
        (names.tagValues ?? []).map(known => `${key}=${known}`),
        'value',
      )
    }
    case 'attempt':
      return offer(
        ['1', '2'].filter(() => word.operator !== '='),
        'attempts',
      )
    case 'duration':
      return offer(['10ms', '100ms', '1s'], 'duration')
    default:
      return { ...place, options: [] }
  }
}

/** The text with an option chosen, and where the caret is then. */
export function applyCompletion(text: string, at: Completions, option: Completion): { text: string; caret: number } {
  const after = text.slice(at.to)
  const blank = option.isOpen || after.startsWith(' ') ? '' : ' '
  return {
    text: `${text.slice(0, at.from)}${option.text}${blank}${after}`,
    caret: at.from + option.text.length + (option.isOpen ? 0 : 1),
  }
}

function wordsLike(typed: string): Completion[] {
  const wanted = typed.toLowerCase()
  const fields = QUERY_FIELDS.filter(field => field.startsWith(wanted)).map(field => {
    const [text, detail] = FIELD_HELP[field]!
    return { text, detail, isOpen: field !== 'attempt' }
  })
  const flags = QUERY_FLAGS.filter(flag => flag.startsWith(wanted) && flag !== wanted).map(flag => ({
    text: flag,
    detail: FLAG_HELP[flag]!,
    isOpen: false,
  }))
  return [...fields, ...flags].slice(0, MAX_OPTIONS)
}

/** Known calls, and anybody's: `->price` alone offers `*->price`. */
function hopsLike(value: string, { hops, services }: KnownNames): string[] {
  const arrow = value.indexOf('->')
  if (arrow < 0) return [...hops, ...services.map(service => `*->${service}`)]
  const caller = value.slice(0, arrow)
  return caller === '*' ? services.map(service => `*->${service}`) : [...hops, `${caller}->*`]
}

/** Those that begin with what is typed, then those that have it somewhere. */
function like(values: readonly string[], typed: string): string[] {
  const wanted = typed.toLowerCase()
  const starting = values.filter(value => value.toLowerCase().startsWith(wanted))
  const having = wanted === '' ? [] : values.filter(value => value.toLowerCase().indexOf(wanted) > 0)
  return [...new Set([...starting, ...having])].slice(0, MAX_OPTIONS)
}

function quoted(value: string): string {
  return /[\s"\\]/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : value
}

function unquoted(value: string): string {
  return value.replace(/^"/, '').replace(/\\(.)/g, '$1')
}
