import { listTrace, traceFromText } from '@hopscope/model'
import { describe, expect, it } from 'vitest'
import type { TraceItem } from '../api/trace-item.ts'
import { formatUrl } from '../url.ts'
import { TOUR } from './tour-steps.ts'

const PLAIN = traceFromText(`
edge  GET /  0..100  client  ->shop
  shop  GET /  1..99  server
    shop  db  10..40  client  ->db
    shop  db  50..80  client  ->db
`)
const RETRIED = traceFromText(`
edge  GET /  0..60  client  ->shop
  shop  GET /  1..59  server
    shop  price  10..50  client  ->price  retry.count=1  error=true
`)
const items = (...traces: (typeof PLAIN)[]): TraceItem[] =>
  traces.map((spans, i) => ({ ...listTrace(spans), traceId: `${i}` }))
const load = (traces: (typeof PLAIN)[]) => async (traceId: string) => traces[Number(traceId)]!

describe('the tour', () => {
  it('waits for what a step shows', () => {
    expect(TOUR.map(step => step.missing([]) !== undefined)).toEqual([true, true, true, true, true])
    expect(TOUR.map(step => step.missing(items(PLAIN)) !== undefined)).toEqual([false, false, true, true, true])
    const all = items(...Array.from({ length: 5 }, () => [PLAIN, RETRIED]).flat())
    expect(TOUR.map(step => step.missing(all))).toEqual([undefined, undefined, undefined, undefined, undefined])
  })
  it('leads to the slow part, the service, the error, the retry and its cost, with real numbers', async () => {
    const traces = [RETRIED, PLAIN]
    const stops = await Promise.all(TOUR.map(step => step.open(items(...traces), load(traces))))
    expect(stops.map(({ route }) => formatUrl(route))).toEqual([
      expect.stringMatching(/^traces\/1\?span=/),
      'mesh?select=db',
      'search?q=error+attempt%3E1',
      expect.stringMatching(/^traces\/0\?span=/),
      'compare?a=-attempt%3E1&b=attempt%3E1',
    ])
    expect(stops[0]!.text).toContain('100ms')
    expect(stops[0]!.text).toContain('shop→db: 2 calls, the longest 30ms')
    expect(stops[2]!.text).toContain('Of the last 1, 1 ended well')
    expect(stops[3]!.text).toContain('shop→price took 2 attempts and 40ms')
  })
})
