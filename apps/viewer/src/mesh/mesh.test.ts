import { describe, expect, it } from 'vitest'
import { labelOf, type MeshLink, share } from './mesh-link.ts'
import { cutToNeighbourhood } from './neighbourhood.ts'

const link = (parent: string, child: string, callCount = 1): MeshLink => ({ parent, child, callCount })
const CHAIN = ['a', 'b', 'c', 'd', 'e'].map((name, i, all) => link(name, all[i + 1] ?? 'f'))
const names = (links: readonly MeshLink[]) => links.map(({ parent, child }) => `${parent}${child}`).join(' ')

describe('the neighbourhood of a service', () => {
  it('is everything while everything can be read', () => {
    expect(cutToNeighbourhood(CHAIN, undefined)).toEqual({ links: CHAIN, shown: 6, total: 6 })
  })
  it('reaches callers and callees', () => {
    const one = cutToNeighbourhood(CHAIN, { service: 'c', hops: 1 })
    expect([names(one.links), one.shown, one.total]).toEqual(['bc cd', 3, 6])
    expect(names(cutToNeighbourhood(CHAIN, { service: 'c', hops: 2 }).links)).toBe('ab bc cd de')
    expect(cutToNeighbourhood(CHAIN, { service: 'nobody', hops: 2 }).links).toEqual([])
  })
  it('of a mesh that is too large, is that of its busiest service, as wide as can be read', () => {
    const star = Array.from({ length: 150 }, (_, i) => link('hub', `s${i}`, 10))
    const tail = Array.from({ length: 150 }, (_, i) => link(`s${i}`, `t${i}`))
    const cut = cutToNeighbourhood([...tail, ...star], undefined)
    expect(cut.around).toEqual({ service: 'hub', hops: 1 })
    expect([cut.shown, cut.total]).toEqual([151, 301])
  })
})

describe('what stands on a line', () => {
  const busy: MeshLink = { ...link('a', 'b', 1_250), errorCount: 5, triesPerCall: 1.2, p95: 12_345 }
  it.each([
    ['calls', '1.3K ✕ <1%'],
    ['retries', '×1.20'],
    ['p95', '12.3ms'],
    ['p99', ''],
  ] as const)('%s: %s', (metric, text) => expect(labelOf(busy, metric)).toBe(text))
  it('a share of nothing', () => expect(share(0, 0)).toBe('0%'))
})
