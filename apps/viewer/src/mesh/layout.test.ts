import { describe, expect, it } from 'vitest'
import { layoutGraph, NODE } from './layout.ts'

const graph = (text: string) =>
  layoutGraph(
    text.split(/\s+/).map(pair => {
      const [parent = '', child = ''] = pair.split('>')
      return { parent, child, callCount: 1 }
    }),
  )
const layersOf = (text: string) => Object.fromEntries(graph(text).nodes.map(node => [node.service, node.layer]))

describe('layoutGraph', () => {
  it('puts callers left of whom they call, by the longest way', () => {
    expect(layersOf('shop>stock shop>price stock>db price>db shop>db')).toEqual({ shop: 0, stock: 1, price: 1, db: 2 })
  })
  it('cuts circles and says which link goes back', () => {
    const { links, nodes } = graph('edge>a a>b b>c c>a')
    expect(links.filter(link => link.isBack).map(link => `${link.parent}>${link.child}`)).toEqual(['c>a'])
    expect(Object.fromEntries(nodes.map(node => [node.service, node.layer]))).toEqual({ edge: 0, a: 1, b: 2, c: 3 })
  })
  it('takes a service that calls itself, and a circle that nobody enters', () => {
    expect(layersOf('a>a')).toEqual({ a: 0 })
    expect(new Set(Object.values(layersOf('a>b b>a')))).toEqual(new Set([0, 1]))
  })
  it('leaves lines of different parents uncrossed', () => {
    const { nodes } = graph('root>a root>b a>z b>y')
    const y = (service: string) => nodes.find(node => node.service === service)!.y
    expect(Math.sign(y('a') - y('b'))).toBe(Math.sign(y('z') - y('y')))
  })
  it('never lays a node over another, with 30 services', () => {
    const text = Array.from({ length: 90 }, (_, i) => `s${(i * 7) % 30}>s${(i * 13 + 5) % 30}`).join(' ')
    const { nodes } = graph(text)
    expect(nodes).toHaveLength(30)
    for (const a of nodes) {
      for (const b of nodes) {
        if (a === b) continue
        const isApart = Math.abs(a.x - b.x) >= NODE.width || Math.abs(a.y - b.y) >= NODE.height
        expect(isApart, `${a.service} ${b.service}`).toBe(true)
      }
    }
  })
  it('routes each link from its caller to its callee', () => {
    const { links, nodes } = graph('a>b b>c a>c c>a')
    const node = (service: string) => nodes.find(n => n.service === service)!
    for (const link of links) {
      const first = link.points[0]!
      const last = link.points.at(-1)!
      expect(first.y).toBe(node(link.parent).y + NODE.height / 2)
      expect(last.y).toBe(node(link.child).y + NODE.height / 2)
    }
  })
  it('puts them in rows for a narrow window: callers above, and no wider than a row of services', () => {
    const links = [
      ['edge', 'shop'],
      ['shop', 'stock'],
      ['shop', 'price'],
      ['stock', 'db'],
      ['price', 'db'],
      ['shop', 'db'],
      ['db', 'shop'],
    ].map(([parent = '', child = '']) => ({ parent, child, callCount: 1 }))
    const { nodes, links: placed, width } = layoutGraph(links, 'down')
    const node = (service: string) => nodes.find(n => n.service === service)!
    expect(node('shop').y).toBeLessThan(node('stock').y)
    expect(node('price').y).toBe(node('stock').y)
    expect(node('price').y).toBeLessThan(node('db').y)
    expect(width).toBeLessThan(2.5 * NODE.width)
    for (const link of placed) {
      const [first, last] = [link.points[0]!, link.points.at(-1)!]
      expect(first.x).toBe(node(link.parent).x + NODE.width / 2)
      expect(first.y).toBe(node(link.parent).y + (link.isBack ? 0 : NODE.height))
      expect(last.y).toBe(node(link.child).y + (link.isBack ? NODE.height : 0))
    }
  })
  it('adds up the calls a service gets', () => {
    const { nodes } = layoutGraph([
      { parent: 'a', child: 'c', callCount: 5, errorCount: 1 },
      { parent: 'b', child: 'c', callCount: 2 },
    ])
    expect(nodes.find(node => node.service === 'c')).toMatchObject({ calls: 7, errors: 1 })
  })
  it('gives the same picture whatever the order of the links', () => {
    const forward = graph('a>b a>c b>d c>d d>e')
    const backward = graph('d>e c>d b>d a>c a>b')
    expect(backward.nodes).toEqual(forward.nodes)
  })
  it('of nothing is empty', () => {
    expect(layoutGraph([])).toMatchObject({ nodes: [], links: [] })
  })
  it('of a chain of 2,000 services does not recurse', () => {
    const links = Array.from({ length: 2_000 }, (_, i) => ({ parent: `s${i}`, child: `s${i + 1}`, callCount: 1 }))
    expect(() => layoutGraph(links)).not.toThrow()
  })
})
