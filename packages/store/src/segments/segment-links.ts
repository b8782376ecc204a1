import { BytesReader, BytesWriter } from './bytes.ts'
import type { LinkList } from './trace-linker.ts'

/** Who calls whom in the traces of a segment, each trace by itself. */
export interface SegmentLinks {
  pairs: { parent: string; child: string }[]
  /** By pair, over all traces. */
  calls: Float64Array
  errors: Float64Array
  byTrace: () => TraceLinks
}

export interface TraceLinks {
  /** Of each trace where its links begin in `list`, and one more. */
  starts: Uint32Array
  /** Pair, calls, errors; and so on. */
  list: Uint32Array
}

/**
 * The pairs as JSON, with its length before it; calls and errors of each; then of each trace the count of its links, and
 * pair, calls, errors.
 */
export function encodeLinks(traces: readonly LinkList[], names: readonly { parent: string; child: string }[]): Buffer {
  const calls = new Float64Array(names.length)
  const errors = new Float64Array(names.length)
  const list = new BytesWriter(traces.length * 8)
  list.varint(traces.length)
  for (const links of traces) {
    list.varint(links.length / 3)
    for (let at = 0; at < links.length; at += 3) {
      calls[links[at]!]! += links[at + 1]!
      errors[links[at]!]! += links[at + 2]!
      for (let i = at; i < at + 3; i++) list.varint(links[i]!)
    }
  }
  const json = Buffer.from(JSON.stringify(names.map(({ parent, child }) => [parent, child])))
  const out = new BytesWriter(json.length + list.length + 8)
  out.varint(json.length)
  out.raw(json)
  for (const number of names.keys()) {
    out.varint(calls[number]!)
    out.varint(errors[number]!)
  }
  out.raw(list.view())
  return out.view()
}

export function decodeLinks(piece: Buffer): SegmentLinks {
  const from = new BytesReader(piece)
  const pairs = JSON.parse(from.raw(from.varint()).toString()) as [string, string][]
  const calls = new Float64Array(pairs.length)
  const errors = new Float64Array(pairs.length)
  for (let pair = 0; pair < pairs.length; pair++) {
    calls[pair] = from.varint()
    errors[pair] = from.varint()
  }
  const at = from.at
  return {
    pairs: pairs.map(([parent, child]) => ({ parent, child })),
    calls,
    errors,
    byTrace: () => decodeLists(new BytesReader(piece, at)),
  }
}

function decodeLists(from: BytesReader): TraceLinks {
  const count = from.varint()
  const starts = new Uint32Array(count + 1)
  const { bytes } = from
  // A number takes a byte, as a rule, and never less.
  const list = new Uint32Array(bytes.length - from.at)
  let length = 0
  for (let trace = 0; trace < count; trace++) {
    starts[trace] = length
    for (let left = from.varint() * 3; left > 0; left--) {
      if (bytes[from.at]! < 128) list[length++] = bytes[from.at++]!
      else list[length++] = from.varint()
    }
  }
  starts[count] = length
  return { starts, list: list.subarray(0, length) }
}
