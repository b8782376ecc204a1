import { describe, expect, it } from 'vitest'
import { ANY, formatLookback, formatUrl, parseUrl, type Route } from './url.ts'

const parse = (url: string): Route => {
  const [path = '', search = ''] = url.split('?')
  return parseUrl(path, search)
}

describe('a route and its address', () => {
  const routes: Route[] = [
    { page: 'search', query: ANY, sort: 'newest' },
    {
      page: 'search',
      query: {
        serviceName: 'a&b=c #ü',
        spanName: 'get /a?x=1',
        remoteServiceName: 'db',
        annotationQuery: 'error and http.status_code=503',
        minDuration: '10ms',
        maxDuration: '1.5s',
        time: { kind: 'between', startTs: 1_700_000_000_000, endTs: 1_700_000_900_000 },
        limit: 50,
      },
      sort: 'longest',
    },
    {
      page: 'search',
      query: { ...ANY, time: { kind: 'last', lookback: 3_600_000, endTs: 1_700_000_000_000 } },
      sort: 'spans',
    },
    { page: 'search', query: { ...ANY, time: { kind: 'last', lookback: 1_234 } }, sort: 'newest' },
    { page: 'trace', traceId: '463ac35c9f6413ad', view: 'hops', clock: 'adjusted', find: '' },
    {
      page: 'trace',
      traceId: '463ac35c9f6413ad48485a3953bb6124',
      view: 'spans',
      clock: 'raw',
      selected: '72485a3953bb6124',
      find: '50% of=x',
      range: [100.5, 2_000],
    },
    { page: 'trace', traceId: '<b>%', view: 'hops', clock: 'adjusted', find: '' },
    { page: 'dependencies', time: { kind: 'last', lookback: 86_400_000 }, view: 'graph' },
    { page: 'dependencies', time: { kind: 'last', lookback: 900_000 }, view: 'table', selected: 'a → b' },
    { page: 'open' },
  ]
  it.each(routes.map(route => [formatUrl(route), route] as const))('%j is read back', (url, route) => {
    expect(parse(url)).toEqual(route)
  })
})

describe("Zipkin's own links", () => {
  const queryOf = (url: string) => {
    const route = parse(url)
    if (route.page !== 'search') throw new Error(route.page)
    return route.query
  }

  it('reads what Lens writes', () => {
    expect(
      queryOf(
        '?serviceName=frontend&spanName=get&annotationQuery=error&minDuration=10ms&lookback=15m&endTs=1700000000000&limit=10',
      ),
    ).toEqual({
      ...ANY,
      serviceName: 'frontend',
      spanName: 'get',
      annotationQuery: 'error',
      minDuration: '10ms',
      time: { kind: 'last', lookback: 900_000, endTs: 1_700_000_000_000 },
      limit: 10,
    })
  })
  it('reads every way to say a time', () => {
    expect(queryOf('?lookback=millis&millis=5000&endTs=9000').time).toEqual({
      kind: 'last',
      lookback: 5_000,
      endTs: 9_000,
    })
    expect(queryOf('?lookback=3600000').time).toEqual({ kind: 'last', lookback: 3_600_000 })
    for (const word of ['custom', 'range']) {
      expect(queryOf(`?lookback=${word}&startTs=1000&endTs=9000`).time).toEqual({
        kind: 'between',
        startTs: 1_000,
        endTs: 9_000,
      })
    }
  })
  it('reads `all` as any', () => {
    expect(queryOf('?serviceName=all&spanName=ALL')).toEqual(ANY)
  })
  it('falls back on nonsense rather than failing', () => {
    expect(queryOf('?limit=-1&lookback=soon&endTs=x&startTs=5')).toEqual(ANY)
    expect(queryOf('?lookback=custom&startTs=9000&endTs=1000').time).toEqual({
      kind: 'last',
      lookback: 900_000,
      endTs: 1_000,
    })
  })
  it('opens a trace, the graph, the file page', () => {
    expect(parse('traces/463ac35c9f6413ad').page).toBe('trace')
    expect(parse('dependency?startTs=1&endTs=2').page).toBe('dependencies')
    expect(parse('traceViewer').page).toBe('open')
    expect(parse('traces/%E0%A4%A')).toMatchObject({ page: 'trace', traceId: '%E0%A4%A' })
  })
  it('knows what it does not know', () => {
    expect(parse('nowhere/else')).toEqual({ page: 'unknown', path: '/nowhere/else' })
    expect(parse('traces/a/b').page).toBe('unknown')
  })
})

it('formatLookback takes the largest unit that divides', () => {
  expect([90_000, 900_000, 7_200_000, 172_800_000, 1_234].map(formatLookback)).toEqual([
    '90s',
    '15m',
    '2h',
    '2d',
    '1234',
  ])
})
