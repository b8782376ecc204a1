import { gzipSync } from 'node:zlib'
import type { DecompressorFilter } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { type Downstream, Exchange, type ResponseSink } from '../../http/exchange.ts'
import { RequestHeaders, ResponseHeaders } from '../../http/headers.ts'
import { Runtime } from '../../runtime.ts'
import { Stats } from '../../stats/stats.ts'
import { StreamInfo } from '../../stream-info.ts'
import { createDecompressorFilter } from './decompressor.ts'

const on = { enabled: { defaultValue: true, runtimeKey: '' }, ignoreNoTransformHeader: false }
const config: DecompressorFilter = {
  type: 'decompressor',
  library: { name: 'l', encoding: 'gzip', windowBits: 15, chunkSize: 4096, maxInflateRatio: 10 },
  request: { ...on, advertiseAcceptEncoding: false },
  response: on,
}

/** What comes out for a response whose pieces these are. */
async function respondWith(pieces: Buffer[]): Promise<{ body: string; stats: Stats }> {
  const stats = new Stats()
  const downstream = { bufferLimit: 1024 } as Downstream
  const exchange = new Exchange(new StreamInfo(), new RequestHeaders(), downstream, false)
  const filter = createDecompressorFilter(config, 'p', { stats, runtime: new Runtime([]) })(exchange, false)!
  const chunks: Uint8Array[] = []
  await new Promise<void>(resolve => {
    const sink: ResponseSink = {
      sendHead() {},
      sendData: chunk => chunks.push(chunk) > 0,
      sendEnd: resolve,
    }
    const way = filter.encode!(sink)
    way.sendHead(new ResponseHeaders(['content-encoding', 'gzip']), false)
    for (const piece of pieces) way.sendData(piece)
    way.sendEnd()
  })
  filter.destroy?.()
  return { body: Buffer.concat(chunks).toString(), stats }
}

test('a body in any pieces', async () => {
  const bytes = gzipSync('hello world')
  const { body } = await respondWith([...bytes].map(byte => Buffer.from([byte])))
  expect(body).toBe('hello world')
})

test('what is no gzip ends the body and is counted', async () => {
  const { body, stats } = await respondWith([Buffer.from('this is no gzip'), Buffer.from('nor this')])
  expect(body).toBe('')
  expect(stats.counter('http.p.decompressor.l.gzip.decompressor_library.zlib_data_error').value).toBe(1)
})

test('a bomb is cut off', async () => {
  const { body, stats } = await respondWith([gzipSync(Buffer.alloc(50_000_000))])
  expect(body.length).toBeLessThan(5_000_000)
  expect(stats.counter('http.p.decompressor.l.gzip.decompressor_library.zlib_data_error').value).toBe(1)
})
