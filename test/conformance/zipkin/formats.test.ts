import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pair, type Request, skipReason, statusAndBody, tracesView } from './pair.ts'
import { encodeProto3 } from './proto3-writer.ts'
import * as t from './thrift-writer.ts'

let pair: Pair
let sequence = 0
/** 64 bits, lower hex. */
const newId = (): string => (0xf000000 + ++sequence).toString(16).padStart(16, '0')
const request = (path: string, contentType: string, body: string | Buffer, gzip = false): Request => ({
  method: 'POST',
  path,
  headers: { 'content-type': contentType, ...(gzip && { 'content-encoding': 'gzip' }) },
  body: gzip ? gzipSync(body) : body,
})
const v1 = (body: string) => request('/api/v1/spans', 'application/json', body)
const thrift = (body: Buffer) => request('/api/v1/spans', 'application/x-thrift', body)
const proto3 = (body: Buffer) => request('/api/v2/spans', 'application/x-protobuf', body)

/** Both take it, and show the same spans of the trace. */
async function storedAlike(sent: Request, traceId: string): Promise<number> {
  expect((await pair.same(sent, statusAndBody)).status).toBe(202)
  await pair.waitFor(`/api/v2/trace/${traceId}`, ({ status }) => status === 200)
  const { body } = await pair.same(`/api/v2/trace/${traceId}`, tracesView)
  return JSON.parse(body).length
}

const WEB = '"endpoint":{"serviceName":"web","ipv4":"1.2.3.4","port":80}'
const APP = '"endpoint":{"serviceName":"app","ipv6":"2001:db8::c001"}'
const at = (value: string, timestamp: number, endpoint = WEB) =>
  `{"timestamp":${timestamp},"value":"${value}",${endpoint}}`
const address = (key: string, endpoint: string) => `{"key":"${key}","value":true,${endpoint}}`

describe.skipIf(skipReason)(`JSON v1 beside zipkin-server${skipReason ? ` (${skipReason})` : ''}`, () => {
  beforeAll(async () => {
    pair = await Pair.start()
  })
  afterAll(() => pair?.close())

  // Behind "traceId" and "id": the fields of one v1 span.
  const SPANS: [name: string, fields: string][] = [
    ['nothing but ids', ''],
    ['a name in capitals, debug', '"name":"GET","debug":true'],
    ['a parent of zeros', '"parentId":"0"'],
    ['a parent that is the span itself', '"parentId":"00000000000000000000000000000001"'],
    ['a long parent, cut to its right', '"parentId":"ZZ0000000000000abc0000000000000002"'.replace('ZZ', '')],
    ['a client', `"annotations":[${at('cs', 10)},${at('cr', 40)}]`],
    ['a client that says its times', `"timestamp":5,"duration":7,"annotations":[${at('cs', 10)},${at('cr', 40)}]`],
    ['a server', `"timestamp":20,"annotations":[${at('sr', 20)},${at('ss', 30)}]`],
    ['a server that does not own the span', `"annotations":[${at('sr', 20)},${at('ss', 30)}]`],
    ['a server that owns it, without a duration', `"timestamp":20,"annotations":[${at('sr', 20)}]`],
    ['a server alone', `"annotations":[${at('sr', 20)}]`],
    ['a client without end', `"annotations":[${at('cs', 20)}]`],
    ['a client without start', `"annotations":[${at('cr', 20)}]`],
    ['a client end that says when it began', `"timestamp":5,"duration":15,"annotations":[${at('cr', 20)}]`],
    ['a server end that says when it began', `"timestamp":5,"duration":15,"annotations":[${at('ss', 20)}]`],
    ['an end that says something else', `"timestamp":5,"duration":14,"annotations":[${at('ss', 20)}]`],
    ['both sides', `"annotations":[${at('cs', 10)},${at('sr', 20, APP)},${at('ss', 30, APP)},${at('cr', 40)}]`],
    [
      'both sides, with times',
      `"timestamp":10,"duration":30,"annotations":[${at('cs', 10)},${at('sr', 20, APP)},${at('ss', 30, APP)},${at('cr', 40)}]`,
    ],
    ['both sides, one-way', `"timestamp":10,"annotations":[${at('cs', 10)},${at('sr', 20, APP)}]`],
    ['a service that calls itself', `"annotations":[${at('cs', 10)},${at('sr', 20)},${at('ss', 30)},${at('cr', 40)}]`],
    [
      'core annotations that nobody logged',
      '"annotations":[{"timestamp":1,"value":"cs"},{"timestamp":2,"value":"cr"}]',
    ],
    ['core annotations of an empty endpoint', `"annotations":[${at('sr', 5, '"endpoint":{}')}]`],
    ['a producer', `"annotations":[${at('ms', 10)},${at('ws', 15)}]`],
    ['a producer without wire', `"annotations":[${at('ms', 10)}]`],
    ['a consumer', `"annotations":[${at('mr', 10)}]`],
    ['a consumer with wire', `"annotations":[${at('wr', 5)},${at('mr', 10)}]`],
    [
      'a producer and a consumer',
      `"annotations":[${at('ms', 10)},${at('ws', 12)},${at('wr', 20, APP)},${at('mr', 25, APP)}]`,
    ],
    ['a producer and a consumer of one service', `"annotations":[${at('ms', 10)},${at('mr', 25)}]`],
    ['wire alone', `"annotations":[${at('ws', 10)},${at('wr', 25)}]`],
    ['annotations of two services', `"annotations":[${at('foo', 3)},${at('bar', 2, APP)},${at('cs', 1)}]`],
    ['an annotation without endpoint', `"annotations":[{"timestamp":3,"value":"x","endpoint":null}]`],
    [
      'tags',
      `"binaryAnnotations":[{"key":"a","value":"1",${WEB}},{"key":"b","value":"2",${APP}},{"key":"c","value":"3"}]`,
    ],
    [
      'tags that are no text',
      `"binaryAnnotations":[{"key":"a","value":1,"type":"I64"},{"key":"b","value":true},{"key":"c"}]`,
    ],
    ['a tag twice', `"binaryAnnotations":[{"key":"a","value":"2"},{"key":"a","value":"1"}]`],
    ['lc without value', `"binaryAnnotations":[{"key":"lc","value":"",${WEB}}]`],
    ['lc with a value', `"binaryAnnotations":[{"key":"lc","value":"x",${WEB}}]`],
    ['the address of a server alone', `"binaryAnnotations":[${address('sa', APP)}]`],
    ['the address of a client alone', `"binaryAnnotations":[${address('ca', APP)}]`],
    ['addresses of both, nothing else', `"binaryAnnotations":[${address('sa', APP)},${address('ca', WEB)}]`],
    ['the address of a broker alone', `"binaryAnnotations":[${address('ma', APP)}]`],
    [
      'a client and whom it calls',
      `"annotations":[${at('cs', 1)},${at('cr', 2)}],"binaryAnnotations":[${address('sa', APP)}]`,
    ],
    ['a client end and whom it called', `"annotations":[${at('cr', 2)}],"binaryAnnotations":[${address('sa', APP)}]`],
    [
      'a server and its client',
      `"annotations":[${at('sr', 1)},${at('ss', 2)}],"binaryAnnotations":[${address('ca', APP)}]`,
    ],
    ['a server and itself as client', `"annotations":[${at('sr', 1)}],"binaryAnnotations":[${address('ca', WEB)}]`],
    [
      'a server and a client of its name',
      `"annotations":[${at('sr', 1)}],"binaryAnnotations":[${address('ca', '"endpoint":{"serviceName":"web","ipv4":"9.9.9.9"}')}]`,
    ],
    ['a producer and its broker', `"annotations":[${at('ms', 1)}],"binaryAnnotations":[${address('ma', APP)}]`],
    ['an address as text', `"binaryAnnotations":[{"key":"sa","value":"x",${APP}}]`],
    ['an address that is false', `"binaryAnnotations":[{"key":"sa","value":false,${APP}}]`],
    ['an address of nobody', `"binaryAnnotations":[{"key":"sa","value":true}]`],
    ['an address with nothing in it', `"binaryAnnotations":[{"key":"sa","value":true,"endpoint":{}}]`],
    ['nulls', '"name":null,"parentId":null,"annotations":null,"binaryAnnotations":null,"timestamp":null,"debug":null'],
    ['times before each other', `"annotations":[${at('cs', 40)},${at('cr', 10)}]`],
  ]
  it.each(SPANS)('reads %s', async (_name, fields) => {
    const traceId = newId()
    await storedAlike(v1(`[{"traceId":"${traceId}","id":"1"${fields && `,${fields}`}}]`), traceId)
  })

  it('reads both widths of a trace id', async () => {
    const id = newId()
    await storedAlike(v1(`[{"traceId":"463ac35c9f6413ad${id}","id":"1"}]`), `463ac35c9f6413ad${id}`)
    const cut = newId()
    await storedAlike(v1(`[{"traceId":"abc${cut}","id":"1"}]`), cut)
  })

  it.each([
    ['no list', 'hello'],
    ['an object', '{"traceId":"1","id":"1"}'],
    ['v2 endpoints', '[{"traceId":"1","id":"1","localEndpoint":{}}]'],
    ['v2 tags', '[{"traceId":"1","id":"1","tags":{}}]'],
    ['a cut list', '[{"traceId":"1",'],
    ['no ids', '[{}]'],
    ['no trace id', '[{"id":"1"}]'],
    ['no id', '[{"traceId":"1"}]'],
    ['a trace id of zeros', '[{"traceId":"0","id":"1"}]'],
    ['an id of zeros', '[{"traceId":"1","id":"0"}]'],
    ['both of zeros', '[{"traceId":"0","id":"0"}]'],
    ['an empty trace id', '[{"traceId":"","id":"1"}]'],
    ['an id in capitals', '[{"traceId":"1","id":"ABC"}]'],
    ['a bad id behind a good trace id', '[{"traceId":"0","id":"xyz"}]'],
    ['a trace id that is too long', `[{"traceId":"${'a'.repeat(33)}","id":"1"}]`],
    ['a high half that is no hex', `[{"traceId":"${'Z'.repeat(16)}${'a'.repeat(16)}","id":"1"}]`],
    ['a null id', '[{"traceId":"1","id":null}]'],
    ['an annotation without value', '[{"traceId":"1","id":"1","annotations":[{"timestamp":1}]}]'],
    ['an annotation without time', '[{"traceId":"1","id":"1","annotations":[{"value":"x"}]}]'],
    ['a tag without key', '[{"traceId":"1","id":"1","binaryAnnotations":[{"value":"x"}]}]'],
    ['annotations that are no list', '[{"traceId":"1","id":"1","annotations":{}}]'],
  ])('refuses %s, in the same words', async (_name, body) => {
    expect((await pair.same(v1(body), statusAndBody)).status).toBe(400)
  })

  it.each(['', '[]', '[] and more'])('takes %j', async body => {
    await pair.same(v1(body))
  })
  it.each([
    ['GET', '/api/v1/spans'],
    ['GET', '/api/v1/traces'],
  ])('does not know %s %s', async (method, path) => {
    expect((await pair.same({ method, path }, statusAndBody)).status).toBe(404)
  })
})

describe.skipIf(skipReason)(`thrift beside zipkin-server${skipReason ? ` (${skipReason})` : ''}`, () => {
  beforeAll(async () => {
    pair = await Pair.start()
  })
  afterAll(() => pair?.close())
  const web = t.endpoint('web')
  const app = t.endpoint('app', 0x0a000001, -1)
  const SPANS: [name: string, fields: t.Field[]][] = [
    ['nothing but ids', []],
    ['a wide trace id', [[12, t.i64(0x463ac35c9f6413adn)]]],
    [
      'a name, a parent, debug',
      [
        [3, t.string('GET /é')],
        [5, t.i64(7)],
        [9, t.bool(true)],
      ],
    ],
    [
      'times',
      [
        [10, t.i64(1_600_000_000_000_000)],
        [11, t.i64(33)],
      ],
    ],
    ['a client', [[6, t.list(t.annotation(10, 'cs', web), t.annotation(30, 'cr', web))]]],
    [
      'both sides',
      [
        [
          6,
          t.list(
            t.annotation(10, 'cs', web),
            t.annotation(15, 'sr', app),
            t.annotation(20, 'ss', app),
            t.annotation(30, 'cr', web),
          ),
        ],
      ],
    ],
    ['annotations without time, and without endpoint', [[6, t.list(t.annotation(0, 'x', web), t.annotation(3, 'y'))]]],
    ['tags', [[8, t.list(t.tag('a', '1', web), t.tag('b', ''), t.tag('n', '12345678', web, 3))]]],
    [
      'addresses',
      [
        [6, t.list(t.annotation(10, 'cs', web))],
        [8, t.list(t.address('sa', app))],
      ],
    ],
    ['an address that is text', [[8, t.list(t.tag('ca', 'x', app))]]],
    [
      'an endpoint of IPv6',
      [
        [
          8,
          t.list(
            t.tag(
              'a',
              '1',
              t.struct([3, t.string('six')], [4, t.binary(Buffer.from('20010db8000000000000000000000001', 'hex'))]),
            ),
          ),
        ],
      ],
    ],
    [
      'an endpoint of IPv4 within IPv6',
      [
        [
          8,
          t.list(
            t.tag(
              'a',
              '1',
              t.struct([3, t.string('six')], [4, t.binary(Buffer.from('00000000000000000000000001020304', 'hex'))]),
            ),
          ),
        ],
      ],
    ],
    ['an endpoint without address', [[8, t.list(t.tag('a', '1', t.endpoint('bare', 0, 0)))]]],
    ['a field as another type', [[3, t.i32(5)]].slice(1) as t.Field[]],
  ]
  it.each(SPANS)('reads %s', async (_name, fields) => {
    const traceId = newId()
    const span = t.struct([1, t.i64(BigInt(`0x${traceId}`))], [4, t.i64(1)], ...fields)
    const high = fields.some(([id]) => id === 12) ? '463ac35c9f6413ad' : ''
    await storedAlike(thrift(t.list(span).bytes), high + traceId)
  })
  it('reads gzip', async () => {
    const traceId = newId()
    const span = t.struct([1, t.i64(BigInt(`0x${traceId}`))], [4, t.i64(1)])
    await storedAlike(request('/api/v1/spans', 'application/x-thrift; a=b', t.list(span).bytes, true), traceId)
  })
  const one = t.list(t.struct([1, t.i64(1)], [4, t.i64(1)], [3, t.string('name')])).bytes
  it.each<[name: string, body: Buffer]>([
    ['no list', Buffer.from('hello')],
    ['JSON', Buffer.from('[{"traceId":"1","id":"1"}]')],
    ['no trace id', t.list(t.struct([4, t.i64(1)])).bytes],
    ['no id', t.list(t.struct([1, t.i64(1)])).bytes],
    ['a count that is too large', Buffer.from([12, 0x7f, 0xff, 0xff, 0xff])],
    ['a count that is one too many', Buffer.concat([Buffer.from([12, 0, 0, 0, 2]), one.subarray(5)])],
    ['a head that is cut off', Buffer.from([12, 0, 0])],
    ['a name that is cut off', one.subarray(0, -4)],
    ['a span that is cut off', one.subarray(0, 12)],
  ])('refuses %s, in the same words', async (_name, body) => {
    expect((await pair.same(thrift(body), statusAndBody)).status).toBe(400)
  })
  it.each<[name: string, body: Buffer]>([
    ['an empty body', Buffer.alloc(0)],
    ['an empty list', Buffer.from([12, 0, 0, 0, 0])],
    ['a negative count', Buffer.from([12, 0xff, 0xff, 0xff, 0xff])],
    ['bytes behind the list', Buffer.concat([one, Buffer.from('more')])],
  ])('takes %s', async (_name, body) => {
    await pair.same(thrift(body), statusAndBody)
  })
})

describe.skipIf(skipReason)(`protobuf beside zipkin-server${skipReason ? ` (${skipReason})` : ''}`, () => {
  beforeAll(async () => {
    pair = await Pair.start()
  })
  afterAll(() => pair?.close())

  it.each<[name: string, fields: object]>([
    ['nothing but ids', {}],
    ['a parent of zeros', { parentId: '0000000000000000' }],
    ['a short id', { id: '01', parentId: '0002' }],
    [
      'every field',
      {
        parentId: '00000000000000aa',
        kind: 1,
        name: 'GET /É',
        timestamp: 1_600_000_000_000_000,
        duration: 77,
        localEndpoint: { serviceName: 'WEB', ipv4: '01020304', port: 80 },
        remoteEndpoint: { serviceName: 'app', ipv6: '20010db8000000000000000000000001', port: 65535 },
        annotations: [
          { timestamp: 2, value: 'b' },
          { timestamp: 1, value: 'é😀' },
        ],
        tags: { a: '1', '': 'x', b: '' },
        debug: true,
        shared: true,
      },
    ],
    ['a server that shares', { kind: 2, shared: true }],
    ['a producer', { kind: 3 }],
    ['a consumer', { kind: 4 }],
    ['a kind of the future', { kind: 9 }],
    ['annotations without time or value', { annotations: [{ value: 'x' }, { timestamp: 5 }] }],
    ['addresses of odd lengths', { localEndpoint: { serviceName: 'a', ipv4: '0102', ipv6: '01' } }],
    ['IPv4 within IPv6', { localEndpoint: { ipv6: '00000000000000000000000001020304' } }],
    ['IPv4 mapped into IPv6', { localEndpoint: { ipv6: '00000000000000000000ffff01020304' } }],
    ['loopback', { localEndpoint: { ipv6: '00000000000000000000000000000001' } }],
    ['an endpoint with nothing in it', { localEndpoint: {}, remoteEndpoint: { port: 0 } }],
    ['a duration beyond 2^53', { duration: '4611686018427387904' }],
    ['a tag of 4 KiB', { tags: { long: 'x'.repeat(4096), é: 'é'.repeat(600) } }],
    ['tags named like what objects inherit', { tags: { constructor: 'c', toString: 't' } }],
  ])('reads %s', async (_name, fields) => {
    const traceId = newId()
    await storedAlike(proto3(encodeProto3([{ traceId, id: '0000000000000001', ...fields }])), traceId)
  })
  it('reads gzip, a wide trace id, and several spans', async () => {
    const traceId = `463ac35c9f6413ad${newId()}`
    const spans = [1, 2, 3].map(n => ({ traceId, id: `000000000000000${n}`, name: `n${n}`, timestamp: n }))
    const sent = request('/api/v2/spans', 'application/x-protobuf; messageType=x', encodeProto3(spans), true)
    expect((await pair.same(sent, statusAndBody)).status).toBe(202)
    await pair.waitFor(`/api/v2/trace/${traceId}`, ({ body }) => body.startsWith('[') && JSON.parse(body).length === 3)
    await pair.same(`/api/v2/trace/${traceId}`, tracesView)
  })
  const span = (fields: object) => encodeProto3([fields])
  const good = span({ traceId: '0000000000000001', id: '0000000000000001', name: 'a name' })
  it.each<[name: string, body: Buffer]>([
    ['no list', Buffer.from('hello')],
    ['an empty span first', Buffer.from([0x0a, 0x00])],
    ['no trace id', span({ id: '01' })],
    ['no id', span({ traceId: '01' })],
    ['neither id', span({ name: 'x' })],
    ['a trace id of zeros', span({ traceId: '0000000000000000', id: '01' })],
    ['an id of zeros', span({ traceId: '01', id: '0000000000000000' })],
    ['a trace id that is too long', span({ traceId: '01'.repeat(17), id: '01' })],
    ['a trace id that is far too long', span({ traceId: '01'.repeat(40), id: '01' })],
    ['an id that is too long', span({ traceId: '01', id: '01'.repeat(9) })],
    ['a parent that is too long', span({ traceId: '01', id: '01', parentId: '01'.repeat(9) })],
    ['a port above 65535', span({ traceId: '01', id: '01', localEndpoint: { port: 65536 } })],
    ['a span that is cut off', good.subarray(0, -3)],
    ['a length that is cut off', Buffer.from([0x0a, 0x80])],
    ['a length above 32 bits', Buffer.from([0x0a, 0x05, 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff])],
    [
      'a duration above 64 bits',
      Buffer.concat([Buffer.from([0x0a, 12, 0x38]), Buffer.alloc(10, 0xff), Buffer.from([1])]),
    ],
    ['a flag that is two', Buffer.from([0x0a, 0x02, 0x60, 0x02])],
    ['a field of the wire type 3', Buffer.from([0x0a, 0x02, 0x0b, 0x02])],
    ['field number zero', Buffer.from([0x0a, 0x02, 0x02, 0x00])],
  ])('refuses %s, in the same words', async (_name, body) => {
    expect((await pair.same(proto3(body), statusAndBody)).status).toBe(400)
  })
  it('stores nothing of a refused list', async () => {
    const traceId = newId()
    await pair.same(
      proto3(
        encodeProto3([
          { traceId, id: '01' },
          { traceId, id: '' },
        ]),
      ),
      statusAndBody,
    )
    expect((await pair.same(`/api/v2/trace/${traceId}`, statusAndBody)).status).toBe(404)
  })
})
