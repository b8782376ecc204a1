import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Collector } from './collector.ts'

const run = promisify(execFile)
const programs = fileURLToPath(new URL('programs/', import.meta.url))
const folder = process.env.HOPSCOPE_CLIENTS ?? ''
/** Said where a client is not there. */
const INSTALL = 'bash test/conformance/clients/install.sh FOLDER, then HOPSCOPE_CLIENTS=FOLDER'
const missing = (file: string): string | undefined =>
  existsSync(join(folder, file)) && folder !== '' ? undefined : INSTALL
const title = (name: string, why: string | undefined): string => (why ? `${name} (skipped: ${why})` : name)

let collector: Collector
beforeAll(async () => {
  collector = await Collector.start()
})
afterAll(() => collector?.close())

/** Runs a client to its end; its last line is the id of the trace that it sent. */
async function send(command: string, args: string[], environment: Record<string, string> = {}): Promise<string> {
  const { stdout } = await run(command, args, { env: { ...process.env, ...environment }, timeout: 150_000 })
  return stdout.trim().split('\n').at(-1)!
}

/** What OpenTelemetry's SDKs were told to send, over OTLP. */
const overOtlp = (name: 'node' | 'py') => [
  {
    kind: 'SERVER',
    name: 'order',
    localEndpoint: { serviceName: `${name}-client` },
    tags: {
      'otel.scope.name': `scope-of-${name}`,
      'otel.scope.version': '1.2',
      'otlp.link.0': '0af7651916cd43dd8448eb211c80319c|b7ad6b7169203331||{"reason":"batch"}|0',
    },
  },
  {
    kind: 'CLIENT',
    name: 'get',
    localEndpoint: { serviceName: `${name}-client` },
    remoteEndpoint: { serviceName: `${name}-server` },
    annotations: [{ value: '"cache miss": {"key":"k1"}' }],
    tags: {
      'deployment.environment': 'test',
      'http.request.method': 'GET',
      sizes: '[1,2]',
      ratio: '0.5',
      'otel.status_code': 'ERROR',
      error: 'no stock',
    },
  },
]

describe("OpenTelemetry's SDK for Node", () => {
  const otel = (environment: Record<string, string>) =>
    send(process.execPath, [join(programs, 'otel.mjs')], {
      OTEL_SERVICE_NAME: 'Node-Client',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      ...environment,
    })
  it('writes to Zipkin', async () => {
    const traceId = await otel({
      OTEL_TRACES_EXPORTER: 'zipkin',
      OTEL_EXPORTER_ZIPKIN_ENDPOINT: `http://${collector.zipkin}/api/v2/spans`,
    })
    expect(await collector.trace(traceId, 2)).toMatchObject([
      { kind: 'SERVER', name: 'order', localEndpoint: { serviceName: 'node-client' } },
      {
        kind: 'CLIENT',
        name: 'get',
        annotations: [{ value: 'cache miss' }],
        tags: { 'http.request.method': 'GET', sizes: '1,2', 'otel.status_code': 'ERROR', error: 'no stock' },
      },
    ])
  })
  it.each(['http/protobuf', 'http/json', 'grpc'])('writes OTLP, %s', async protocol => {
    const endpoint = protocol === 'grpc' ? collector.otlpGrpc : collector.otlpHttp
    const traceId = await otel({
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${endpoint}`,
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    })
    expect(await collector.trace(traceId, 2)).toMatchObject(overOtlp('node'))
  })
})

const noPython = missing('python/bin/python')
describe.skipIf(noPython)(title("OpenTelemetry's SDK for Python", noPython), () => {
  const otel = (kind: string, endpoint: string) =>
    send(join(folder, 'python/bin/python'), [join(programs, 'otel.py'), kind, endpoint])
  it('writes to Zipkin', async () => {
    const traceId = await otel('zipkin', `http://${collector.zipkin}/api/v2/spans`)
    expect(await collector.trace(traceId, 2)).toMatchObject([
      { kind: 'SERVER', name: 'order', localEndpoint: { serviceName: 'py-client' } },
      {
        kind: 'CLIENT',
        name: 'get',
        tags: { 'http.request.method': 'GET', 'otel.status_code': 'ERROR', error: 'no stock' },
      },
    ])
  })
  it('writes OTLP over HTTP', async () => {
    const traceId = await otel('http', `http://${collector.otlpHttp}/v1/traces`)
    expect(await collector.trace(traceId, 2)).toMatchObject(overOtlp('py'))
  })
  it('writes OTLP over gRPC', async () => {
    const traceId = await otel('grpc', `http://${collector.otlpGrpc}`)
    expect(await collector.trace(traceId, 2)).toMatchObject(overOtlp('py'))
  })
})

const noBrave = missing('java/Report.class')
describe.skipIf(noBrave)(title('Brave with zipkin-reporter', noBrave), () => {
  it.each(['JSON', 'PROTO3'])('writes %s', async encoding => {
    const url = `http://${collector.zipkin}/api/v2/spans`
    const traceId = await send('java', [
      '-cp',
      `${join(folder, 'java')}:${join(folder, 'java')}/*`,
      'Report',
      url,
      encoding,
    ])
    const spans = await collector.trace(traceId, 3)
    expect(spans.find(({ kind }) => kind === undefined)).toMatchObject({
      name: 'order',
      localEndpoint: { serviceName: 'brave-client', ipv4: '10.0.0.1' },
    })
    const call = spans.find(({ kind }) => kind === 'CLIENT')!
    expect(call).toMatchObject({
      name: 'get',
      remoteEndpoint: { serviceName: 'brave-server', ipv4: '10.1.2.3', port: 8080 },
      annotations: [{ value: 'wire' }],
      tags: { 'http.path': '/é' },
    })
    expect(spans.find(({ kind }) => kind === 'SERVER')).toMatchObject({
      id: call.id,
      shared: true,
      localEndpoint: { serviceName: 'brave-server' },
      tags: { error: 'no stock' },
    })
  })
})

const noGo = missing('zipkin-go')
describe.skipIf(noGo)(title('zipkin-go', noGo), () => {
  it.each(['json', 'proto'])('writes %s', async encoding => {
    const traceId = await send(join(folder, 'zipkin-go'), [`http://${collector.zipkin}/api/v2/spans`, encoding])
    expect(await collector.trace(traceId, 2)).toMatchObject([
      { name: 'order', localEndpoint: { serviceName: 'go-client', ipv4: '10.0.0.2', port: 9000 } },
      {
        name: 'get',
        kind: 'CLIENT',
        remoteEndpoint: { serviceName: 'go-server', ipv6: '2001:db8::1', port: 80 },
        tags: { error: 'no stock', 'http.path': '/é' },
      },
    ])
  })
})

const noTelemetrygen = missing('telemetrygen')
describe.skipIf(noTelemetrygen)(title('telemetrygen', noTelemetrygen), () => {
  it.each([
    ['gRPC', []],
    ['HTTP', ['--otlp-http', '--otlp-http-url-path', '/v1/traces']],
  ])('writes over %s', async (name, flags) => {
    const endpoint = name === 'HTTP' ? collector.otlpHttp : collector.otlpGrpc
    const service = `generated-over-${name.toLowerCase()}`
    const args = [
      'traces',
      '--otlp-insecure',
      '--otlp-endpoint',
      endpoint,
      '--traces',
      '7',
      '--service',
      service,
      ...flags,
    ]
    await run(join(folder, 'telemetrygen'), args, { timeout: 150_000 })
    const traces = await collector.search(`serviceName=${service}&limit=100`)
    expect(traces).toHaveLength(7)
    for (const spans of traces) {
      expect(spans.map(({ kind }) => kind).sort()).toEqual(['CLIENT', 'SERVER'])
      expect(spans.every(({ remoteEndpoint }) => remoteEndpoint !== undefined)).toBe(true)
    }
  })
})
