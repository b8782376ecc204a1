import { bodyOf, textOf } from './identity.ts'
import { KIND_NAMES, KINDS, type Kind, type KindName } from './kinds.ts'

type Random = () => number

/** A request that a client will send, and what it needs to know its answer by. */
export interface Plan {
  id: number
  name: KindName
  kind: Kind
  method: 'GET' | 'HEAD' | 'POST' | 'PUT'
  size: number
  answerSize: number
  answerText: number
  bytes: Buffer
}

/** Where reads, joins, slabs and buffers of the proxy end, in bytes. */
const EDGES = [1, 1_024, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072, 262_144]
const TOTAL_WEIGHT = KIND_NAMES.reduce((sum, name) => sum + KINDS[name].weight, 0)

export function planRequest(id: number, random: Random): Plan {
  const name = pickKind(random)
  const kind = KINDS[name]
  const withBody = kind.bodiless !== true && random() < 0.5
  const method = withBody ? (random() < 0.5 ? 'POST' : 'PUT') : random() < 0.1 ? 'HEAD' : 'GET'
  const size = withBody ? 1 + sizeOf(random) : 0
  const answerSize = kind.bodiless === true ? 0 : sizeOf(random)
  const answerText = textSize(random)
  const body = bodyOf(id, 'asked', size)
  const chunked = size > 0 && random() < 0.3
  // The buffer filter gives the body a length, which has no place for trailers.
  const trailer = chunked && name !== 'buffered' && random() < 0.4 ? String(id) : ''
  const head = headOf({ id, name, method, size, answerSize, answerText }, textSize(random), [
    ...(trailer === '' ? [] : [`x-has-trailer: ${trailer}`]),
    ...(name === 'gzip' && random() < 0.8 ? ['accept-encoding: gzip'] : []),
    ...(name === 'delayed' ? [`x-envoy-fault-delay-request: ${1 + Math.floor(random() * 20)}`] : []),
    ...(size === 0 ? [] : [chunked ? 'transfer-encoding: chunked' : `content-length: ${size}`]),
  ])
  const bytes = Buffer.concat([Buffer.from(head), ...(chunked ? inChunks(body, trailer, random) : [body])])
  return { id, name, kind, method, size, answerSize, answerText, bytes }
}

/** How long the heads are that the sidecar writes for such requests, by `via` and name. */
export type HeadSizes = Map<string, number>

/**
 * One of a crowd: small, leaves nothing behind, and has as many bytes as one, two or more of the heads that the sidecar writes for it.
 * Who miscounts what others still have of a shared buffer is found out when counts meet: seldom among bytes of any number.
 */
export function planAlike(id: number, name: 'plain' | 'direct', via: string, sizes: HeadSizes, random: Random): Plan {
  const asked = { id, name, method: 'GET', size: 0, answerSize: 20, answerText: 30 } as const
  const bare = headOf(asked, 30, [`x-via: ${via}`, 'x-drop: '])
  const unit = sizes.get(via + name) ?? 1
  const size = unit * (Math.ceil(bare.length / unit) + Math.floor(random() * 3))
  const bytes = Buffer.from(bare.replace('x-drop: ', `x-drop: ${'d'.repeat(size - bare.length)}`))
  return { ...asked, kind: KINDS[name], bytes }
}

function headOf(asked: Omit<Plan, 'bytes' | 'kind'>, textLength: number, more: readonly string[]): string {
  const { id, name, method, size, answerSize, answerText } = asked
  return [
    `${method} /${name}/${id}?size=${size}&answer=${answerSize}&text=${answerText} HTTP/1.1`,
    `host: h${id}.test`,
    `x-id: ${id}`,
    `x-size: ${size}`,
    `x-text-size: ${textLength}`,
    `x-text: ${textOf(id, 'asked', textLength)}`,
    ...more,
    '\r\n',
  ].join('\r\n')
}

function pickKind(random: Random): KindName {
  let left = random() * TOTAL_WEIGHT
  for (const name of KIND_NAMES) {
    left -= KINDS[name].weight
    if (left < 0) return name
  }
  return 'plain'
}

/** Mostly small; of the others many near an edge, with and without the bytes of a head before them. */
function sizeOf(random: Random): number {
  const chance = random()
  if (chance < 0.35) return Math.floor(random() * 300)
  if (chance < 0.6) return Math.floor(random() * 9_000)
  // Large ones are as rare as they are dear.
  const edge = EDGES[Math.floor(random() ** 1.6 * EDGES.length)]!
  if (chance < 0.95) return Math.max(0, edge - Math.floor(random() * 700) + 20)
  return Math.floor(random() ** 2 * 300_000)
}

function textSize(random: Random): number {
  const chance = random()
  if (chance < 0.7) return 1 + Math.floor(random() * 60)
  return chance < 0.97 ? Math.floor(random() * 1_500) + 1 : Math.floor(random() * 20_000) + 1
}

function inChunks(body: Buffer, trailer: string, random: Random): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const size = Math.min(body.length - at, 1 + Math.floor(random() ** 2 * 20_000))
    pieces.push(Buffer.from(`${size.toString(16)}\r\n`), body.subarray(at, at + size), Buffer.from('\r\n'))
    at += size
  }
  pieces.push(Buffer.from(`0\r\n${trailer === '' ? '' : `x-trailer: ${trailer}\r\n`}\r\n`))
  return pieces
}
