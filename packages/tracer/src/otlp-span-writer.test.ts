import { decodeOtlpProto } from '@hopscope/model/formats'
import { expect, test } from 'vitest'
import { OtlpSpanWriter } from './otlp-span-writer.ts'

const source = { resource: [['service.name', 'front']], scope: { name: 'envoy', version: '1' } } as const
const head = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  id: 'b7ad6b7169203331',
  traceState: '',
  parentIsRemote: false,
  name: 'egress shop',
  kind: 'CLIENT',
  start: 1_795_450_263_027_926,
  end: 1_795_450_263_053_974,
} as const

test('spans come out as an export request that our collector reads', () => {
  const writer = new OtlpSpanWriter(source)
  writer.begin(head)
  writer.tag('http.method', 'GET')
  writer.tag('empty', '')
  writer.event(1_795_450_263_030_000, 'first_byte')
  writer.end({ status: 'error' })
  writer.begin({ ...head, id: '00f067aa0ba902b7', parentId: head.id, kind: 'SERVER', traceState: 'a=b' })
  writer.end({ status: 'none' })
  expect(writer.count).toBe(2)
  const { spans } = decodeOtlpProto(writer.take())
  expect(spans).toHaveLength(2)
  expect(spans[0]).toMatchObject({
    traceId: head.traceId,
    id: head.id,
    kind: 'CLIENT',
    timestamp: head.start,
    duration: head.end - head.start,
    localEndpoint: { serviceName: 'front' },
    annotations: [{ timestamp: 1_795_450_263_030_000 }],
  })
  expect(spans[0]!.tags).toMatchObject({ 'http.method': 'GET', 'otel.status_code': 'ERROR' })
  expect(spans[1]).toMatchObject({ parentId: head.id, kind: 'SERVER' })
  expect(writer.count).toBe(0)
})

test('what is kept of a span outlives its batch', () => {
  const writer = new OtlpSpanWriter(source)
  const start = (parent: Partial<typeof head & { parentId: string }>) => {
    writer.begin({ ...head, ...parent })
    writer.end({ status: 'none' })
  }
  const names = () => decodeOtlpProto(writer.take()).spans.map(({ name, kind }) => `${name} ${kind}`)
  start({ parentId: head.id })
  expect(names()).toEqual(['egress shop CLIENT'])
  for (const parent of [{}, { parentId: head.id }, {}]) start(parent)
  expect(names()).toEqual(Array(3).fill('egress shop CLIENT'))
})

test('lengths of every width: a span, a tag and a batch may be as large as they like', () => {
  const writer = new OtlpSpanWriter({ resource: [['service.name', 'x'.repeat(300)]] }, 'latin1')
  const sizes = [0, 1, 100, 125, 126, 127, 128, 129, 16_000, 16_383, 16_384, 70_000, 2_100_000]
  for (const size of sizes) {
    writer.begin(head)
    writer.tag('size', 'y'.repeat(size))
    writer.end({ status: 'unset' })
  }
  const { spans } = decodeOtlpProto(writer.take())
  expect(spans.map(span => span.tags?.size?.length ?? 0)).toEqual(sizes)
})

test('bytes off the wire stay what they are; what is not UTF-8 becomes U+FFFD', () => {
  const writer = new OtlpSpanWriter(source, 'latin1')
  writer.begin(head)
  writer.tag('good', Buffer.from('größe').toString('latin1'))
  writer.tag('bad', 'a\xffb')
  writer.end({ status: 'none' })
  expect(decodeOtlpProto(writer.take()).spans[0]!.tags).toMatchObject({ good: 'größe', bad: 'a\ufffdb' })
})
