import { describe, expect, it } from 'vitest'
import { hopsFromTrace } from './hop.ts'
import { countHops, matchesHop, matchesTypedQuery } from './hop-facts.ts'
import { traceFromText } from './text.ts'
import { parseTypedQuery } from './typed-query.ts'

const SPANS = traceFromText(`
edge  GET /  0..100  server
  edge  GET /  1..99  client  ->shop
    shop  GET /  2..98  server
      shop  price  10..60  server  component=proxy  node_id=s
        shop  price  10..20  client  ->price  component=proxy  error=true  response_flags=UT
        shop  price  30..60  client  ->price  component=proxy
          price  price  31..58  server
      shop  pay  70..90  client  ->pay
`)
const RETRIED = hopsFromTrace(SPANS)
const matches = (text: string) => matchesHop(parseTypedQuery(text).query.hop!, RETRIED)

describe('facts of calls', () => {
  it('counts retries, timeouts and silent callees', () => {
    expect(countHops(RETRIED)).toEqual({ hops: 4, retries: 1, timeouts: 1, untraced: 1 })
  })
  it('believes a proxy that makes one span for all attempts', () => {
    const hops = hopsFromTrace(traceFromText('shop  price  0..9  client  ->price  retry.count=2  http.status_code=504'))
    expect(countHops(hops)).toEqual({ hops: 1, retries: 2, timeouts: 1, untraced: 1 })
  })
  it.each([
    ['hop=shop->price', true],
    ['hop=shop->price attempt>1', true],
    ['hop=shop->price attempt>2', false],
    ['hop=shop->pay untraced', true],
    ['hop=shop->price untraced', false],
    // one and the same call
    ['untraced timeout', false],
    ['hop=*->price timeout', true],
    ['hop=edge->*', true],
    ['hop=price->*', false],
    ['attempt=1', true],
  ])('%s: %s', (text, expected) => expect(matches(text)).toBe(expected))
  it.each([
    ['', true],
    ['service=shop', true],
    ['service=nobody', false],
    ['-service=nobody', true],
    ['error attempt>1', true],
    ['-error', false],
    ['-attempt>1', false],
    ['-attempt>2 -hop=price->*', true],
    ['hop=shop->pay -timeout', false],
    ['duration>=50ms -duration>=200ms', true],
  ])('the whole query %s: %s', (text, expected) =>
    expect(matchesTypedQuery(parseTypedQuery(text).query, SPANS)).toBe(expected),
  )
})
