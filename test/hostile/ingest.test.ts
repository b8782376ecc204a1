import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const COLLECTOR = fileURLToPath(new URL('../../apps/collector/src/main.ts', import.meta.url))
/** By hand: HOPSCOPE_SERVICES=1000000 npm test -- process hostile/ingest -t services */
const SERVICES = Number(process.env.HOPSCOPE_SERVICES ?? 250_000)
const folder = mkdtempSync(join(tmpdir(), 'hopscope-ingest-'))
let collector: ChildProcess
let address: string

beforeAll(async () => {
  collector = spawn(process.execPath, [COLLECTOR, '--port', '0', '--otlp-port', 'off', '--data', folder])
  let said = ''
  address = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      said += chunk
      const found = /(http:\/\/\S+:\d+)\/zipkin\//.exec(said)
      if (found) resolve(found[1]!)
    }
    collector.stdout!.on('data', hear)
    collector.stderr!.on('data', hear)
    collector.once('exit', () => reject(new Error(said)))
  })
})
afterAll(async () => {
  const ended = new Promise(resolve => collector.once('exit', resolve))
  collector.kill('SIGTERM')
  await ended
  rmSync(folder, { recursive: true })
})

const TYPES = {
  '/api/v2/spans': 'application/json',
  '/api/v1/spans': 'application/json',
  '/v1/traces': 'application/json',
}
type Path = keyof typeof TYPES

async function post(
  path: Path,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const response = await fetch(address + path, {
    method: 'POST',
    body,
    headers: { 'content-type': TYPES[path], ...headers },
  })
  return { status: response.status, text: await response.text() }
}
const traceOf = async (traceId: string): Promise<Record<string, unknown>[] | undefined> => {
  const response = await fetch(`${address}/api/v2/trace/${traceId}`)
  return response.ok ? ((await response.json()) as Record<string, unknown>[]) : undefined
}
const bytes = (...parts: (string | number[])[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.concat(parts.map(part => Buffer.from(part as string))))

const PROTO = { 'content-type': 'application/x-protobuf' }
const THRIFT = { 'content-type': 'application/x-thrift' }
const hex = (text: string): number[] => [...Buffer.from(text.replaceAll(' ', ''), 'hex')]
/** A field of a key, whose length takes three bytes or fewer. */
const message = (key: number, content: number[]): number[] => {
  const { length } = content
  return [key, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14].concat(content)
}
/** Proto3: a span of trace `bad` with the fields given, behind a good one of the same trace. */
const protoSpans = (...fields: number[]): Uint8Array<ArrayBuffer> => {
  const good = hex('0a080000000000000bad 1a080000000000000001')
  const bad = [...hex('0a080000000000000bad'), ...fields]
  return bytes([0x0a, good.length, ...good, 0x0a, bad.length, ...bad])
}
/** Thrift: the same; a list of two. */
const thriftSpans = (...fields: number[]): Uint8Array<ArrayBuffer> => {
  const id = hex('0a0001 0000000000000bad')
  return bytes([...hex('0c00000002'), ...id, ...hex('0a0004 0000000000000001 00'), ...id, ...fields])
}
const JSON_SPAN = '{"traceId":"bad","id":"1"}'
const OTLP_SPAN = '{"traceId":"00000000000000000000000000000bad","spanId":"0000000000000001"}'
const otlp = (spans: string): string => `{"resourceSpans":[{"scopeSpans":[{"spans":[${spans}]}]}]}`
const DEEP = 100_000

describe('of a body that is refused nothing is kept', () => {
  it.each<[name: string, path: Path, body: string | Uint8Array<ArrayBuffer>, headers?: Record<string, string>]>([
    ['JSON v2: a second span without id', '/api/v2/spans', `[${JSON_SPAN},{"traceId":"bad"}]`],
    ['JSON v2: cut off', '/api/v2/spans', `[${JSON_SPAN},{"traceId":"bad","id":"2"`],
    ['JSON v2: a bad kind', '/api/v2/spans', `[${JSON_SPAN},{"traceId":"bad","id":"2","kind":"SELLER"}]`],
    [
      'JSON v2: a bad port',
      '/api/v2/spans',
      `[${JSON_SPAN},{"traceId":"bad","id":"2","localEndpoint":{"port":99999}}]`,
    ],
    [
      'JSON v2: tags that nest',
      '/api/v2/spans',
      `[${JSON_SPAN},{"traceId":"bad","id":"2","tags":${'{"a":'.repeat(DEEP)}`,
    ],
    ['JSON v2: lists that nest', '/api/v2/spans', `[${JSON_SPAN},${'['.repeat(DEEP)}`],
    ['JSON v1: a second span without id', '/api/v1/spans', `[${JSON_SPAN},{"traceId":"bad"}]`],
    [
      'JSON v1: annotations that nest',
      '/api/v1/spans',
      `[${JSON_SPAN},{"traceId":"bad","id":"2","x":${'[{"a":'.repeat(DEEP)}`,
    ],
    ['protobuf: a second span without id', '/api/v2/spans', protoSpans(), PROTO],
    ['protobuf: a length beyond the body', '/api/v2/spans', protoSpans(0x5a, 0xff, 0xff, 0xff, 0x07), PROTO],
    ['protobuf: a length of 2^32', '/api/v2/spans', protoSpans(0x5a, 0xff, 0xff, 0xff, 0xff, 0x0f), PROTO],
    ['protobuf: a varint without end', '/api/v2/spans', protoSpans(0x38, ...Array<number>(12).fill(0xff)), PROTO],
    ['protobuf: a group', '/api/v2/spans', protoSpans(0x0b, 0x0c), PROTO],
    ['protobuf sent as JSON', '/api/v2/spans', protoSpans(...hex('1a080000000000000002'))],
    ['thrift: a second span without id', '/api/v1/spans', thriftSpans(0), THRIFT],
    ['thrift: cut off', '/api/v1/spans', thriftSpans(0x0a, 0, 4, 0), THRIFT],
    ['thrift: a text of minus one', '/api/v1/spans', thriftSpans(0x0b, 0, 3, 0xff, 0xff, 0xff, 0xff), THRIFT],
    [
      'thrift: structs that nest',
      '/api/v1/spans',
      thriftSpans(...Array.from({ length: 30_000 }, () => [12, 0, 50]).flat()),
      THRIFT,
    ],
    ['OTLP: cut off', '/v1/traces', otlp(OTLP_SPAN).slice(0, -3)],
    [
      'OTLP: values that nest',
      '/v1/traces',
      otlp(`${OTLP_SPAN},{"attributes":[{"key":"a","value":${'{"arrayValue":{"values":['.repeat(20_000)}`),
    ],
    ['OTLP: protobuf that is none', '/v1/traces', bytes([0x0a, 0xff, 1, 2, 3]), PROTO],
    [
      'gzip of a bomb',
      '/api/v2/spans',
      new Uint8Array(gzipSync(`[${JSON_SPAN},${' '.repeat(100_000_000)}`, { level: 1 })),
      { 'content-encoding': 'gzip' },
    ],
    [
      'gzip of a bomb, OTLP',
      '/v1/traces',
      new Uint8Array(gzipSync(`${otlp(OTLP_SPAN)}${' '.repeat(100_000_000)}`, { level: 1 })),
      { 'content-encoding': 'gzip' },
    ],
    [
      'gzip that is damaged',
      '/api/v2/spans',
      new Uint8Array(gzipSync(`[${JSON_SPAN}]`).fill(0xff, 12, 20)),
      { 'content-encoding': 'gzip' },
    ],
  ])('%s', async (_name, path, body, headers) => {
    const { status, text } = await post(path, body, headers)
    expect([400, 413], text).toContain(status)
    expect(text).not.toBe('')
    expect(text).not.toMatch(/\n\s+at /)
    expect(await traceOf('bad')).toBeUndefined()
  })
})

describe('what is odd, and yet a span, is kept as it is', () => {
  it('tags of a megabyte, in every format', async () => {
    const long = 'x'.repeat(1_000_000)
    const tag = message(0x5a, [...hex('0a01 6b'), ...message(0x12, [...Buffer.from(long)])])
    const proto = message(0x0a, [...hex('0a080000000000000002 1a080000000000000001'), ...tag])
    const sent: [
      traceId: string,
      path: Path,
      body: string | Uint8Array<ArrayBuffer>,
      headers?: Record<string, string>,
    ][] = [
      ['1', '/api/v2/spans', `[{"traceId":"1","id":"1","tags":{"k":"${long}"}}]`],
      ['2', '/api/v2/spans', bytes(proto), PROTO],
      ['3', '/api/v1/spans', `[{"traceId":"3","id":"1","binaryAnnotations":[{"key":"k","value":"${long}"}]}]`],
      [
        '4',
        '/v1/traces',
        otlp(
          `{"traceId":"00000000000000000000000000000004","spanId":"0000000000000001","attributes":[{"key":"k","value":{"stringValue":"${long}"}}]}`,
        ),
      ],
    ]
    for (const [traceId, path, body, headers] of sent) {
      const { status, text } = await post(path, body, headers)
      expect([200, 202], text).toContain(status)
      expect((await traceOf(traceId))![0]!.tags, path).toEqual({ k: long })
    }
  })
  it('keys that come twice', async () => {
    await post('/api/v2/spans', '[{"traceId":"5","id":"1","name":"a","name":"b","tags":{"k":"1","k":"2"}}]')
    expect(await traceOf('5')).toMatchObject([{ name: 'b', tags: { k: '2' } }])
  })
  it('bytes that are no UTF-8, a mark of byte order, half characters', async () => {
    await post(
      '/api/v2/spans',
      bytes('[{"traceId":"6","id":"1","tags":{"a":"', [0xff, 0xc3], '","b":"\ufeff","c":"\\ud800"}}]'),
    )
    expect(await traceOf('6')).toMatchObject([{ tags: { a: '\ufffd\ufffd', b: '\ufeff', c: '?' } }])
    const name = [0x2a, 3, 0xff, 0x61, 0xc3]
    const span = [...hex('0a080000000000000007 1a080000000000000001'), ...name]
    await post('/api/v2/spans', bytes([0x0a, span.length, ...span]), PROTO)
    expect(await traceOf('7')).toMatchObject([{ name: '\ufffda\ufffd' }])
  })
  it('keys named like what objects inherit, in OTLP', async () => {
    const attribute = (key: string) => `{"key":"${key}","value":{"stringValue":"x"}}`
    const attributes = `"attributes":[${['__proto__', 'constructor', 'toString'].map(attribute)}]`
    await post(
      '/v1/traces',
      otlp(`{"traceId":"00000000000000000000000000000008","spanId":"0000000000000001",${attributes}}`),
    )
    const [span] = (await traceOf('8'))!
    expect(Object.entries(span!.tags as object).sort()).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'x'],
      ['toString', 'x'],
    ])
  })
  it(`very many services: ${SERVICES}`, async () => {
    for (let from = 0; from < SERVICES; from += 5_000) {
      const spans = Array.from(
        { length: 5_000 },
        (_, i) =>
          `{"traceId":"9","id":"${(from + i + 1).toString(16)}","localEndpoint":{"serviceName":"s${from + i}"},"name":"n${from + i}"}`,
      )
      expect((await post('/api/v2/spans', `[${spans}]`)).status).toBe(202)
    }
    const names = (await (await fetch(`${address}/api/v2/services`)).json()) as string[]
    expect(names.filter(name => /^s\d+$/.test(name))).toHaveLength(SERVICES)
    const last = `${SERVICES - 1}`
    expect(await (await fetch(`${address}/api/v2/spans?serviceName=s${last}`)).json()).toEqual([`n${last}`])
  }, 600_000)
  it('a body of a little more than ten megabytes is refused in words that arrive', async () => {
    const body = new Uint8Array(10 * 1024 * 1024 + 1).fill(0x20)
    for (let i = 0; i < 10; i++)
      expect(await post('/api/v2/spans', body)).toEqual({ status: 413, text: '413 Request Entity Too Large' })
  })
})
