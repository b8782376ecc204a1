import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, Pair, type Request, skipReason } from './pair.ts'

/** Each is a row of this page, by name: a difference nobody wrote down is a bug, one that is gone is a stale page. */
const page = readFileSync(new URL('../../../docs/differences.md', import.meta.url), 'utf8')

let pair: Pair
const post = (body: string | Buffer, headers: Record<string, string> = {}): Request => ({
  method: 'POST',
  path: '/api/v2/spans',
  headers: { 'content-type': 'application/json', ...headers },
  body,
})
const status = ({ status }: Answer): unknown => status
const PADDED = '48485a3953bb6124f'.slice(0, 16).padStart(20, '0')
/** A proto3 list of one span: trace id, field 15 of a version to come, id. */
const UNKNOWN_FIELD = Buffer.from('0a170a0800000000000000d27a01781a080000000000000001', 'hex')
const TIMESTAMP = 1_600_000_000_000_000

describe.skipIf(skipReason)(`chosen differences to zipkin-server${skipReason ? ` (${skipReason})` : ''}`, () => {
  beforeAll(async () => {
    pair = await Pair.start()
    const spans = [{ traceId: 'd1', id: '1', timestamp: TIMESTAMP, tags: { a: '1' } }]
    await pair.store(spans, ['d1'])
    await pair.send(post(JSON.stringify([{ traceId: PADDED, id: '1' }])))
  })
  afterAll(() => pair?.close())

  it.each<[name: string, request: Request, view: (answer: Answer) => unknown, zipkin: unknown, hopscope: unknown]>([
    ['a body above 10 MiB', post(Buffer.alloc(10 * 1024 * 1024 + 1, 0x20)), status, 500, 413],
    ['gzip that is no gzip', post('[{"traceId":"1","id":"1"}]', { 'content-encoding': 'gzip' }), status, 500, 400],
    ['an encoding that is not gzip', post('....', { 'content-encoding': 'br' }), status, 400, 415],
    [
      'gzip named in capitals',
      post(gzipSync('[{"traceId":"d9","id":"1"}]'), { 'content-encoding': 'GZIP' }),
      status,
      400,
      202,
    ],
    ['a request line above 4 KiB', { path: `/api/v2/services?x=${'x'.repeat(5000)}` }, status, 414, 200],
    ['headers above 8 KiB', { path: '/api/v2/services', headers: { filler: 'x'.repeat(9000) } }, status, 431, 200],
    ['blanks before the list', post(' []'), status, 400, 202],
    [
      'a trace id of 17 to 31 characters that padding makes zero-prefixed',
      { path: `/api/v2/trace/${PADDED}` },
      status,
      404,
      200,
    ],
    [
      'a blank term in annotationQuery',
      { path: `/api/v2/traces?endTs=${TIMESTAMP / 1000}&lookback=10&annotationQuery=a+and+` },
      ({ body }) => JSON.parse(body).length,
      0,
      1,
    ],
    [
      'an unknown field in protobuf or thrift',
      {
        ...post(UNKNOWN_FIELD),
        headers: { 'content-type': 'application/x-protobuf' },
      },
      status,
      400,
      202,
    ],
    ['HEAD', { method: 'HEAD', path: '/api/v2/services' }, status, 404, 200],
    [
      'a page below `/zipkin/` that is not there, for a browser',
      { path: '/zipkin/nowhere', headers: { accept: 'text/html,*/*;q=0.8' } },
      ({ status, body }) => [status, body.includes('<script')],
      [404, false],
      [404, true],
    ],
  ])('%s', async (name, request, view, zipkin, hopscope) => {
    expect(page).toContain(`| ${name} |`)
    const [theirs, ours] = await pair.send(request)
    expect([view(theirs), view(ours)]).toEqual([zipkin, hopscope])
  })

  it('messages dropped by decoding', async () => {
    expect(page).toContain('| messages dropped by decoding |')
    const key = 'counter.zipkin_collector.messages_dropped.http'
    const read = async (): Promise<number[]> =>
      (await pair.send({ path: '/metrics' })).map(({ body }) => JSON.parse(body)[key])
    const before = await read()
    await pair.send(post('[{"traceId":"1"}]'))
    const after = await read()
    expect(after.map((count, index) => count - before[index]!)).toEqual([2, 1])
  })

  it('times beyond 2^53 µs', async () => {
    expect(page).toContain('| times beyond 2^53 µs |')
    await pair.store('[{"traceId":"d2","id":"1","timestamp":9007199254740993}]', ['d2'])
    const stored = (await pair.send({ path: '/api/v2/trace/d2' })).map(
      ({ body }) => /"timestamp":(\d+)/.exec(body)?.[1],
    )
    expect(stored).toEqual(['9007199254740993', '9007199254740992'])
  })

  // Not sent to zipkin-server: its heap would not survive it.
  it('a body that inflates without end', async () => {
    expect(page).toContain('| a body that inflates without end |')
    const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024, 0x20))
    expect((await pair.sendToHopscope(post(bomb, { 'content-encoding': 'gzip' }))).status).toBe(413)
  })
})
