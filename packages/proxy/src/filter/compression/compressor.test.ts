import { gunzipSync } from 'node:zlib'
import type { CompressorDirection, CompressorFilter } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { type Downstream, Exchange, type RequestHandler } from '../../http/exchange.ts'
import { RequestHeaders } from '../../http/headers.ts'
import { Runtime } from '../../runtime.ts'
import { Stats } from '../../stats/stats.ts'
import { StreamInfo } from '../../stream-info.ts'
import type { HeldRequest } from '../held-request.ts'
import { createCompressorFilter } from './compressor.ts'

const direction: CompressorDirection = {
  enabled: { defaultValue: true, runtimeKey: '' },
  minContentLength: 30,
  contentTypes: ['text/plain'],
  contentTypeMatchers: [],
}
const TEXT = 'a text that is long enough, and is said twice; '.repeat(2)

/** What goes upstream of a request with these fields and this body. */
async function send(fields: string[], request: CompressorDirection | null = direction) {
  const config: CompressorFilter = {
    type: 'compressor',
    library: { name: 'l', encoding: 'gzip', level: -1, memoryLevel: 5, windowBits: 12, strategy: 0 },
    ...(request && { request }),
    response: direction,
    disableOnEtagHeader: false,
    weakenEtagOnCompress: false,
    removeAcceptEncodingHeader: false,
    uncompressibleResponseCodes: [],
    namesResponses: false,
    chooseFirst: false,
  }
  const stats = new Stats()
  const headers = new RequestHeaders(fields)
  const downstream = { bufferLimit: 1024, pauseRequest() {}, resumeRequest() {} } as unknown as Downstream
  const exchange = new Exchange(new StreamInfo(), headers, downstream, true)
  const filter = createCompressorFilter('c', config, 'p', { stats, runtime: new Runtime([]) })(exchange, false)!
  const chunks: Uint8Array[] = []
  filter.decode!(() => {}, undefined as unknown as HeldRequest)
  await new Promise<void>(resolve => {
    const router: RequestHandler = {
      onData: chunk => void chunks.push(chunk),
      onEnd: resolve,
      onDrain() {},
      onCancel() {},
    }
    const way = filter.decodeBody!(router)
    way.onData(Buffer.from(TEXT))
    way.onEnd()
  })
  filter.destroy?.()
  const count = (name: string) => stats.counter(`http.p.compressor.l.gzip.request.${name}`).value
  return { headers, body: Buffer.concat(chunks), count }
}

test('a request is compressed where the file asks for it', async () => {
  const { headers, body, count } = await send(['content-type', 'text/plain', 'content-length', String(TEXT.length)])
  expect(gunzipSync(body).toString()).toBe(TEXT)
  expect(headers.get('content-encoding')).toBe('gzip')
  expect(headers.has('content-length')).toBe(false)
  expect([count('compressed'), count('not_compressed')]).toEqual([1, 0])
  expect([count('total_uncompressed_bytes'), count('total_compressed_bytes')]).toEqual([TEXT.length, body.length])
})

test.each([
  ['no direction for requests', ['content-type', 'text/plain'], null],
  ['another type', ['content-type', 'image/png'], direction],
  ['too short', ['content-length', '29'], direction],
  ['encoded already', ['content-encoding', 'br'], direction],
  ['switched off', [], { ...direction, enabled: { defaultValue: false, runtimeKey: '' } }],
])('%s: it stays as it is', async (_, fields, request) => {
  const { headers, body, count } = await send(fields, request)
  expect(body.toString()).toBe(TEXT)
  expect(headers.get('content-encoding')).not.toBe('gzip')
  expect([count('compressed'), count('not_compressed')]).toEqual([0, 1])
})
