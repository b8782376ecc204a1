import { BytesReader, BytesWriter } from './bytes.ts'
import type { LinkCounts, ServicePairs } from './link-counts.ts'
import { type Part, SegmentPart } from './part.ts'
import { DamageError, packPiece } from './piece.ts'

/** Links of the traces of a segment, by where else their spans are. Traces are numbers of that segment, ascending. */
export interface LinkedSegment {
  /** Of traces that lie in this segment alone. */
  alone: LinkCounts
  /** Of traces whose newest spans are here, by the other parts that they lie in. */
  newest: { others: readonly SegmentPart[]; traces: Uint32Array; counts: LinkCounts }[]
  /** Traces that a newer part has spans of, by the newest. */
  older: { newest: Part; traces: Uint32Array }[]
}

/** Where the links of segments are kept from one start to the next. */
export interface KeptLinks {
  /** Undefined: not there, or not as the store is now. */
  read(part: SegmentPart, pairs: ServicePairs): LinkedSegment | undefined
  write(part: SegmentPart, linked: LinkedSegment, pairs: ServicePairs): void
}

/** The layout below. */
const VERSION = 1

/**
 * As it is kept in `linked`. It holds for as long as the same segments share traces: a segment is never changed, so what two of them
 * share is always the same.
 *
 *   version; segments: count, of each its id and when it was sealed (a number may be used again): this one, then those
 *   it shares traces with; pairs: bytes, JSON; counts of `alone`; `newest`: count, of each its segments (count, places in
 *   the list), traces, counts; `older`: count, of each a place in the list, and traces
 *   counts: count, of each the pair, calls, errors. traces: count, of each the distance from the one before.
 *
 * Undefined: it shares traces with a head, which goes on changing.
 */
export function encodeLinked(part: SegmentPart, linked: LinkedSegment, pairs: ServicePairs): Buffer | undefined {
  const segments = segmentsOf(part)
  if (segments === undefined) return undefined
  const place = new Map<Part, number>(segments.map((segment, i) => [segment, i]))
  const numbers = new Map<number, number>()
  const body = new BytesWriter(16 * 1024)
  const writeCounts = ({ pairs, calls, errors }: LinkCounts): void => {
    body.varint(pairs.length)
    for (let i = 0; i < pairs.length; i++) {
      const number = numbers.get(pairs[i]!) ?? numbers.size
      numbers.set(pairs[i]!, number)
      body.varint(number)
      body.varint(calls[i]!)
      body.varint(errors[i]!)
    }
  }
  const writeTraces = (traces: Uint32Array): void => {
    body.varint(traces.length)
    let before = 0
    for (const trace of traces) {
      body.varint(trace - before)
      before = trace
    }
  }
  writeCounts(linked.alone)
  body.varint(linked.newest.length)
  for (const { others, traces, counts } of linked.newest) {
    body.varint(others.length)
    for (const other of others) body.varint(place.get(other)!)
    writeTraces(traces)
    writeCounts(counts)
  }
  body.varint(linked.older.length)
  for (const { newest, traces } of linked.older) {
    body.varint(place.get(newest)!)
    writeTraces(traces)
  }
  const names = Array.from(numbers.keys(), number => [pairs.list[number]!.parent, pairs.list[number]!.child])
  const json = Buffer.from(JSON.stringify(names))
  const out = new BytesWriter(body.length + json.length + 64)
  out.varint(VERSION)
  out.varint(segments.length)
  for (const { segment } of segments) {
    out.varint(segment.meta.id)
    out.varint(segment.meta.sealedMs)
  }
  out.varint(json.length)
  out.raw(json)
  out.raw(body.view())
  return packPiece(out.view())
}

/** Undefined when it does not hold any more: the part shares traces with other parts now. */
export function decodeLinked(piece: Buffer, part: SegmentPart, pairs: ServicePairs): LinkedSegment | undefined {
  const from = new BytesReader(piece)
  if (from.varint() !== VERSION) return undefined
  const now = segmentsOf(part)
  const count = from.varint()
  if (now === undefined || now.length !== count) return undefined
  const byId = new Map(now.map(one => [one.segment.meta.id, one]))
  const segments: SegmentPart[] = []
  for (let i = 0; i < count; i++) {
    const one = byId.get(from.varint())
    if (from.varint() !== one?.segment.meta.sealedMs) return undefined
    segments.push(one)
  }
  if (segments[0] !== part) return undefined
  const names = JSON.parse(from.raw(from.varint()).toString()) as [string, string][]
  const numbers = Uint32Array.from(names, ([parent, child]) => pairs.number(parent, child))
  const readCounts = (): LinkCounts => {
    const length = lengthOf(from)
    const counts = { pairs: new Uint32Array(length), calls: new Float64Array(length), errors: new Float64Array(length) }
    for (let i = 0; i < length; i++) {
      counts.pairs[i] = numbers[from.varint()]!
      counts.calls[i] = from.varint()
      counts.errors[i] = from.varint()
    }
    return counts
  }
  const readTraces = (): Uint32Array => {
    const traces = new Uint32Array(lengthOf(from))
    let trace = 0
    for (let i = 0; i < traces.length; i++) {
      trace += from.varint()
      traces[i] = trace
    }
    return traces
  }
  const list = <T>(read: () => T): T[] => Array.from({ length: lengthOf(from) }, read)
  return {
    alone: readCounts(),
    newest: list(() => ({
      others: list(() => segments[from.varint()]!),
      traces: readTraces(),
      counts: readCounts(),
    })),
    older: list(() => ({ newest: segments[from.varint()]!, traces: readTraces() })),
  }
}

function lengthOf(from: BytesReader): number {
  const length = from.varint()
  if (length > from.bytes.length) throw new DamageError('kept links say that they are longer than they are')
  return length
}

/** The segment, and those that it shares traces with; undefined when one of these is a head. */
function segmentsOf(part: SegmentPart): SegmentPart[] | undefined {
  const segments = [part]
  for (const other of part.sharedWith) {
    if (!(other instanceof SegmentPart)) return undefined
    segments.push(other)
  }
  return segments
}
