import { expect, test } from 'vitest'
import { findContinuations } from './continuations.ts'
import type { Span } from './span.ts'
import { traceFromText } from './text.ts'

let traces = 0
function trace(text: string, ip: Record<string, string> = {}): Span[] {
  const traceId = (++traces).toString(16).padStart(16, '0')
  return traceFromText(text).map(span => {
    const address = ip[span.localEndpoint?.serviceName ?? '']
    return { ...span, traceId, localEndpoint: { ...span.localEndpoint, ...(address ? { ipv4: address } : {}) } }
  })
}

const REQUEST = `
  edge  /  0..100  client  ->shop
    shop  /  2..98  server  guid:x-request-id=r1
`
const LOST = `
  shop  /stock  20..60  client  ->stock  guid:x-request-id=r2
    stock  /stock  22..58  server
`

test('a call that was under way alone belongs to the one request there', () => {
  const request = trace(REQUEST)
  const lost = trace(LOST)
  expect(findContinuations(request, [lost])).toMatchObject([
    {
      call: { name: '/stock' },
      callee: 'stock',
      arrival: { kind: 'SERVER', name: '/' },
      service: 'shop',
      confidence: 0.95,
      because: [
        'the same service, shop',
        'while shop had the request',
        'no other request was under way there',
        'x-request-id was not passed on',
      ],
    },
  ])
})

test('other requests there at that moment make it less likely, one that has its call counts less', () => {
  const rival = trace('edge  /  10..90  client  ->shop\n  shop  /  12..88  server')
  const served = trace(
    'edge  /  10..90  client  ->shop\n  shop  /  12..88  server\n    shop  /  30..40  client  ->stock',
  )
  const confidence = (...others: Span[][]) => findContinuations(trace(REQUEST), [trace(LOST), ...others])[0]!.confidence
  expect(confidence(rival)).toBeCloseTo(0.475)
  expect(confidence(served)).toBeCloseTo(0.95 / 1.3)
  expect(confidence(rival, rival, rival, rival, rival, rival)).toBeGreaterThan(0.1)
})

test('the same request id decides', () => {
  const request = trace(REQUEST)
  const rival = trace('edge  /  10..90  client  ->shop\n  shop  /  12..88  server')
  const same = trace(LOST.replace('r2', 'r1'))
  const [found] = findContinuations(request, [rival, same])
  expect(found!.confidence).toBeCloseTo(0.99)
  expect(found!.because).toContain('the same x-request-id')
  expect(findContinuations(rival, [request, same])).toEqual([])
})

test('what has a parent, another time or another host does not belong', () => {
  const request = trace(REQUEST, { shop: '10.0.0.1' })
  expect(findContinuations(request, [trace(LOST, { shop: '10.0.0.2' })])).toEqual([])
  expect(findContinuations(request, [trace(LOST, { shop: '10.0.0.1' })])).toHaveLength(1)
  expect(findContinuations(request, [trace(LOST.replace('20..60', '120..160'))])).toEqual([])
  expect(findContinuations(request, [trace(`edge  /  0..99  server\n  ${LOST.trim().replace('\n', '\n  ')}`)])).toEqual(
    [],
  )
})

test('a call that ends after its request is doubtful', () => {
  expect(findContinuations(trace(REQUEST), [trace(LOST.replace('20..60', '20..160'))])[0]!.confidence).toBeCloseTo(
    0.475,
  )
})
