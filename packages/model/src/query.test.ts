import { describe, expect, test } from 'vitest'
import { compareForSearch, matches, parseAnnotationQuery, parseQuery, type QueryRequest } from './query.ts'
import type { Span } from './span.ts'

const DEFAULTS = { endTs: 1_000_000, lookback: 86_400_000, limit: 10 }
const parse = (text: string) => parseQuery(new URLSearchParams(text), DEFAULTS)

describe('parseQuery', () => {
  test('without parameters: the defaults', () => {
    expect(parse('')).toEqual(DEFAULTS)
  })
  test('names in lower case; all and empty are no condition', () => {
    expect(parse('serviceName=WEB&remoteServiceName=DB&spanName=Get')).toEqual({
      ...DEFAULTS,
      serviceName: 'web',
      remoteServiceName: 'db',
      spanName: 'get',
    })
    expect(parse('serviceName=&spanName=ALL&annotationQuery=&minDuration=&endTs=&lookback=')).toEqual(DEFAULTS)
    expect(parse('serviceName=all').serviceName).toBe('all')
  })
  test('of a repeated parameter the first counts; plus signs are numbers', () => {
    expect(parse('limit=5&limit=6&minDuration=%2B7').limit).toBe(5)
    expect(parse('limit=5&minDuration=%2B7').minDuration).toBe(7)
  })
  test.each([
    ['limit=', 'Cannot set null to primitive type parameter: limit'],
    ['limit=x', 'For input string: "x"'],
    ['limit=1.5', 'For input string: "1.5"'],
    ['limit=1e3', 'For input string: "1e3"'],
    ['limit=2147483648', 'For input string: "2147483648"'],
    ['endTs=9223372036854775808', 'For input string: "9223372036854775808"'],
    ['lookback=%201', 'For input string: " 1"'],
    ['endTs=0&limit=0&lookback=0', 'endTs <= 0'],
    ['limit=0&lookback=0', 'limit <= 0'],
    ['lookback=-1&minDuration=0', 'lookback <= 0'],
    ['minDuration=0', 'minDuration <= 0'],
    ['minDuration=5&maxDuration=4', 'maxDuration < minDuration'],
    ['minDuration=5&maxDuration=-1', 'maxDuration < minDuration'],
    ['maxDuration=4', 'maxDuration is only valid with minDuration'],
  ])('%s → %s', (text, message) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ name: 'QueryError', status: 400, message }))
  })
})

test.each([
  ['error', [['error', '']]],
  [
    'error and http.method=GET',
    [
      ['error', ''],
      ['http.method', 'GET'],
    ],
  ],
  ['a=b=c', [['a', 'b=c']]],
  [' a = b ', [['a', 'b']]],
  ['a and a=1', [['a', '1']]],
  ['a=1 and a', [['a', '1']]],
  ['a=1 and a=2', [['a', '2']]],
  ['a AND b', [['a AND b', '']]],
  ['a and ', [['a', '']]],
  ['a=', [['a', '']]],
])('annotationQuery %j', (text, expected) => {
  expect([...parseAnnotationQuery(text)]).toEqual(expected)
})

describe('matches', () => {
  const request = (fields: Partial<QueryRequest> = {}): QueryRequest => ({ ...DEFAULTS, ...fields })
  const terms = (text: string) => request({ serviceName: 'web', annotationQuery: parseAnnotationQuery(text) })
  const at = 999_000_000
  const trace: Span[] = [
    {
      traceId: '1',
      id: '1',
      name: 'b',
      timestamp: at,
      duration: 10,
      localEndpoint: { serviceName: 'web' },
      remoteEndpoint: { serviceName: 'lb' },
      tags: { 'http.method': 'GET', error: '' },
      annotations: [{ timestamp: at, value: 'cache miss' }],
    },
    { traceId: '1', id: '2', parentId: '1', timestamp: at + 1, duration: 100, localEndpoint: { serviceName: 'web' } },
    {
      traceId: '1',
      id: '3',
      parentId: '2',
      name: 'select',
      timestamp: at + 2,
      duration: 50,
      localEndpoint: { serviceName: 'db' },
      tags: { sql: 'x' },
    },
  ]
  test.each<[string, QueryRequest, boolean]>([
    ['nothing asked', request(), true],
    ['local service', request({ serviceName: 'db' }), true],
    ['a remote service is no local one', request({ serviceName: 'lb' }), false],
    ['remote service', request({ serviceName: 'web', remoteServiceName: 'lb' }), true],
    ["another service's remote", request({ serviceName: 'db', remoteServiceName: 'lb' }), false],
    ['criteria met by different spans', request({ serviceName: 'web', spanName: 'b', minDuration: 100 }), true],
    ["another service's name", request({ serviceName: 'web', spanName: 'select' }), false],
    ['any service when none is named', request({ spanName: 'select' }), true],
    ['duration by one span', request({ minDuration: 20, maxDuration: 60 }), true],
    ['duration between two spans', request({ serviceName: 'web', minDuration: 20, maxDuration: 60 }), false],
    ['duration inclusive', request({ minDuration: 100, maxDuration: 100 }), true],
    ['tag', terms('http.method=GET'), true],
    ['tag, other case', terms('http.method=get'), false],
    ['tag key', terms('http.method'), true],
    ['tag of empty value', terms('error'), true],
    ['annotation', terms('cache miss'), true],
    ['annotation as key of a value', terms('cache miss=x'), false],
    ['all terms', terms('error and cache miss and http.method=GET'), true],
    ['one term missing', terms('error and nope'), false],
    ["another service's tag", terms('sql'), false],
    ['an inherited name is no tag', terms('toString'), false],
    ['window ends before', request({ endTs: 998_999 }), false],
    ['window ends on it', request({ endTs: 999_000 }), true],
    ['window begins on it', request({ endTs: 1_000_000, lookback: 1000 }), true],
    ['window begins behind it', request({ endTs: 1_000_000, lookback: 999 }), false],
  ])('%s', (_, query, expected) => {
    expect(matches(query, trace)).toBe(expected)
  })
  test('a trace without times never matches', () => {
    expect(matches(request(), [{ traceId: '1', id: '1' }])).toBe(false)
  })
  test('the time of a headless trace is its earliest', () => {
    const headless: Span[] = [5, 3].map(ms => ({ traceId: '1', id: `${ms}`, parentId: '9', timestamp: ms * 1000 }))
    expect(matches(request({ endTs: 3, lookback: 1 }), headless)).toBe(true)
    expect(matches(request({ endTs: 5, lookback: 1 }), headless)).toBe(false)
  })
})

test('newest first by the latest span in the window, ties by low id descending', () => {
  const trace = (traceId: string, ...ms: number[]): Span[] =>
    ms.map(time => ({ traceId, id: `${time}`, timestamp: time * 1000 + 999 }))
  const sorted = [
    trace('a', 10),
    trace('b', 5, 30),
    trace('ffff0000000000000000000000000000c', 10),
    trace('d', 20, 1000),
  ].sort(compareForSearch({ endTs: 100, lookback: 100 }))
  expect(sorted.map(([span]) => span!.traceId)).toEqual(['b', 'd', 'a', 'ffff0000000000000000000000000000c'])
})
