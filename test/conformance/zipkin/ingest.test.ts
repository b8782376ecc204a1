import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, Pair, skipReason, statusAndBody, statusOnly } from './pair.ts'

let pair: Pair
let sequence = 0
const newId = (): string => (0xa0000 + ++sequence).toString(16).padStart(16, '0')
const post = (body: string | Buffer, headers: Record<string, string> = {}) => ({
  method: 'POST',
  path: '/api/v2/spans',
  headers: { 'content-type': 'application/json', ...headers },
  body,
})

describe.skipIf(skipReason)(`POST /api/v2/spans beside zipkin-server${skipReason ? ` (${skipReason})` : ''}`, () => {
  beforeAll(async () => {
    pair = await Pair.start()
  })
  afterAll(() => pair?.close())

  // Fields of one span, as text: much of this is no JSON that JSON.stringify would write.
  const ACCEPTED: [name: string, fields: string][] = [
    ['an id of one character', '"id":"a"'],
    ['an id of zeros shorter than sixteen', '"id":"0"'],
    ['a parent of zeros', '"id":"1","parentId":"0"'],
    ['a parent that is the span itself', '"id":"1","parentId":"01"'],
    ['a name in capitals', '"id":"1","name":"GET /Ä"'],
    ['an empty name', '"id":"1","name":""'],
    ['times of zero and below', '"id":"1","timestamp":0,"duration":-5'],
    ['times as text, and in scientific notation', '"id":"1","timestamp":"1472470996199000","duration":1.5e3'],
    [
      'a time as text with a control character and a blank around it',
      String.raw`"id":"1","timestamp":"\u001f1472470996199000 "`,
    ],
    ['nulls', '"id":"1","parentId":null,"kind":null,"name":null,"tags":null,"annotations":null,"localEndpoint":null'],
    ['nulls inside an endpoint', '"id":"1","localEndpoint":{"serviceName":null,"ipv4":null,"port":null}'],
    ['numbers where text is expected', '"id":1,"name":12.50,"tags":{"a":1.50}'],
    ['a service in capitals, a port as text', '"id":"1","localEndpoint":{"serviceName":"WEB","port":"80"}'],
    ['a port of zero, an empty address', '"id":"1","localEndpoint":{"serviceName":"w","ipv4":"","port":0}'],
    ['an IPv6 address under ipv4', '"id":"1","localEndpoint":{"ipv4":"2001:DB8:0:0::1"}'],
    ['an IPv4 address mapped into IPv6', '"id":"1","localEndpoint":{"ipv6":"::FFFF:43.0.192.2"}'],
    ['an IPv6 address that compresses in two places', '"id":"1","localEndpoint":{"ipv6":"2001:0:0:4:5:0:0:8"}'],
    ['an address that is none', '"id":"1","localEndpoint":{"serviceName":"w","ipv4":"localhost"}'],
    ['an endpoint with nothing in it', '"id":"1","remoteEndpoint":{}'],
    [
      'annotations out of order and twice',
      '"id":"1","annotations":[{"timestamp":2,"value":"b"},{"timestamp":1,"value":"z"},{"timestamp":2,"value":"b"},{"timestamp":0,"value":""}]',
    ],
    ['tags in any order, empty keys and values', '"id":"1","tags":{"z":"","":"e","10":"t","9":"n","é":"1"}'],
    ['a tag twice', '"id":"1","tags":{"a":"1","a":"2"}'],
    ['tags named like what objects inherit', '"id":"1","tags":{"__proto__":"p","constructor":"c","toString":"t"}'],
    ['shared on a client', '"id":"1","kind":"CLIENT","shared":true'],
    ['shared on a server, debug', '"id":"1","kind":"SERVER","shared":true,"debug":true'],
    ['false flags', '"id":"1","debug":false,"shared":false'],
    ['literals in capitals', '"id":"1","debug":TRUE,"name":NULL'],
    ['unknown fields, nested', '"id":"1","x":{"y":[[[1,{"z":null}]]]},"w":1e400'],
    ['control characters in text', '"id":"1","name":"a\u0001b\\tc"'],
    ['text of many scripts', '"id":"1","name":"ñ 日本 😀","tags":{"😀":"\\ud83d\\ude00"}'],
    ['line separators', '"id":"1","name":"a\u2028b","tags":{"s":"\\u2029"}'],
    ['a tag of 4 KiB', `"id":"1","tags":{"long":"${'x'.repeat(4096)}"}`],
    ['two hundred lists in an unknown field', `"id":"1","x":${'['.repeat(200)}${']'.repeat(200)}`],
    ['fields twice', '"id":"2","id":"1","name":"a","name":"b"'],
    ['a whole number with a fraction of zero', '"id":"1","timestamp":123.0'],
    ['half of a pair of surrogates', '"id":"1","tags":{"half":"\\ud83d"}'],
    ['a name that is unknown', '"id":"1","name":"unknown"'],
    ['annotations that are none, tags that are none', '"id":"1","annotations":[],"tags":{}'],
    [
      'annotations of v1, whose endpoints say nothing',
      '"id":"1","annotations":[{"timestamp":1,"value":"a","endpoint":{"serviceName":"x"}}]',
    ],
    ['shared without kind, and on a producer', '"id":"1","kind":"PRODUCER","shared":true'],
    ['shared without kind', '"id":"1","shared":true'],
  ]
  it.each(ACCEPTED)('takes %s', async (_name, fields) => {
    const traceId = newId()
    await pair.store(`[{"traceId":"${traceId}",${fields}}]`, [traceId])
    await pair.same(`/api/v2/trace/${traceId}`)
  })

  it.each([
    '010.001.1.1',
    '256.1.1.1',
    '::FFFF:43.0.192.2',
    '::0000:43.0.192.2',
    '::43.0.192.2',
    '::ffff:2b00:c002',
    '::1',
    '2001:0DB8:0:0:0:0:0:C001',
    '2001:0:0:4:0:0:0:0',
    '2001:1:1:4:0:0:0:0',
    '2001:0:0:4:5:0:0:8',
    '2001:0:1:2:3:4:5:6',
    '0:0:0:0:0:0:0:0',
    'fe80::1%eth0',
    '[::1]',
    '1.2.3.4:80',
    'example.com',
  ])('reads the address %s', async ip => {
    const traceId = newId()
    await pair.store(
      [
        {
          traceId,
          id: '1',
          localEndpoint: { serviceName: 'a', ipv4: ip },
          remoteEndpoint: { serviceName: 'b', ipv6: ip },
        },
      ],
      [traceId],
    )
    await pair.same(`/api/v2/trace/${traceId}`)
  })

  it('reads text that is no UTF-8', async () => {
    const traceId = newId()
    const bad = Buffer.concat([
      Buffer.from(`[{"traceId":"${traceId}","id":"1","name":"a`),
      Buffer.of(0xff, 0xc3),
      Buffer.from('b"}]'),
    ])
    await pair.same(post(bad))
    await pair.waitFor(`/api/v2/trace/${traceId}`, ({ status }) => status === 200)
    await pair.same(`/api/v2/trace/${traceId}`)
  })

  it.each([
    ['1', '0000000000000001'],
    ['48485a3953bb6124f', '00000000000000048485a3953bb6124f'],
    ['0000000000000000463ac35c9f6413ad', '463ac35c9f6413ad'],
    ['463ac35c9f6413ad48485a3953bb6124', '463ac35c9f6413ad48485a3953bb6124'],
  ])('stores trace id %s as %s, found by both', async (given, stored) => {
    await pair.store([{ traceId: given, id: '1' }], [stored])
    await pair.same(`/api/v2/trace/${stored}`)
    expect((await pair.same(`/api/v2/trace/${given}`)).status).toBe(200)
  })

  const REFUSED: [name: string, body: string][] = [
    ['text', 'hello'],
    ['an object', '{"traceId":"1","id":"1"}'],
    ['a list that is cut off', '[{"traceId":"1",'],
    ['a list that is cut off inside text', '[{"traceId":"1'],
    ['a number in the list', '[1]'],
    ['null in the list', '[null]'],
    ['a list in the list', '[[]]'],
    ['a trailing comma', '[{"traceId":"1","id":"1"},]'],
    ['single quotes', "[{'traceId':'1'}]"],
    ['v1 fields', '[{"traceId":"1","id":"1","binaryAnnotations":[]}]'],
    ['a span without ids', '[{}]'],
    ['a span without trace id', '[{"id":"1"}]'],
    ['a span without id', '[{"traceId":"1"}]'],
    ['a null trace id', '[{"traceId":null,"id":"1"}]'],
    ['an empty trace id', '[{"traceId":"","id":"1"}]'],
    ['a trace id that is too long', `[{"traceId":"${'a'.repeat(33)}","id":"1"}]`],
    ['a trace id of zeros', '[{"traceId":"00","id":"1"}]'],
    ['a trace id in capitals', '[{"traceId":"ABC","id":"1"}]'],
    ['an empty id', '[{"traceId":"1","id":""}]'],
    ['an id that is too long', '[{"traceId":"1","id":"11111111111111111"}]'],
    ['an id of sixteen zeros', '[{"traceId":"1","id":"0000000000000000"}]'],
    ['an empty parent', '[{"traceId":"1","id":"1","parentId":""}]'],
    ['a parent that is too long', '[{"traceId":"1","id":"1","parentId":"11111111111111111"}]'],
    ['a kind in small letters', '[{"traceId":"1","id":"1","kind":"client"}]'],
    ['a port above 65535', '[{"traceId":"1","id":"1","localEndpoint":{"port":65536}}]'],
    ['a flag as text', '[{"traceId":"1","id":"1","debug":"true"}]'],
    ['a boolean as id', '[{"traceId":true,"id":"1"}]'],
    ['a fraction as timestamp', '[{"traceId":"1","id":"1","timestamp":1.5}]'],
    ['words as timestamp', '[{"traceId":"1","id":"1","timestamp":"soon"}]'],
    ['a no-break space around a timestamp', '[{"traceId":"1","id":"1","timestamp":"\u00a01"}]'],
    ['a null tag', '[{"traceId":"1","id":"1","tags":{"a":null}}]'],
    ['an object as tag', '[{"traceId":"1","id":"1","tags":{"a":{}}}]'],
    ['an annotation without value', '[{"traceId":"1","id":"1","annotations":[{"timestamp":1}]}]'],
    ['an annotation without time', '[{"traceId":"1","id":"1","annotations":[{"value":"x"}]}]'],
    ['a null annotation', '[{"traceId":"1","id":"1","annotations":[null]}]'],
    ['an annotation whose value is null', '[{"traceId":"1","id":"1","annotations":[{"timestamp":1,"value":null}]}]'],
    ['an integer of twenty digits', '[{"traceId":"1","id":"1","timestamp":99999999999999999999}]'],
    ['an integer beyond all doubles', '[{"traceId":"1","id":"1","timestamp":1e400}]'],
    ['a boolean as duration', '[{"traceId":"1","id":"1","duration":true}]'],
    ['a number as flag', '[{"traceId":"1","id":"1","shared":1}]'],
    ['an object as name', '[{"traceId":"1","id":"1","name":{}}]'],
    ['a boolean as tag', '[{"traceId":"1","id":"1","tags":{"a":true}}]'],
    ['a list as tag', '[{"traceId":"1","id":"1","tags":{"a":[]}}]'],
    ['an empty kind', '[{"traceId":"1","id":"1","kind":""}]'],
    ['a comment', '[/* x */{"traceId":"1","id":"1"}]'],
    ['a key without quotes', '[{traceId:"1","id":"1"}]'],
    ['an escape that is none', '[{"traceId":"1","id":"1","name":"\\x41"}]'],
    ['NaN', '[{"traceId":"1","id":"1","timestamp":NaN}]'],
    ['a missing comma', '[{"traceId":"1" "id":"1"}]'],
    ['an endpoint as text', '[{"traceId":"1","id":"1","localEndpoint":"web"}]'],
    ['annotations as an object', '[{"traceId":"1","id":"1","annotations":{}}]'],
    ['a parent in capitals', '[{"traceId":"1","id":"1","parentId":"AB"}]'],
    ['tags as a list', '[{"traceId":"1","id":"1","tags":[]}]'],
    ['one bad span among good ones', '[{"traceId":"b1","id":"1"},{"traceId":"b1","id":""}]'],
  ]
  it.each(REFUSED)('refuses %s, in the same words', async (_name, body) => {
    const answer = await pair.same(post(body), statusAndBody)
    expect(answer.status).toBe(400)
  })

  it('stores nothing of a refused list', async () => {
    await pair.same(post('[{"traceId":"b2","id":"1"},{"traceId":"b2","id":""}]'), statusAndBody)
    expect((await pair.same('/api/v2/trace/b2', statusAndBody)).status).toBe(404)
  })

  it.each([
    ['no body', ''],
    ['an empty list', '[]'],
    ['bytes after the list', '[]  and more'],
  ])('takes %s', async (_name, body) => {
    await pair.same(post(body))
  })

  it('reads JSON without a content type', async () => {
    const traceId = newId()
    await pair.same({ method: 'POST', path: '/api/v2/spans', body: `[{"traceId":"${traceId}","id":"1"}]` })
    await pair.waitFor(`/api/v2/trace/${traceId}`, ({ status }) => status === 200)
    await pair.same(`/api/v2/trace/${traceId}`)
  })

  it.each(['application/protobuf', 'application/grpc-web'])('takes protobuf of type %s for JSON', async contentType => {
    const list = Buffer.from('0a0a0a08000000000000000d', 'hex')
    expect((await pair.same(post(list, { 'content-type': contentType }), statusAndBody)).status).toBe(400)
  })

  it('reads gzip that is called x-gzip', async () => {
    const traceId = newId()
    await pair.same(post(gzipSync(`[{"traceId":"${traceId}","id":"1"}]`), { 'content-encoding': 'x-gzip' }))
    await pair.waitFor(`/api/v2/trace/${traceId}`, ({ status }) => status === 200)
    await pair.same(`/api/v2/trace/${traceId}`)
  })

  it.each(['text/plain', 'application/json; charset=utf-8', 'application/x-www-form-urlencoded'])(
    'reads JSON under content type %s',
    async contentType => {
      const traceId = newId()
      await pair.same(post(`[{"traceId":"${traceId}","id":"1"}]`, { 'content-type': contentType }))
      await pair.waitFor(`/api/v2/trace/${traceId}`, ({ status }) => status === 200)
      await pair.same(`/api/v2/trace/${traceId}`)
    },
  )

  it('reads gzip, also in several members', async () => {
    const traceId = newId()
    const body = Buffer.concat([gzipSync(`[{"traceId":"${traceId}",`), gzipSync('"id":"1","name":"x"}]')])
    await pair.same(post(body, { 'content-encoding': 'gzip' }))
    await pair.waitFor(`/api/v2/trace/${traceId}`, ({ status }) => status === 200)
    await pair.same(`/api/v2/trace/${traceId}`)
  })

  it('refuses gzip that is too short', async () => {
    await pair.same(post(Buffer.from([0x1f, 0x8b]), { 'content-encoding': 'gzip' }), statusAndBody)
  })

  it('reads a gzip stream that is cut off as far as it goes', async () => {
    const whole = gzipSync(JSON.stringify([{ traceId: newId(), id: '1', tags: { a: 'b'.repeat(500) } }]))
    await pair.same(post(whole.subarray(0, -12), { 'content-encoding': 'gzip' }), statusOnly)
  })

  it('keeps spans that were sent again once', async () => {
    const traceId = newId()
    const spans = [{ traceId, id: '1', name: 'a', timestamp: 5_000_000, tags: { b: '2', a: '1' } }]
    await pair.store(spans, [traceId])
    await pair.store(spans, [traceId])
    await pair.same(`/api/v2/trace/${traceId}`)
  })

  it.each<[name: string, body: string]>([
    ['a list', '[{"traceId":"5","id":"1"},{"traceId":"5","id":"2"}]'],
    ['an empty list', '[]'],
    ['nothing', ''],
    ['a list that cannot be decoded', '[{"traceId":"5"}]'],
    ['what is no list', 'text'],
  ])('counts %s alike', async (_name, body) => {
    const deltas = async (): Promise<Record<string, number>[]> =>
      (await pair.send({ path: '/metrics' })).map(httpCounters)
    const before = await deltas()
    await pair.same(post(body), statusAndBody)
    const [zipkin, hopscope] = (await deltas()).map((after, index) =>
      Object.fromEntries(
        Object.entries(after).map(([key, value]) => [
          key,
          key.startsWith('gauge') ? value : value - before[index]![key]!,
        ]),
      ),
    )
    expect(hopscope).toEqual(zipkin)
  })

  it('counts as zipkin-server does', async () => {
    const read = async () => JSON.parse((await pair.send({ path: '/metrics' }))[1].body) as Record<string, number>
    const [zipkin, hopscope] = await pair.send({ path: '/metrics' })
    expect(httpCounters(hopscope)).toEqual(httpCounters(zipkin))
    const before = await read()
    await pair.same(post('nonsense'), statusAndBody)
    const after = await read()
    expect(after['counter.zipkin_collector.messages.http']).toBe(before['counter.zipkin_collector.messages.http']! + 1)
    expect(after['counter.zipkin_collector.messages_dropped.http']).toBe(
      before['counter.zipkin_collector.messages_dropped.http']! + 1,
    )
  })
})

/** What /metrics says of HTTP, but for what zipkin-server counts twice: a list that cannot be decoded. */
function httpCounters({ body }: Answer): Record<string, number> {
  const all = Object.entries(JSON.parse(body) as Record<string, number>)
  return Object.fromEntries(all.filter(([key]) => key.endsWith('.http') && !key.includes('messages_dropped')))
}
