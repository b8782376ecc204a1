import { readdirSync, readFileSync } from 'node:fs'
import { type Span, traceFromText } from '@hopscope/model'
import { generateTrace, seededRandom } from '@hopscope/model/testing'
import { describe, expect, it } from 'vitest'
import { anatomyOf } from './hop-anatomy.ts'
import { readTrace } from './read-trace.ts'
import { findReasons } from './why-slow.ts'

const why = (text: string) => findReasons(readTrace(traceFromText(text))).map(({ lead, text }) => `${lead} ${text}`)

describe('why it is slow', () => {
  it('names who was at work, and who is silent', () => {
    expect(
      why(`
      a  x  0..100  client
        b  x  0..100  server
          b  y  10..90  client  ->c
            c  y  10..90  server
          b  z  91..100  client  ->d
      `),
    ).toEqual(['80ms of 100ms is c itself at work.', '11ms of 100ms is b itself at work.'])
    expect(
      why(`
      a  x  0..100  client
        b  x  0..100  server
          b  y  10..95  client  ->c
      `),
    ).toEqual(['85ms of 100ms is inside c, which sent no span.', '15ms of 100ms is b itself at work.'])
  })
  it('counts attempts that were thrown away', () => {
    expect(
      why(`
      a  x  0..200  client
        b  x  0..50  server  error=503  http.status_code=503
        b  x  75..125  server  error=503  http.status_code=503
        b  x  150..200  server  http.status_code=200
      `),
    ).toEqual([
      '150ms of 200ms went into 2 attempts of a → b that failed (2 × 503), 50ms of it back-off.',
      '150ms of 200ms is b itself at work, in 3 calls.',
    ])
  })
  it('sees a loop', () => {
    expect(
      why(`
      a  x  0..100  client
        b  x  0..100  server
          b  y  0..30  client  ->c
            c  y  0..30  server
          b  y  30..60  client  ->c
            c  y  30..60  server
          b  y  60..95  client  ->c
            c  y  60..95  server
      `),
    ).toContain('95ms of 100ms are 3 calls b → c one after another; the longest takes 35ms.')
  })
  it('says who gave up, and on whom', () => {
    expect(
      why(`
      a  x  0..50  client  response_flags=UT  http.status_code=504
        b  x  0..90  server
      `),
    ).toContain('50ms is all that a waits for b; b works on for 40ms, for nobody.')
  })
  it('is silent about a trace that is in pieces', () => {
    expect(why('a  x  0..10\nb  y  50..100')).toEqual([])
  })
})

describe('the parts of a call', () => {
  const fixtures = new URL('../../../../packages/model/src/testing/fixtures/', import.meta.url)
  const envoy = readdirSync(fixtures).filter(file => file.startsWith('envoy-') && file.endsWith('.json'))
  it.each(envoy)('sum to it, of spans of the real Envoy: %s', file => {
    sumsUp(JSON.parse(readFileSync(new URL(file, fixtures), 'utf8')) as Span[])
  })
  it.each([true, false])('sum to it in a mesh (shared: %s)', shared => {
    sumsUp(generateTrace({ spans: 2_000, shared, verbose: true }, seededRandom(8)))
  })
  it('keep what came out negative', () => {
    const trace = readTrace(
      traceFromText(`
      a  x  0..100  client  @10 first_upstream_tx_byte_sent  @20 last_upstream_rx_byte_received
        b  x  5..95  server
      `),
    )
    const parts = anatomyOf(trace, 0)!.parts.map(({ name, duration }) => [name, duration / 1_000])
    expect(parts).toContainEqual(['wire', -80])
  })
  it('list attempts, what they cost, and the budget', () => {
    const trace = readTrace(
      traceFromText(`
      a  x  0..100  client  expected_rq_timeout_ms=150
        b  x  5..30  server  http.status_code=503
        b  x  55..95  server  http.status_code=200
      `),
    )
    expect(anatomyOf(trace, 0)).toMatchObject({
      attempts: [
        { status: '503', duration: 25_000 },
        { status: '200', duration: 40_000, gapBefore: 25_000 },
      ],
      wasted: 50_000,
      budget: 150_000,
      late: 0,
    })
  })

  function sumsUp(spans: Span[]): void {
    const trace = readTrace(spans)
    const { table, hops } = trace
    let counted = 0
    for (let hop = 0; hop < hops.count; hop++) {
      const anatomy = anatomyOf(trace, hop)
      const call = hops.call[hop]! >= 0 ? hops.call[hop]! : hops.server[hop]!
      if (!anatomy) continue
      const sum = anatomy.parts.reduce((all, { duration }) => all + duration, 0)
      expect(Math.abs(sum - table.duration[call]!), `hop ${hop}: ${JSON.stringify(anatomy)}`).toBeLessThanOrEqual(1)
      counted++
    }
    expect(counted).toBeGreaterThan(0)
  }
})
