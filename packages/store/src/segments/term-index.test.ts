import { normaliseSpan } from '@hopscope/model'
import { pick, seededRandom } from '@hopscope/model/testing'
import { expect, it } from 'vitest'
import { Head } from './head.ts'
import { TermIndex } from './term-index.ts'
import { conditionsOf, durationCode } from './terms.ts'

const KEYS = ['a', 'b', 'c', 'http.method']
const SERVICES = ['web', 'db', 'cache']

/** Rows whose traces are mixed, as in a head, or follow each other, as in a segment. */
function fill(
  head: Head,
  inOrder: boolean,
): { trace: number; duration: number; service: string; tag: [string, string] }[] {
  const random = seededRandom(7)
  return Array.from({ length: 6000 }, (_, i) => {
    const trace = inOrder ? Math.floor(i / 12) : Math.floor(random() * 500)
    const duration = 1 + Math.floor(random() * 100_000)
    const service = pick(random, SERVICES)
    const tag: [string, string] = [pick(random, KEYS), random() < 0.5 ? 'same' : String(i)]
    head.add(
      normaliseSpan({
        traceId: (trace + 1).toString(16).padStart(16, '0'),
        id: (i + 1).toString(16).padStart(16, '0'),
        timestamp: 1_000_000 + i,
        duration,
        localEndpoint: { serviceName: service },
        tags: Object.assign(Object.create(null), Object.fromEntries([tag])),
      }),
    )
    return { trace, duration, service, tag }
  })
}

const termOf = (query: object): number =>
  conditionsOf({ endTs: 1, lookback: 1, limit: 1, ...query } as Parameters<typeof conditionsOf>[0])[0]!.term!

it.each([true, false])('leads to the traces that have a term, asked while rows come (traces in order: %s)', inOrder => {
  const head = new Head()
  const rows = fill(head, inOrder)
  const index = new TermIndex(head)
  const { trace: numbers } = head.rows.columns
  for (let round = 0, row = 0; round < 3; round++) {
    for (; row < (round + 1) * 2000; row++) index.add(row, numbers[row]!)
    const added = rows.slice(0, row).map((one, i) => ({ ...one, number: numbers[i]! }))
    for (const service of SERVICES) {
      const longest = new Map<number, number>()
      for (const one of added) {
        if (one.service !== service) continue
        longest.set(one.number, Math.max(longest.get(one.number) ?? 0, durationCode(one.duration)))
      }
      const { traces, codes } = index.postings(termOf({ serviceName: service }))!
      const found = new Map<number, number>()
      for (const [i, trace] of traces.entries()) found.set(trace, Math.max(found.get(trace) ?? 0, codes![i]!))
      expect(found).toEqual(longest)
    }
    for (const key of KEYS) {
      for (const value of ['same', '']) {
        const expected = added.filter(({ tag }) => tag[0] === key && (value === '' || tag[1] === value))
        const { traces, codes } = index.postings(termOf({ annotationQuery: new Map([[key, value]]) }))!
        expect([...new Set(traces)].sort()).toEqual([...new Set(expected.map(({ number }) => number))].sort())
        expect(codes).toBeUndefined()
      }
    }
  }
  const { terms, starts, traces } = index.sorted()
  for (const [at, term] of terms.entries()) {
    if (at > 0) expect(index.hashes[term]!).toBeGreaterThan(index.hashes[terms[at - 1]!]!)
    expect(traces.slice(starts[at], starts[at + 1])).toEqual(index.postings(index.hashes[term]!)!.traces)
  }
})
