import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bootstrap } from '../../conformance/envoy/harness/config.ts'
import { findEnvoy, HOW_TO_GET_ENVOY } from '../../conformance/envoy/harness/program.ts'
import { freePorts } from '../../conformance/free-ports.ts'
import { pinned, waitForPort } from './processes.ts'

export interface Variant {
  name: string
  port: number
  command: string
  args: string[]
  /** Why it cannot run here. */
  missing?: string
}

interface Tracer {
  format: 'zipkin' | 'otlp'
  /** As the scenarios' sidecars have it: a span for each attempt too, and all that `verbose` tells. */
  detailed?: true
}

const root = join(import.meta.dirname, '../../..')

/** nginx with a 1 KB answer, a file of 100 MB at `/large`, and room for as large a body, which it reads before it answers. */
export async function startBackend(folder: string): Promise<number> {
  const [port] = (await freePorts(1)) as [number]
  mkdirSync(join(folder, 'files'))
  writeFileSync(join(folder, 'files', 'large'), Buffer.alloc(LARGE_BODY, 'x'))
  const locations =
    `location / { return 200 "${'x'.repeat(1024)}"; } location = /large { root ${join(folder, 'files')}; } ` +
    // All of a body is read before it is answered: nginx passes on what it has whole.
    `location = /take { client_max_body_size 200m; proxy_pass http://127.0.0.1:${port}/taken; } ` +
    'location = /taken { client_max_body_size 200m; return 200 "taken"; }'
  startNginx(folder, 'backend', 1, `server { listen 127.0.0.1:${port} backlog=4096; sendfile on; ${locations} }`)
  await waitForPort(port, 'the backend')
  return port
}

/** Bytes. */
export const LARGE_BODY = 100 * 1024 * 1024

/** Answers every report as its collector does. */
export async function startSink(folder: string): Promise<number> {
  const [port] = (await freePorts(1)) as [number]
  startNginx(
    folder,
    'sink',
    1,
    `server { listen 127.0.0.1:${port}; client_max_body_size 100m; location / { return 202; } location /v1/ { return 200; } }`,
  )
  await waitForPort(port, 'the span sink')
  return port
}

export function* variants(folder: string, backend: number, sink: number): Generator<Variant> {
  // Below the range from which the kernel takes ports of outgoing connections: a variant that already runs must not take the next one's.
  const ports = {
    nginx: 21001,
    envoy: 21002,
    envoyTraced: 21003,
    ours: 21004,
    oursTraced: 21005,
    undici: 21006,
    oursOnSockets: 21007,
    envoyOtlp: 21008,
    oursOtlp: 21009,
    envoyDetailed: 21010,
    oursDetailed: 21011,
    envoyOtlpDetailed: 21012,
    oursOtlpDetailed: 21013,
  }
  const configuration = (name: string, listener: number, tracer: Tracer | undefined) => {
    const admin = listener + 100
    const file = join(folder, `${name}.json`)
    const options = {
      hcm: { access_log: [] },
      listener: { traffic_direction: 'OUTBOUND' },
      // Envoy's own default.
      runtime: { tracing: { zipkin: { min_flush_spans: 5 }, opentelemetry: { min_flush_spans: 5 } } },
      ...(tracer === undefined ? {} : { tracing: tracingOf(tracer) }),
    }
    const config = bootstrap(
      options,
      { listener, admin, collector: sink, upstream: { app: backend }, dead: 1 },
      '/dev/null',
    )
    writeFileSync(file, JSON.stringify(config))
    return file
  }
  const envoy = findEnvoy()
  const envoyVariant = (name: string, port: number, tracer?: Tracer): Variant => ({
    name,
    port,
    command: envoy ?? '',
    args: ['-c', configuration(name, port, tracer), '--concurrency', '1', '--disable-hot-restart', '-l', 'error'],
    ...(envoy === undefined ? { missing: HOW_TO_GET_ENVOY } : {}),
  })
  const ourVariant = (name: string, port: number, tracer?: Tracer, transport = 'auto'): Variant => ({
    name,
    port,
    command: 'env',
    args: [
      `HOPSCOPE_TRANSPORT=${transport}`,
      // As ./hopscope starts it, but for 2 MB of young heap in place of 1: a mesh of many needs them small, this one is under load.
      `NODE_COMPILE_CACHE=${join(root, '.cache/compile')}`,
      process.execPath,
      '--max-semi-space-size=2',
      join(root, 'apps/sidecar/src/main.ts'),
      '-c',
      configuration(name, port, tracer),
      '-l',
      'error',
    ],
  })

  writeNginx(
    folder,
    'proxy',
    `upstream app { server 127.0.0.1:${backend}; keepalive 64; } server { listen 127.0.0.1:${ports.nginx}; ` +
      'location / { proxy_pass http://app; proxy_http_version 1.1; client_max_body_size 0; proxy_request_buffering off; proxy_set_header Connection ""; } }',
  )
  yield { name: 'nginx', port: ports.nginx, command: 'nginx', args: nginxArgs(folder, 'proxy') }
  yield envoyVariant('envoy', ports.envoy)
  yield ourVariant('hopscope', ports.ours)
  yield ourVariant('hopscope, sockets', ports.oursOnSockets, undefined, 'socket')
  yield {
    name: 'node:http + undici',
    port: ports.undici,
    command: process.execPath,
    args: [join(import.meta.dirname, 'undici-proxy.ts'), String(ports.undici), String(backend)],
  }
  const traced = (tracer: string, [envoyPort, ourPort]: [number, number], how: Tracer): Variant[] => [
    envoyVariant(`envoy + ${tracer}`, envoyPort, how),
    ourVariant(`hopscope + ${tracer}`, ourPort, how),
  ]
  yield* traced('Zipkin', [ports.envoyTraced, ports.oursTraced], { format: 'zipkin' })
  yield* traced('OTLP', [ports.envoyOtlp, ports.oursOtlp], { format: 'otlp' })
  yield* traced('Zipkin-detailed', [ports.envoyDetailed, ports.oursDetailed], { format: 'zipkin', detailed: true })
  yield* traced('OTLP-detailed', [ports.envoyOtlpDetailed, ports.oursOtlpDetailed], { format: 'otlp', detailed: true })
}

function tracingOf({ format, detailed }: Tracer) {
  return {
    ...(detailed === true ? { spawn_upstream_span: true, verbose: true } : {}),
    ...(format === 'otlp' ? { otlp: {} } : {}),
  }
}

function startNginx(folder: string, name: string, core: number, server: string): void {
  writeNginx(folder, name, server)
  pinned(core, 'nginx', nginxArgs(folder, name), name)
}

function nginxArgs(folder: string, name: string): string[] {
  return ['-p', folder, '-c', join(folder, `${name}.conf`), '-e', join(folder, `${name}.log`)]
}

/** In the foreground, one process that serves by itself, so that its CPU time is one number. */
function writeNginx(folder: string, name: string, server: string): void {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(kind => `${kind}_temp_path ${join(folder, `${name}-${kind}`)};`)
    .join(' ')
  writeFileSync(
    join(folder, `${name}.conf`),
    `daemon off; master_process off; pid ${join(folder, `${name}.pid`)}; events { worker_connections 4096; }\n` +
      `http { access_log off; keepalive_requests 100000000; ${temporary} ${server} }\n`,
  )
}
