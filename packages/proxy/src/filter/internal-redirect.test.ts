import type { InternalRedirectPolicy } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import type { Exchange } from '../http/exchange.ts'
import { RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import { createHttpStats } from '../http/http-stats.ts'
import { Stats } from '../stats/stats.ts'
import { redirectRequest } from './internal-redirect.ts'

function redirect(location: string, policy: Partial<InternalRedirectPolicy> = {}, target = 'next') {
  const headers = new RequestHeaders(['x-old', '1', 'x-gone', '1'])
  Object.assign(headers, { method: 'POST', path: '/from?q', authority: 'a.test' })
  const answer = new ResponseHeaders(['location', location, 'x-old', '2', 'x-old', '3'])
  answer.status = 303
  const exchange = {
    headers,
    route: { route: { name: 'here' } },
    reroute() {
      exchange.route = target === '' ? undefined : ({ route: { name: target } } as Exchange['route'])
    },
  } as unknown as Exchange
  const followed = redirectRequest(
    exchange,
    answer,
    {
      maxInternalRedirects: 1,
      responseCodes: [303],
      predicates: [],
      allowCrossScheme: false,
      responseHeadersToCopy: [],
      ...policy,
    },
    createHttpStats(new Stats(), 'in', 'x'),
  )
  return { followed, headers }
}

test('the request becomes the one that the answer asks for', () => {
  const { followed, headers } = redirect('http://b.test:81/to?x=1#part', { responseHeadersToCopy: ['x-old', 'x-gone'] })
  expect(followed).toBe(true)
  expect([headers.method, headers.authority, headers.path]).toEqual(['GET', 'b.test:81', '/to?x=1'])
  expect([...headers]).toEqual([
    ['x-old', '2'],
    ['x-old', '3'],
    ['x-envoy-original-url', 'http://a.test/from?q'],
  ])
})

test.each(['', '/to', 'http://', 'http://b:x/', 'http://b.test#part', 'http://b c/', 'https://b.test/'])(
  'the request stays as it is when the location is %j',
  location => {
    const { followed, headers } = redirect(location)
    expect(followed).toBe(false)
    expect([headers.method, headers.authority, headers.path]).toEqual(['POST', 'a.test', '/from?q'])
  },
)

test('a place without a route, or one that a predicate refuses, leaves the request as it was', () => {
  const listed = { predicates: [{ type: 'allow_listed_routes', names: ['other'] } as const] }
  for (const { followed, headers } of [
    redirect('http://b.test/', { responseHeadersToCopy: ['x-old'] }, ''),
    redirect('http://b.test/', { ...listed, responseHeadersToCopy: ['x-gone'] }),
  ]) {
    expect(followed).toBe(false)
    expect([...headers]).toEqual([
      ['x-old', '1'],
      ['x-gone', '1'],
    ])
    expect(headers.path).toBe('/from?q')
  }
})
