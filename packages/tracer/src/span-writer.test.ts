import { expect, test } from 'vitest'
import { SpanWriter } from './span-writer.ts'

const endpoint = { ipv4: '192.0.2.1', port: 0, serviceName: 'front' }
const head = {
  traceId: '463ac35c9f6413ad',
  id: 'a2fb4a1d1a96d312',
  name: 'get',
  timestamp: 1_795_450_263_027_926,
  duration: 26_048,
}
const text = (bytes: Uint8Array) => new TextDecoder('utf-8', { fatal: true }).decode(bytes)
const read = (bytes: Uint8Array) => JSON.parse(text(bytes))

test('spans come out as a list of Zipkin JSON', () => {
  const writer = new SpanWriter(endpoint)
  writer.begin({ ...head, kind: 'SERVER' })
  writer.annotation(1_795_450_263_053_974, 'ss')
  writer.tag('http.method', 'GET')
  writer.tag('http.status_code', '200')
  writer.end({ shared: true })
  writer.begin({ ...head, parentId: '0020000000000001' })
  writer.end({ debug: true })
  expect(writer.count).toBe(2)
  expect(read(writer.take())).toEqual([
    {
      ...head,
      kind: 'SERVER',
      localEndpoint: endpoint,
      annotations: [{ timestamp: 1_795_450_263_053_974, value: 'ss' }],
      tags: { 'http.method': 'GET', 'http.status_code': '200' },
      shared: true,
    },
    { ...head, parentId: '0020000000000001', localEndpoint: endpoint, debug: true },
  ])
  expect(writer.count).toBe(0)
})

test.each([0, 7, 10, 999_999_999, 1_000_000_000, 1_000_000_001, 1_795_450_263_048_088, 2 ** 53 - 1])(
  'the number %d',
  number => {
    const writer = new SpanWriter({})
    writer.begin({ traceId: '1', id: '1', name: 'n', timestamp: number, duration: number })
    writer.annotation(number, 'ss')
    writer.end({})
    const [span] = JSON.parse(Buffer.from(writer.take()).toString())
    expect([span.timestamp, span.duration, span.annotations[0].timestamp]).toEqual([number, number, number])
  },
)

test('what is kept of a span outlives its batch', () => {
  const writer = new SpanWriter(endpoint)
  const kept = { ...head, kind: 'SERVER', parentId: '0020000000000001' } as const
  writer.begin(kept)
  writer.end({})
  expect(read(writer.take())).toEqual([{ ...kept, localEndpoint: endpoint }])
  const { parentId: _, ...root } = kept
  writer.begin({ ...root, traceId: root.id.repeat(2) })
  writer.end({})
  writer.begin(kept)
  writer.end({})
  expect(read(writer.take())).toEqual([
    { ...root, traceId: root.id.repeat(2), localEndpoint: endpoint },
    { ...kept, localEndpoint: endpoint },
  ])
})

test('every character survives', () => {
  const all = Array.from({ length: 0x250 }, (_, i) => String.fromCharCode(i)).join('')
  for (const value of [all, '€ 日本 👣', 'a"b\\c\td\ne\rf\bg\f\u0001\u007f', '']) {
    const writer = new SpanWriter({ serviceName: 'büro' })
    writer.begin({ ...head, name: value })
    writer.tag(value, value)
    writer.end({})
    expect(read(writer.take())[0]).toMatchObject({
      name: value,
      tags: { [value]: value },
      localEndpoint: { serviceName: 'büro' },
    })
  }
})

test('half a surrogate pair cannot make the batch unreadable', () => {
  const writer = new SpanWriter({})
  writer.begin(head)
  writer.tag('half', '\ud83d')
  writer.end({})
  expect(read(writer.take())[0].tags).toEqual({ half: '\ufffd' })
})

test('bytes off the wire: UTF-8 stays, anything else is a blank', () => {
  const writer = new SpanWriter({}, 'latin1')
  writer.begin(head)
  writer.tag('good', Buffer.from('é"').toString('latin1'))
  writer.tag('bad', 'x\xffy')
  writer.end({})
  expect(read(writer.take())[0].tags).toEqual({ good: 'é"', bad: 'x y' })
})

test('a batch grows beyond its first buffer', () => {
  const writer = new SpanWriter({})
  const value = 'x\n€'.repeat(20_000)
  for (let i = 0; i < 5; i++) {
    writer.begin(head)
    writer.tag('long', value)
    writer.end({})
  }
  const spans = read(writer.take())
  expect(spans).toHaveLength(5)
  for (const span of spans) expect(span.tags.long).toBe(value)
})
