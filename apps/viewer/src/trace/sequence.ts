import type { Microseconds } from '@hopscope/model'
import { FLAG, type RowColumns } from './columns.ts'

/** Who talks, and what is said, in order of time. */
export interface Sequence {
  /** Into the trace's strings, in the order in which they first speak or are spoken to. */
  participants: readonly number[]
  messages: readonly Message[]
}

export interface Message {
  row: number
  at: Microseconds
  /** Places among the participants. The same: work of its own. */
  from: number
  to: number
  kind: 'call' | 'reply' | 'arrival' | 'own'
}

/**
 * Rows → messages. A call goes out when its bar begins and comes back when it ends; a row without a caller arrives from
 * outside; a row that is no call is work of its own.
 *
 *     a → b  0..10          a ──call──▶ b      0
 *       b → c  2..5                     b ──call──▶ c    2
 *                                       b ◀──reply─ c    5
 *                           a ◀──reply─ b     10
 */
export function sequenceOf(columns: RowColumns): Sequence {
  const { count, service, peer, flags, start, duration } = columns
  const places = new Map<number, number>()
  const placeOf = (name: number) => {
    let place = places.get(name)
    if (place === undefined) {
      place = places.size
      places.set(name, place)
    }
    return place
  }
  const messages: Message[] = []
  /** Replies of a row come after those of the rows below it that end with it. */
  for (let row = 0; row < count; row++) {
    const from = placeOf(service[row]!)
    const at = start[row]!
    if (peer[row]! < 0) {
      messages.push({ row, at, from, to: from, kind: flags[row]! & (FLAG.hop | FLAG.server) ? 'arrival' : 'own' })
      continue
    }
    const to = placeOf(peer[row]!)
    messages.push({ row, at, from, to, kind: 'call' })
    if (!(flags[row]! & FLAG.noDuration))
      messages.push({ row, at: at + duration[row]!, from: to, to: from, kind: 'reply' })
  }
  const rank = ({ kind, row }: Message) => (kind === 'reply' ? -row : row)
  messages.sort((a, b) => a.at - b.at || Number(a.kind !== 'reply') - Number(b.kind !== 'reply') || rank(a) - rank(b))
  return { participants: [...places.keys()], messages }
}
