import { connect } from 'node:http2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, REPORT } from './grpc-call.ts'
import { Pair, skipReason, tracesView } from './pair.ts'
import { encodeProto3 } from './proto3-writer.ts'

let pair: Pair

async function request(
  port: number,
  headers: Record<string, string>,
  body?: string,
): Promise<[status: unknown, text: string]> {
  const session = connect(`http://127.0.0.1:${port}`)
  try {
    const stream = session.request(headers, { endStream: body === undefined })
    if (body !== undefined) stream.end(body)
    const status = await new Promise(resolve => stream.once('response', head => resolve(head[':status'])))
    let text = ''
    for await (const chunk of stream) text += chunk
    return [status, text]
  } finally {
    session.close()
  }
}

/** Both answer alike. */
async function same<T>(ask: (port: number) => Promise<T>): Promise<T> {
  const [zipkin, hopscope] = await Promise.all(pair.ports.map(ask))
  expect(hopscope).toEqual(zipkin)
  return hopscope!
}

describe.skipIf(skipReason)(`HTTP/2 and gRPC beside zipkin-server${skipReason ? ` (${skipReason})` : ''}`, () => {
  beforeAll(async () => {
    pair = await Pair.start()
  })
  afterAll(() => pair?.close())

  it('takes spans over gRPC', async () => {
    const message = encodeProto3([
      { traceId: '00000000000000e1', id: '01', name: 'GRPC', timestamp: 5, tags: { a: 'b' } },
    ])
    expect(await same(port => call(port, REPORT, message))).toEqual([0, ''])
    await pair.waitFor('/api/v2/trace/e1', ({ status }) => status === 200)
    await pair.same('/api/v2/trace/e1', tracesView)
  })
  it.each([
    ['an empty list', REPORT, Buffer.alloc(0)],
    ['a cut list', REPORT, Buffer.from([0x0a, 0x20, 0x01])],
    ['a span without ids', REPORT, encodeProto3([{ name: 'x' }])],
    ['another method', '/zipkin.proto3.SpanService/Nope', Buffer.alloc(0)],
    ['another service', '/nope.Service/Report', Buffer.alloc(0)],
  ])('answers %s over gRPC', async (_name, path, message) => {
    await same(port => call(port, path, message))
  })
  it.each<[method: string, path: string, body?: string]>([
    ['GET', '/api/v2/services'],
    ['GET', '/api/v2/traces?limit=0'],
    ['GET', '/nope'],
    ['POST', '/api/v2/spans', '[{"traceId":"e9","id":"1"}]'],
    ['POST', '/api/v2/spans', 'hello'],
    ['GET', '/zipkin/config.json'],
  ])('answers %s %s over HTTP/2', async (method, path, body) => {
    await same(port => request(port, { ':method': method, ':path': path }, body))
  })
  it('counts what came over gRPC', async () => {
    const [zipkin, hopscope] = await pair.send({ path: '/metrics' })
    const grpc = (text: string) =>
      Object.fromEntries(
        Object.entries(JSON.parse(text) as Record<string, number>).filter(
          // A list that cannot be decoded is counted as dropped twice there.
          ([key]) => key.endsWith('.grpc') && !key.includes('messages_dropped'),
        ),
      )
    expect(grpc(hopscope.body)).toEqual(grpc(zipkin.body))
  })
})
