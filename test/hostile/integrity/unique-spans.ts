import type { Span } from '@hopscope/model'
import { type Random, randomInteger, seededRandom } from '@hopscope/model/testing'

/** 2023 */
const START_US = 1_700_000_000_000_000
const SPANS_PER_TRACE = 5
/** Traces begin this many spans before a multiple of their size: messages cut them. */
const SHIFT = 2

const WORDS = [
  'order',
  'straße',
  '价格',
  '"quoted"',
  'back\\slash',
  'line\nbreak',
  '😀',
  'a and b',
  'x=y',
  '__proto__',
  '{}',
]

/** Which trace span number `number` of a writer is in. */
export const traceNumber = (number: number): number => Math.floor((number + SHIFT) / SPANS_PER_TRACE)

/** The first span of a trace but the very first. */
export const numberInTrace = (trace: number): number => trace * SPANS_PER_TRACE - SHIFT

/** The first writer has the lowest ids; half of the traces have ids of 32 characters, and all that OTLP writes. */
export function traceIdOf(writer: number, trace: number, isWide: boolean): string {
  const low = (writer * 2 ** 32 + trace + 1).toString(16).padStart(16, '0')
  return isWide || trace % 2 === 0 ? `5ca1ab1e${trace.toString(16).padStart(8, '0')}${low}` : low
}

/** What a format can carry, and what of it another process must be told apart from. */
export interface Shape {
  writer: number
  /** Endpoints are names alone, trace ids have 32 characters, what is called is a tag, too. */
  isOtlp: boolean
}

/**
 * Span number `number` of a writer, as it is to be read back. All of it follows from the two numbers, and its texts are found in no other
 * span, but for some that are in very many.
 */
export function uniqueSpan({ writer, isOtlp }: Shape, number: number, service: string): Span {
  const random = seededRandom(writer * 1_000_003 + number)
  const trace = traceNumber(number)
  const isClient = number % 2 === 0
  const mark = `w${writer}n${number}`
  const timestamp = START_US + number * 1000 + randomInteger(random, 900)
  const callee = `callee-${number % 3}`
  const tags: Record<string, string> = Object.create(null)
  tags.mark = mark
  tags['same.everywhere'] = 'the same'
  if (isClient) tags['peer.service'] = callee
  for (let i = randomInteger(random, 5); i > 0; i--) tags[`key ${i}`] = uniqueText(random, mark)
  if (randomInteger(random, 40) === 0) tags.long = `${mark} `.repeat(1 + randomInteger(random, 1200)).trim()
  const span: Span = {
    traceId: traceIdOf(writer, trace, isOtlp),
    id: (writer * 2 ** 32 + number + 1).toString(16).padStart(16, '0'),
    kind: isClient ? 'CLIENT' : 'SERVER',
    name: `call ${number % 5 === 0 ? mark : number % 11}`,
    timestamp,
    duration: 1 + randomInteger(random, 2_000_000),
    localEndpoint: isOtlp ? { serviceName: service } : { serviceName: service, ipv4: '10.1.2.3', port: 8080 },
    annotations: Array.from({ length: 1 + randomInteger(random, 2) }, (_, i) => ({
      timestamp: timestamp + i,
      value: i === 0 ? `seen ${mark}` : 'seen',
    })),
    tags,
  }
  if (number > 0 && traceNumber(number - 1) === trace)
    span.parentId = (writer * 2 ** 32 + number).toString(16).padStart(16, '0')
  if (isClient) span.remoteEndpoint = { serviceName: callee }
  return span
}

function uniqueText(random: Random, mark: string): string {
  const words = Array.from({ length: 1 + randomInteger(random, 12) }, () => WORDS[randomInteger(random, WORDS.length)])
  return `${mark} ${words.join(' ')}`
}
