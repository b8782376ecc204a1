import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createHttpSender } from './http-sender.ts'
import { createIdGenerator } from './ids.ts'
import { carrierOf } from './propagation/carrier.ts'
import { SpanRecorder } from './recorder.ts'
import { type ReporterOptions, type SendResult, SpanReporter } from './reporter.ts'
import { rateSampler } from './sampler.ts'
import { SpanWriter } from './span-writer.ts'

const reporters: SpanReporter[] = []
afterEach(() => Promise.all(reporters.splice(0).map(reporter => reporter.close(0))))

function setUp(options: Partial<ReporterOptions> = {}) {
  const batches: { spans: { name: string }[]; answer(result: SendResult): void }[] = []
  const reporter = new SpanReporter({
    writer: new SpanWriter({}),
    minFlushSpans: () => 2,
    flushInterval: () => 60_000,
    send: body => new Promise(answer => batches.push({ spans: JSON.parse(Buffer.from(body).toString()), answer })),
    ...options,
  })
  reporters.push(reporter)
  const report = (name: string) => {
    const writer = reporter.open()
    if (writer === undefined) return false
    writer.begin({ traceId: '1'.repeat(16), id: '1'.repeat(16), name, timestamp: 1, duration: 1 })
    writer.end({})
    reporter.commit()
    return true
  }
  return { reporter, batches, report }
}

test('enough spans are a batch', () => {
  const { batches, report } = setUp()
  report('a')
  expect(batches).toEqual([])
  report('b')
  report('c')
  expect(batches.map(batch => batch.spans.map(span => span.name))).toEqual([['a', 'b']])
})

test('while one is under way the next one grows, until it is full', async () => {
  const { batches, report } = setUp({ fullBytes: 500 })
  for (let i = 0; i < 12; i++) report(`span ${i}`)
  // Two, then as many as make 500 bytes, and the rest waits for an answer.
  const sizes = () => batches.map(batch => batch.spans.length)
  expect(sizes().slice(0, 2)).toEqual([2, 5])
  const before = sizes().length
  batches[0]!.answer('sent')
  for (const batch of batches) batch.answer('sent')
  await expect.poll(() => sizes().reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(11)
  expect(sizes().length).toBeLessThanOrEqual(before + 1)
})

test('an unfull batch leaves with the tick', async () => {
  const ticks: number[] = []
  const { batches, report } = setUp({ flushInterval: () => 5, counters: { ticked: () => ticks.push(1) } })
  report('a')
  await expect.poll(() => batches.length).toBe(1)
  expect(ticks.length).toBeGreaterThan(0)
})

test('with a slow collector batches grow and then spans are dropped, counted', () => {
  let lost = 0
  const { reporter, batches, report } = setUp({
    maxInFlight: 1,
    maxWaitingBytes: 2_000,
    counters: { lost: () => lost++ },
  })
  const taken = Array.from({ length: 100 }, (_, i) => report(`span ${i}`)).filter(Boolean).length
  expect(batches).toHaveLength(1)
  expect(taken).toBeLessThan(40)
  expect(lost).toBe(100 - taken)
  expect(reporter.lost).toBe(lost)
})

test('what piled up goes when the collector answers', async () => {
  const { batches, report } = setUp({ maxInFlight: 1 })
  for (const name of ['a', 'b', 'c', 'd', 'e']) report(name)
  batches[0]!.answer('dropped')
  await expect.poll(() => batches[1]?.spans.map(span => span.name)).toEqual(['c', 'd', 'e'])
})

test('closing sends the rest and waits for its answer', async () => {
  const ended: string[] = []
  const { reporter, batches, report } = setUp({
    counters: { ended: (result, spans) => ended.push(`${result} ${spans}`) },
  })
  report('last')
  const closed = reporter.close(5_000)
  expect(batches[0]!.spans).toMatchObject([{ name: 'last' }])
  batches[0]!.answer('sent')
  await closed
  expect(ended).toEqual(['sent 1'])
  expect(report('too late')).toBe(false)
})

test('closing does not wait longer than it may', async () => {
  const { reporter, batches, report } = setUp()
  report('a')
  // Nobody answers the batch that is under way.
  await reporter.close(20)
  expect(batches).toHaveLength(1)
})

test('a sender that breaks its word and rejects is a dropped batch', async () => {
  const ended: string[] = []
  const { report } = setUp({
    minFlushSpans: () => 1,
    send: () => Promise.reject(new Error('no')),
    counters: { ended: result => ended.push(result) },
  })
  report('a')
  await expect.poll(() => ended).toEqual(['dropped'])
})

test('a recorder with an HTTP sender: joins, roots and children arrive at a collector', async () => {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      bodies.push(`${request.url} ${request.headers.b3} ${body}`)
      response.writeHead(202).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const sender = createHttpSender(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v2/spans`)
  const results: string[] = []
  const { reporter } = setUp({ send: sender.send, counters: { ended: result => results.push(result) } })
  let now = 1_000
  const recorder = new SpanRecorder({
    reporter,
    ids: createIdGenerator(),
    sampler: rateSampler(1),
    now: () => now++,
  })
  const b3 = carrierOf({ b3: '463ac35c9f6413ad-a2fb4a1d1a96d312-1' })
  const server1 = recorder.join(b3, { name: 'get', kind: 'SERVER' })
  const work = recorder.child(server1.context, { name: 'work' })
  work.tag('rows', '3')
  work.annotate('half way')
  work.finish()
  work.finish()
  server1.finish()
  const unsampled = recorder.join(carrierOf({ 'x-b3-sampled': '0' }), { name: 'no' })
  unsampled.finish()
  await reporter.close(5_000)
  sender.close()
  server.close()
  expect(bodies).toHaveLength(1)
  expect(bodies[0]).toMatch(/^\/api\/v2\/spans 0 /)
  expect(JSON.parse(bodies[0]!.slice(bodies[0]!.indexOf('[')))).toMatchObject([
    {
      traceId: '463ac35c9f6413ad',
      parentId: 'a2fb4a1d1a96d312',
      name: 'work',
      tags: { rows: '3' },
      annotations: [{ value: 'half way' }],
    },
    { traceId: '463ac35c9f6413ad', id: 'a2fb4a1d1a96d312', name: 'get', kind: 'SERVER', shared: true },
  ])
  expect(results).toEqual(['sent'])
})

test('nobody at the collector is a dropped batch', async () => {
  const sender = createHttpSender('http://127.0.0.1:1/api/v2/spans')
  expect(await sender.send(Buffer.from('[]'))).toBe('dropped')
  sender.close()
})

test('a collector that does not answer is a dropped batch', async () => {
  const server = createServer(() => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const sender = createHttpSender(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, 20)
  expect(await sender.send(Buffer.from('[]'))).toBe('dropped')
  sender.close()
  server.closeAllConnections()
  server.close()
})

test('ids are 16 lower-hex characters, different, never zero', () => {
  let calls = 0
  const ids = createIdGenerator(bytes => {
    bytes.fill(0)
    if (calls++ > 0) for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 3)) & 255
  })
  expect(ids.next()).toMatch(/^[0-9a-f]{16}$/)
  expect(ids.next()).not.toBe('0000000000000000')
  const random = createIdGenerator()
  const many = new Set(Array.from({ length: 2_000 }, () => random.next()))
  expect(many.size).toBe(2_000)
})

test('a rate is the share of traces, and the same for everyone', () => {
  const ids = createIdGenerator()
  const half = rateSampler(0.5)
  const traces = Array.from({ length: 4_000 }, () => ids.next())
  const taken = traces.filter(half).length
  expect(taken).toBeGreaterThan(1_700)
  expect(taken).toBeLessThan(2_300)
  expect(traces.filter(rateSampler(0.5)).length).toBe(taken)
  expect(traces.every(rateSampler(1))).toBe(true)
  expect(traces.some(rateSampler(0))).toBe(false)
  expect(() => rateSampler(2)).toThrow('between 0 and 1')
})
