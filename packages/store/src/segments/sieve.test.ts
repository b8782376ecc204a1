import { decodeJsonV2, type Span } from '@hopscope/model'
import { generateTrace, pick, randomInteger, seededRandom } from '@hopscope/model/testing'
import { expect, it } from 'vitest'
import { Head } from './head.ts'
import { Sieve } from './sieve.ts'

const isSampled = (_high: number, low: number): boolean => low % 3 === 0
const isKept = ({ traceId, debug }: Span): boolean => debug === true || Number.parseInt(traceId.slice(-8), 16) % 3 === 0

it('keeps the sampled spans of a body, and debug spans, as the decoder of the model gives them', () => {
  const random = seededRandom(21)
  const head = new Head()
  const sieve = new Sieve(head)
  let leftOut = 0
  for (let i = 0; i < 400; i++) {
    const spans = Array.from({ length: 1 + randomInteger(random, 3) }, () =>
      generateTrace(
        {
          spans: 1 + randomInteger(random, 40),
          shared: random() < 0.5,
          verbose: true,
          traceIdLength: pick(random, [16, 32]),
        },
        random,
      ),
    ).flat()
    for (const span of spans) if (random() < 0.05) span.debug = true
    const body = Buffer.from(JSON.stringify(spans))
    const before = head.mark()
    // A body that is refused, and a head that takes back what it had.
    if (i % 7 === 0) expect(sieve.scan('json', body.subarray(0, body.length - 2), 9_999, isSampled)).toBeUndefined()
    if (i % 11 === 0) {
      sieve.scan('json', body, 9_999, isSampled)
      head.rollback(before)
    }
    expect(head.mark()).toEqual(before)
    const expected = decodeJsonV2(body).filter(isKept)
    expect(sieve.scan('json', body, 9_999, isSampled)).toEqual({
      kept: expected.length,
      leftOut: spans.length - expected.length,
    })
    const stored = Array.from(expected, (_, n) => head.span(before.rows + n))
    expect(JSON.parse(JSON.stringify(stored))).toEqual(JSON.parse(JSON.stringify(expected)))
    leftOut += spans.length - expected.length
  }
  expect(head.rows.length).toBeGreaterThan(1000)
  expect(leftOut).toBeGreaterThan(1000)
})

it('leaves no text of what it leaves out', () => {
  const head = new Head()
  const sieve = new Sieve(head)
  const span = (low: string, text: string): string =>
    `{"traceId":"00000000${low}","id":"00000000000000a1","name":"${text}","tags":{"k":"${text}"}}`
  const body = Buffer.from(`[${span('00000001', 'out')},${span('00000003', 'in')}]`)
  expect(sieve.scan('json', body, 9, isSampled)).toEqual({ kept: 1, leftOut: 1 })
  expect(head.dictionary.bytes.subarray(0, head.dictionary.byteLength).toString()).toBe('inkin')
  expect(sieve.scan('json', body, 1, isSampled)).toBeUndefined()
})
