import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decodeJsonV2 } from './formats/json-v2.ts'
import { type Hop, hopsFromTrace } from './hop.ts'
import type { Span } from './span.ts'
import { generateTrace } from './testing/generate-trace.ts'
import { seededRandom } from './testing/random.ts'
import { traceFromText } from './text.ts'

const fixture = (name: string) =>
  decodeJsonV2(readFileSync(new URL(`./testing/fixtures/envoy-${name}.json`, import.meta.url)))

function outline(hops: readonly Hop[]): string[] {
  return hops.map(hop => {
    let depth = 0
    for (let above = hop.parent; above; above = above.parent) depth++
    return `${'  '.repeat(depth)}${hop.form} ${hop.caller ?? '-'}→${hop.callee ?? '-'} spans ${hop.spans.length} attempts ${hop.attempts.length}`
  })
}

const folded = (hops: readonly Hop[]) => hops.flatMap(hop => hop.spans)

describe.each(['shared', 'separate'])('spans of the real Envoy, %s ids', ids => {
  test.each([
    ['plain-both', ['entry -→web spans 1 attempts 1', '  paired web→orders spans 2 attempts 1']],
    ['spawned-both', ['entry -→web spans 2 attempts 1', '  paired web→orders spans 4 attempts 1']],
    ['plain-direct', ['entry -→web spans 1 attempts 1', '  phantom web→orders-direct spans 1 attempts 1']],
    ['spawned-direct', ['entry -→web spans 2 attempts 1', '  phantom web→orders-direct spans 2 attempts 1']],
    ['plain-callee', ['entry -→web spans 1 attempts 1', '  unproxied-caller web→orders spans 1 attempts 1']],
    ['spawned-callee', ['ambiguous -→web spans 2 attempts 0', '  unproxied-caller web→orders spans 2 attempts 1']],
    ['plain-retry', ['entry -→web spans 1 attempts 1', '  paired web→orders spans 4 attempts 3']],
    ['spawned-retry', ['entry -→web spans 2 attempts 1', '  paired web→orders spans 10 attempts 3']],
  ])('%s', (name, expected) => {
    const spans = fixture(`${ids}-${name}`)
    const hops = hopsFromTrace(spans)
    expect(outline(hops)).toEqual(expected)
    // Each span is in one hop, and only there.
    expect(new Set(folded(hops)).size).toBe(spans.length)
    expect(folded(hops)).toHaveLength(spans.length)
  })

  test.each(['plain-both', 'spawned-both'])('%s: the parts of the call are those of its two spans', name => {
    const [entry, call] = hopsFromTrace(fixture(`${ids}-${name}`))
    const { egressProxy, wire, ingressProxy, app } = call!.parts
    expect(egressProxy! + wire! + ingressProxy! + app!).toBe(call!.call!.duration)
    expect(entry!.parts.app! + entry!.parts.ingressProxy! + call!.call!.duration!).toBe(entry!.server!.duration)
    // orders answers after 10 ms, web calls after 5.
    expect(app).toBeGreaterThan(9_000)
    expect(entry!.parts.app).toBeGreaterThan(4_500)
    expect(call!.measurementErrors).toEqual([])
  })

  test.each(['plain-retry', 'spawned-retry'])('%s: attempts have their back-off and their own parts', name => {
    const call = hopsFromTrace(fixture(`${ids}-${name}`))[1]!
    expect(call.attempts.map(attempt => attempt.server!.tags!['http.status_code'])).toEqual(['503', '503', '200'])
    expect(call.attempts.map(attempt => (attempt.gapBefore ?? 0) > 0)).toEqual([false, true, true])
    for (const attempt of call.attempts) expect(attempt.parts.app).toBeGreaterThan(9_000)
    expect(call.parts.egressProxy).toBeUndefined()
    expect(call.parts.wire).toBeGreaterThan(0)
  })

  test('spawned-callee: says which two readings there are', () => {
    expect(hopsFromTrace(fixture(`${ids}-spawned-callee`))[0]!.why).toContain('web-app')
  })
})

describe('without verbose annotations', () => {
  test.each(['shared', 'separate'])('%s ids: hops are the same, parts are not known', ids => {
    const bare = fixture(`${ids}-spawned-retry`).map(({ annotations, ...span }): Span => span)
    const hops = hopsFromTrace(bare)
    expect(outline(hops)).toEqual(outline(hopsFromTrace(fixture(`${ids}-spawned-retry`))))
    expect(hops[1]!.parts).toEqual({})
  })
})

describe('hops of traces that other tracers made', () => {
  const hopsOf = (text: string) => outline(hopsFromTrace(traceFromText(text)))
  test('a call and its other half', () => {
    expect(hopsOf('a  x  0..9  client\n  b  x  1..8  server\n    b  work  2..3\n    b  y  3..7  client  ->db')).toEqual(
      ['paired a→b spans 3 attempts 1', '  phantom b→db spans 1 attempts 1'],
    )
  })
  test("an application's own spans stay in the hop of its sidecar", () => {
    const text = `
      a  in   0..90   server  @1 first_upstream_tx_byte_sent
        a  handle  5..80  server
          a  get  10..70  client
            a  out  12..69  client
              b  in  20..60  server
    `
    expect(hopsOf(text)).toEqual(['entry -→a spans 3 attempts 1', '  paired a→b spans 2 attempts 1'])
  })
  test('a proxy at the edge calls on by itself', () => {
    const text = `
      edge  in  0..90  server  component=proxy  node_id=e
        edge  out  1..89  client  component=proxy  upstream_cluster.name=shop
          shop  in  5..80  server  component=proxy  node_id=s
    `
    expect(hopsOf(text)).toEqual(['paired edge→shop spans 3 attempts 1'])
  })
  test('messaging makes no hops, and nothing is lost above an entry', () => {
    expect(hopsOf('a  x  0..9  producer  ->queue\n  b  x  5..9  consumer\n    b  y  6..8  client  ->db')).toEqual([
      'phantom b→db spans 1 attempts 1',
    ])
  })
})

test('a negative part is kept and named', () => {
  const text = `
    a  x  0..10  client  @1 first_upstream_tx_byte_sent  @9 last_upstream_rx_byte_received
      b  x  0..9  server
  `
  const hop = hopsFromTrace(traceFromText(text))[0]!
  expect(hop.parts).toEqual({ egressProxy: 2000, wire: -1000 })
  expect(hop.measurementErrors).toEqual(['wire'])
})

test('parallel calls count once in the time of the application', () => {
  const text = `
    a  x  0..100  server  @1 first_upstream_tx_byte_sent  @99 last_upstream_rx_byte_received
      a  y  10..50  client
      a  z  20..60  client
      a  w  70..80  client
  `
  expect(hopsFromTrace(traceFromText(text))[0]!.parts).toEqual({ ingressProxy: 2000, app: 98_000 - 60_000 })
})

test.each([true, false])('every span of a generated mesh is in exactly one hop (shared: %s)', shared => {
  const spans = generateTrace({ spans: 2000, shared, verbose: true }, seededRandom(1))
  const hops = hopsFromTrace(spans)
  expect(folded(hops)).toHaveLength(spans.length)
  expect(hops.filter(hop => hop.form === 'paired')).toHaveLength((spans.length - 1) / 2)
})

test('a chain of 50,000 calls', () => {
  const spans: Span[] = Array.from({ length: 100_000 }, (_, i) => ({
    traceId: '0000000000000001',
    id: (i + 1).toString(16).padStart(16, '0'),
    ...(i > 0 && { parentId: i.toString(16).padStart(16, '0') }),
    kind: i % 2 === 0 ? 'CLIENT' : 'SERVER',
    localEndpoint: { serviceName: `s${Math.ceil(i / 2)}` },
    timestamp: i + 1,
  }))
  expect(hopsFromTrace(spans)).toHaveLength(50_000)
})
