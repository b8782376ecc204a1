import { expect, it } from 'vitest'
import { forwardHeaders, remainingDeadline } from './forward-headers.ts'

const incoming = {
  host: 'shop',
  accept: '*/*',
  'x-request-id': 'r',
  'x-b3-traceid': 't',
  'x-b3-spanid': 's',
  'x-b3-sampled': '1',
  traceparent: 'w',
}

it('copies the request id and every trace header, and nothing else', () => {
  expect(forwardHeaders(incoming, 'all')).toEqual({
    'x-request-id': 'r',
    'x-b3-traceid': 't',
    'x-b3-spanid': 's',
    'x-b3-sampled': '1',
    traceparent: 'w',
  })
})

it('copies the request id alone, which keeps logs together and breaks the trace', () => {
  expect(forwardHeaders(incoming, 'request-id')).toEqual({ 'x-request-id': 'r' })
})

it('copies nothing', () => expect(forwardHeaders(incoming, 'none')).toEqual({}))

it.each([
  ['300', 20.2, { 'x-envoy-expected-rq-timeout-ms': '279' }],
  ['300', 400, { 'x-envoy-expected-rq-timeout-ms': '1' }],
  ['soon', 0, {}],
  [undefined, 0, {}],
])('a deadline of %s after %s ms', (value, elapsed, expected) => {
  expect(remainingDeadline({ 'x-envoy-expected-rq-timeout-ms': value }, elapsed)).toEqual(expected)
})
