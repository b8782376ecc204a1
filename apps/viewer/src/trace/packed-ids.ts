/**
 * Span ids as numbers: 100,000 texts would be copied one by one between threads, two arrays are handed over. An id that
 * is not 16 lower-hex characters, as a file may have, stays a text.
 */
export interface PackedIds {
  high: Uint32Array
  low: Uint32Array
  odd: ReadonlyMap<number, string>
}

const HEX = /^[0-9a-f]{16}$/

export function packIds(count: number, idOf: (index: number) => string): PackedIds {
  const high = new Uint32Array(count)
  const low = new Uint32Array(count)
  const odd = new Map<number, string>()
  for (let i = 0; i < count; i++) {
    const id = idOf(i)
    if (HEX.test(id)) {
      high[i] = Number.parseInt(id.slice(0, 8), 16)
      low[i] = Number.parseInt(id.slice(8), 16)
    } else odd.set(i, id)
  }
  return { high, low, odd }
}

export function idAt({ high, low, odd }: PackedIds, index: number): string {
  return odd.get(index) ?? hex(high[index]!) + hex(low[index]!)
}

/** Where an id comes for the n-th time, counted from 0; -1 when it does not. */
export function indexOfId(ids: PackedIds, id: string, nth = 0): number {
  let left = nth
  if (!HEX.test(id)) {
    for (const [index, other] of ids.odd) if (other === id && left-- === 0) return index
    return -1
  }
  const high = Number.parseInt(id.slice(0, 8), 16)
  const low = Number.parseInt(id.slice(8), 16)
  for (let i = ids.low.indexOf(low); i >= 0; i = ids.low.indexOf(low, i + 1)) {
    if (ids.high[i] === high && !ids.odd.has(i) && left-- === 0) return i
  }
  return -1
}

/** What a link says of a span: its id, and `.1` for the second with this id, as the halves of a shared span have one. */
export function selectionOf(ids: PackedIds, index: number): string {
  const id = idAt(ids, index)
  let nth = 0
  while (indexOfId(ids, id, nth) !== index) nth++
  return nth === 0 ? id : `${id}.${nth}`
}

/** The inverse; -1 when it is not here. */
export function indexOfSelection(ids: PackedIds, selection: string): number {
  const [, id, nth] = /^(.*?)(?:\.(\d+))?$/.exec(selection)!
  return indexOfId(ids, id!, Number(nth ?? 0))
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
