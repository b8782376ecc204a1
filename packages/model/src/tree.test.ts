import { describe, expect, test } from 'vitest'
import { correctClockSkew } from './clock-skew.ts'
import { mergeTrace } from './merge.ts'
import { peerOf } from './peer.ts'
import type { Span } from './span.ts'
import { summariseTrace } from './summary.ts'
import { traceFromText } from './text.ts'
import { breadthFirst, buildTree, depthFirst, type SpanNode } from './tree.ts'

const id = (n: number) => n.toString(16).padStart(16, '0')
const span = (n: number, parent: number | undefined, fields: Partial<Span> = {}): Span => ({
  traceId: id(1),
  id: id(n),
  ...(parent !== undefined && { parentId: id(parent) }),
  ...fields,
})
const outline = (node: SpanNode): unknown[] =>
  node.children.map(child => (child.children.length > 0 ? [label(child), outline(child)] : label(child)))
const label = ({ span }: SpanNode) => `${span!.localEndpoint?.serviceName ?? ''}${Number.parseInt(span!.id, 16)}`

describe('mergeTrace', () => {
  test('what several reports say of one span is one span, and the callers are untouched', () => {
    const first = span(1, undefined, {
      kind: 'CLIENT',
      timestamp: 5,
      tags: { a: '1', b: '1' },
      localEndpoint: { serviceName: 'web' },
    })
    const second = span(1, undefined, {
      duration: 3,
      tags: { b: '2' },
      annotations: [{ timestamp: 1, value: 'x' }],
      localEndpoint: { serviceName: 'web', ipv4: '1.2.3.4' },
    })
    const before = structuredClone([first, second])
    expect(mergeTrace([second, first])).toEqual([
      {
        ...span(1, undefined),
        kind: 'CLIENT',
        timestamp: 5,
        duration: 3,
        tags: { a: '1', b: '2' },
        annotations: [{ timestamp: 1, value: 'x' }],
        localEndpoint: { serviceName: 'web', ipv4: '1.2.3.4' },
      },
    ])
    expect([first, second]).toEqual(before)
  })
  test('a missing shared flag and parent of the server are repaired', () => {
    const merged = mergeTrace([
      span(2, undefined, { kind: 'SERVER', localEndpoint: { serviceName: 'app' } }),
      span(2, 1, { kind: 'CLIENT', localEndpoint: { serviceName: 'web' } }),
    ])
    expect(merged[1]).toMatchObject({ shared: true, parentId: id(1), kind: 'SERVER' })
  })
  test('ids come in the wide form', () => {
    const wide = { ...span(2, 1), traceId: `${'a'.repeat(16)}${id(1)}` }
    expect(new Set(mergeTrace([span(1, undefined), wide]).map(s => s.traceId))).toEqual(new Set([wide.traceId]))
  })
})

describe('buildTree', () => {
  test("a server's own calls hang below its half of the shared span", () => {
    const app = { localEndpoint: { serviceName: 'app' } }
    const root = buildTree([
      span(3, 2, { kind: 'CLIENT', ...app }),
      span(2, 1, { kind: 'SERVER', shared: true, ...app }),
      span(2, 1, { kind: 'CLIENT', localEndpoint: { serviceName: 'web' } }),
      span(1, undefined, { localEndpoint: { serviceName: 'web' } }),
    ])
    expect(outline(root)).toEqual([['web2', [['app2', ['app3']]]]])
  })
  test('children by time, untimestamped first; orphans and second roots below the root', () => {
    const root = buildTree([
      span(1, undefined),
      span(2, 1, { timestamp: 9 }),
      span(3, 1, { timestamp: 4 }),
      span(4, 1),
      span(5, 77),
      span(6, undefined),
    ])
    expect(outline(root)).toEqual(['4', '5', '6', '3', '2'])
  })
  test('headless: a root without a span', () => {
    const root = buildTree([span(2, 1), span(3, 2)])
    expect(root.span).toBeUndefined()
    expect(outline(root)).toEqual([['2', ['3']]])
  })
  test('a cycle is not in the tree, and told', () => {
    const root = buildTree([span(1, undefined), span(2, 3), span(3, 2)])
    expect(outline(root)).toEqual([])
    expect(root.detached?.map(s => s.id)).toEqual([id(2), id(3)])
    expect(buildTree([]).children).toEqual([])
  })
  test('100,000 deep and 100,000 wide', () => {
    const deep = buildTree(Array.from({ length: 100_000 }, (_, i) => span(i + 1, i || undefined)))
    expect([...depthFirst(deep)]).toHaveLength(100_000)
    const wide = buildTree(Array.from({ length: 100_000 }, (_, i) => span(i + 1, i ? 1 : undefined)))
    expect([...breadthFirst(wide)]).toHaveLength(100_000)
  })
})

describe('correctClockSkew', () => {
  const web = { localEndpoint: { serviceName: 'web', ipv4: '10.0.0.1' } }
  const app = { localEndpoint: { serviceName: 'app', ipv4: '10.0.0.2' } }
  const client = span(1, undefined, { kind: 'CLIENT', timestamp: 1000, duration: 100, ...web })
  const corrected = (server: Partial<Span>, caller = client) => {
    const { root, moved } = correctClockSkew(
      buildTree([
        caller,
        span(2, 1, { kind: 'SERVER', timestamp: 500, duration: 80, ...app, ...server }),
        span(3, 2, { timestamp: 600, duration: 5, ...app, annotations: [{ timestamp: 601, value: 'x' }] }),
      ]),
    )
    return [...depthFirst(root)].slice(1).map(({ span }) => [span.timestamp, moved.get(span) ?? 0])
  }
  test('a server that seems early is moved into the middle of its client, with all below', () => {
    expect(corrected({})).toEqual([
      [1010, 510],
      [1110, 510],
    ])
  })
  test.each<[string, Partial<Span>, number]>([
    ['late', { timestamp: 1500 }, 0],
    ['longer than its client', { duration: 200 }, 501],
    ['on the same host', web, 0],
    ['without an ip', { localEndpoint: { serviceName: 'app' } }, 0],
  ])('a server that is %s', (_, server, delta) => {
    expect(corrected(server)[0]![1]).toBe(delta)
  })
  test('a server of an unfinished client is moved behind its start', () => {
    const { duration, ...unfinished } = client
    expect(corrected({}, unfinished)[0]).toEqual([1001, 501])
  })
  test('moves nothing in a headless trace, and nothing deep breaks it', () => {
    const root = buildTree([span(2, 1, { kind: 'SERVER', timestamp: 1 })])
    expect(correctClockSkew(root)).toEqual({ root, moved: new Map() })
    const deep = buildTree(Array.from({ length: 50_000 }, (_, i) => span(i + 1, i || undefined)))
    expect(correctClockSkew(deep).moved.size).toBe(0)
  })
})

test('summariseTrace', () => {
  const spans = traceFromText('web  GET /  0..10  server\n  web  -  2..9  client  ->db\n    app  x  3..12  error=')
  expect(summariseTrace(spans)).toMatchObject({
    rootService: 'web',
    rootName: 'get /',
    duration: 12_000,
    spanCount: 3,
    error: 'critical',
    services: [
      { name: 'web', spanCount: 2, longestDuration: 10_000 },
      { name: 'app', spanCount: 1, longestDuration: 9_000 },
      { name: 'db', spanCount: 1, longestDuration: 7_000 },
    ],
  })
  expect(summariseTrace([span(2, 1, { annotations: [{ timestamp: 1, value: 'error' }] })])).toEqual({
    traceId: id(1),
    spanCount: 1,
    services: [],
    error: 'transient',
  })
})

test.each([
  [{ remoteEndpoint: { serviceName: 'db' }, tags: { 'upstream_cluster.name': 'x' } }, 'db'],
  [{ remoteEndpoint: { ipv4: '1.2.3.4' }, tags: { 'upstream_cluster.name': 'orders' } }, 'orders'],
  [{ tags: { 'http.url': 'http://Shop:8080/a?b=http://c' } }, 'shop'],
  [{ tags: { 'http.url': 'https://user:pw@shop/a' } }, 'shop'],
  [{ tags: { 'http.url': 'http://[::1]:80/' } }, '[::1]'],
  [{ tags: { 'http.url': '/relative' } }, undefined],
  [{}, undefined],
])('peerOf %j', (fields, expected) => {
  expect(peerOf(span(1, undefined, fields as Partial<Span>))).toBe(expected)
})
