import { describe, expect, it } from 'vitest'
import { COMPARE } from './compare/compare-url.ts'
import { LIVE } from './live/live-url.ts'
import { MESH } from './mesh/mesh-url.ts'
import { DEFAULT_TIME, formatLookback } from './shared/time-range.ts'
import { traceRoute } from './trace/trace-url.ts'
import { formatUrl, parseUrl, type Route } from './url.ts'

const parse = (url: string): Route => {
  const [path = '', search = ''] = url.split('?')
  return parseUrl(path, search)
}
const ANY = { page: 'search', q: '', time: DEFAULT_TIME, sort: 'newest' } as const

describe('a route and its address', () => {
  const routes: Route[] = [
    LIVE,
    { page: 'live', only: ['error', 'timeout'] },
    ANY,
    {
      page: 'search',
      q: 'service="a&b=c #ü" hop=shop->price attempt>1 wat',
      time: { kind: 'between', startTs: 1_700_000_000_000, endTs: 1_700_000_900_000 },
      sort: 'longest',
    },
    { ...ANY, time: { kind: 'last', lookback: 3_600_000, endTs: 1_700_000_000_000 }, sort: 'spans' },
    { ...ANY, time: { kind: 'last', lookback: 1_234 } },
    traceRoute('463ac35c9f6413ad'),
    {
      ...traceRoute('463ac35c9f6413ad48485a3953bb6124', '72485a3953bb6124'),
      view: 'spans',
      clock: 'raw',
      find: '50% of=x',
      onlyFound: true,
      range: [100.5, 2_000],
    },
    traceRoute('<b>%'),
    COMPARE,
    { ...COMPARE, a: '463ac35c9f6413ad', b: 'service=shop attempt>1', changed: true },
    { ...MESH, time: { kind: 'last', lookback: 86_400_000 } },
    { ...MESH, view: 'table', metric: 'p95', selected: 'a->b', around: { service: 'a*b', hops: 2 } },
    { page: 'open' },
  ]
  it.each(routes.map(route => [formatUrl(route), route] as const))('%j is read back', (url, route) => {
    expect(parse(url)).toEqual(route)
  })
})

describe("Zipkin's own links", () => {
  const search = (url: string) => {
    const route = parse(url)
    if (route.page !== 'search') throw new Error(route.page)
    return route
  }

  it('reads what Lens writes', () => {
    expect(
      search(
        '?serviceName=frontend&spanName=get+/x&remoteServiceName=db&annotationQuery=error+and+a%3Db+c&minDuration=10ms&maxDuration=2s&lookback=15m&endTs=1700000000000&limit=10',
      ),
    ).toEqual({
      page: 'search',
      q: 'service=frontend span="get /x" peer=db error tag="a=b c" duration>=10ms duration<=2s',
      time: { kind: 'last', lookback: 900_000, endTs: 1_700_000_000_000 },
      sort: 'newest',
    })
  })
  it('reads durations without a unit as microseconds', () => {
    expect(search('?minDuration=1500').q).toBe('duration>=1500us')
  })
  it('reads every way to say a time', () => {
    expect(search('?lookback=millis&millis=5000&endTs=9000').time).toEqual({
      kind: 'last',
      lookback: 5_000,
      endTs: 9_000,
    })
    expect(search('?lookback=3600000').time).toEqual({ kind: 'last', lookback: 3_600_000 })
    for (const word of ['custom', 'range']) {
      expect(search(`?lookback=${word}&startTs=1000&endTs=9000`).time).toEqual({
        kind: 'between',
        startTs: 1_000,
        endTs: 9_000,
      })
    }
  })
  it('reads `all` as any', () => {
    expect(search('?serviceName=all&spanName=ALL')).toEqual(ANY)
  })
  it('falls back on nonsense rather than failing', () => {
    expect(search('?limit=-1&lookback=soon&endTs=x&startTs=5&minDuration=x')).toEqual(ANY)
    expect(search('?lookback=custom&startTs=9000&endTs=1000').time).toEqual({
      kind: 'last',
      lookback: 900_000,
      endTs: 1_000,
    })
  })
  it('opens a trace, the graph, the file page', () => {
    expect(parse('traces/463ac35c9f6413ad').page).toBe('trace')
    expect(parse('dependency?startTs=1&endTs=2')).toEqual({ ...MESH, time: { kind: 'between', startTs: 1, endTs: 2 } })
    expect(parse('traceViewer').page).toBe('open')
    expect(parse('traces/%E0%A4%A')).toMatchObject({ page: 'trace', traceId: '%E0%A4%A' })
  })
  it('knows what it does not know', () => {
    expect(parse('nowhere/else')).toEqual({ page: 'unknown', path: '/nowhere/else' })
    expect(parse('traces/a/b').page).toBe('unknown')
    expect(parse('?only=wat')).toEqual(LIVE)
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
