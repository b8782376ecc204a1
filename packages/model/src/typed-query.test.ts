import { describe, expect, it } from 'vitest'
import { formatTypedQuery, parseTypedQuery, queryRequestOf, splitTypedQuery } from './typed-query.ts'

const read = (text: string) => {
  const { query, problems } = parseTypedQuery(text)
  expect(problems).toEqual([])
  return query
}
const problem = (text: string) => parseTypedQuery(text).problems.map(({ message }) => message)

describe('a typed query', () => {
  it('reads every word', () => {
    expect(
      read(
        'service=Shop span="get /cart" peer=db hop=shop->price attempt>1 timeout untraced error tag=http.status_code=503 tag=retry duration>10ms duration<=1.5s',
      ),
    ).toEqual({
      serviceName: 'shop',
      spanName: 'get /cart',
      remoteServiceName: 'db',
      hop: { caller: 'shop', callee: 'price', minAttempts: 2, timeout: true, untraced: true },
      annotationQuery: new Map([
        ['error', ''],
        ['http.status_code', '503'],
        ['retry', ''],
      ]),
      minDuration: 10_001,
      maxDuration: 1_500_000,
    })
  })

  it.each([
    ['', {}],
    ['  and ', {}],
    ['hop=*->db', { hop: { callee: 'db' } }],
    ['hop=shop→*', { hop: { caller: 'shop' } }],
    ['hop="a b->c"', { hop: { caller: 'a b', callee: 'c' } }],
    ['attempt=2', { hop: { minAttempts: 2, maxAttempts: 2 } }],
    ['attempt>=3', { hop: { minAttempts: 3 } }],
    ['attempt<3', { hop: { maxAttempts: 2 } }],
    ['duration>=200', { minDuration: 200 }],
    ['duration<1ms', { maxDuration: 999 }],
    ['tag=a=b=c', { annotationQuery: new Map([['a', 'b=c']]) }],
    ['tag="say \\"hi\\""', { annotationQuery: new Map([['say "hi"', '']]) }],
    ['-error -attempt>1', { not: [{ annotationQuery: new Map([['error', '']]) }, { hop: { minAttempts: 2 } }] }],
    ['-hop=a-b->c', { not: [{ hop: { caller: 'a-b', callee: 'c' } }] }],
    ['tag=k=v tag=k', { annotationQuery: new Map([['k', 'v']]) }],
  ])('%s', (text, query) => expect(read(text)).toEqual(query))

  it.each([
    'service=shop',
    'service="a b" span=get',
    'hop=shop->price attempt>1 timeout',
    'hop=*->"a b" untraced',
    'attempt=2',
    'attempt>1 attempt<4',
    'error tag=http.status_code=503',
    'tag="a \\"b\\" \\\\c"',
    'duration>=10ms duration<=1s',
    'duration>=1500us',
    'service=shop -error -hop=shop->price -duration>=1s',
  ])('%s is written as it was read', text => expect(formatTypedQuery(read(text))).toBe(text))

  it.each([
    ['servce=shop', '“servce” is no field. Fields are service, span,'],
    ['http.status_code=503', 'a tag is written tag=http.status_code=value'],
    ['shop', 'service=shop'],
    ['shop->price', 'A call is written hop=shop->price'],
    ['service=', 'needs a value'],
    ['service>3', 'service takes ='],
    ['service=a service=b', 'stands twice'],
    ['hop=shop', 'hop=shop->*'],
    ['attempt>many', 'whole number'],
    ['duration>soon', 'is no duration'],
    ['duration=10ms', 'takes >'],
    ['duration>1s duration<1ms', 'No duration'],
    ['=x', 'is no field'],
    ['-wat', 'is no condition'],
    ['-', 'is no condition'],
    ['tag==x', 'needs a key'],
  ])('says what is wrong with %s', (text, message) => expect(problem(text).join()).toContain(message))

  it('says where', () => {
    expect(parseTypedQuery('error  wat').problems[0]).toMatchObject({ from: 7, to: 10 })
  })

  it('gives the words with their places, for completion', () => {
    expect(splitTypedQuery('error service="a b')).toEqual([
      { from: 0, to: 5, isNegated: false, field: 'error', operator: '', value: '', valueFrom: 5 },
      { from: 6, to: 18, isNegated: false, field: 'service', operator: '=', value: 'a b', valueFrom: 14 },
    ])
  })

  it('asks a store for what a store knows', () => {
    const window = { endTs: 9, lookback: 5, limit: 10 }
    expect(queryRequestOf(read('service=shop timeout duration<1ms'), window)).toEqual({
      serviceName: 'shop',
      minDuration: 1,
      maxDuration: 999,
      ...window,
    })
  })
})
