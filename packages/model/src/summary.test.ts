import { describe, expect, it } from 'vitest'
import { requestOf, summariseTrace } from './summary.ts'
import { traceFromText } from './text.ts'

describe('the summary of a trace', () => {
  it('says what was asked, and whether the one who asked noticed the error', () => {
    const text = (root: string) =>
      traceFromText(`
        edge  127.0.0.1:80  0..100  server  http.method=GET  http.url=http://edge/cart?id=1${root}
          shop  price  10..60  client  error=true
      `)
    expect(summariseTrace(text(''))).toMatchObject({
      rootService: 'edge',
      rootName: '127.0.0.1:80',
      rootRequest: 'GET /cart?id=1',
      error: 'critical',
      duration: 100_000,
    })
    expect(summariseTrace(text(''))).not.toHaveProperty('rootFailed')
    expect(summariseTrace(text('  error=true')).rootFailed).toBe(true)
  })
  it.each([
    [{ 'http.method': 'GET', 'http.url': 'http://a:80' }, 'GET /'],
    [{ 'http.url': 'https://a/b?c#d' }, '/b?c#d'],
    [{ 'http.method': 'PUT', 'http.path': '/x' }, 'PUT /x'],
    [{ 'http.url': '/only/path' }, '/only/path'],
    [{ 'http.method': 'GET' }, undefined],
    [undefined, undefined],
  ])('%j asks for %s', (tags, request) =>
    expect(requestOf({ traceId: '1', id: '1', ...(tags ? { tags } : {}) })).toBe(request),
  )
})
