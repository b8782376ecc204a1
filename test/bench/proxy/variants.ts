import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bootstrap } from '../../conformance/envoy/harness/config.ts'
import { findEnvoy, freePorts, HOW_TO_GET_ENVOY } from '../../conformance/envoy/harness/program.ts'
import { pinned, waitForPort } from './processes.ts'

export interface Variant {
  name: string
  port: number
  command: string
  args: string[]
  /** Why it cannot run here. */
  missing?: string
}

const root = join(import.meta.dirname, '../../..')

/** nginx with a 1 KB answer. */
export async function startBackend(folder: string): Promise<number> {
  const [port] = (await freePorts(1)) as [number]
  startNginx(
    folder,
    'backend',
    1,
    `server { listen 127.0.0.1:${port}; location / { return 200 "${'x'.repeat(1024)}"; } }`,
  )
  await waitForPort(port, 'the backend')
  return port
}

/** Answers 202 to everything. */
export async function startSink(folder: string): Promise<number> {
  const [port] = (await freePorts(1)) as [number]
  startNginx(
    folder,
    'sink',
    1,
    `server { listen 127.0.0.1:${port}; client_max_body_size 100m; location / { return 202; } }`,
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
  }
  const configuration = (name: string, listener: number, traced: boolean) => {
    const admin = listener + 100
    const file = join(folder, `${name}.json`)
    const options = {
      hcm: { access_log: [] },
      listener: { traffic_direction: 'OUTBOUND' },
      // Envoy's own default.
      runtime: { tracing: { zipkin: { min_flush_spans: 5 } } },
      ...(traced ? { tracing: {} } : {}),
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
  const envoyVariant = (name: string, port: number, traced: boolean): Variant => ({
    name,
    port,
    command: envoy ?? '',
    args: ['-c', configuration(name, port, traced), '--concurrency', '1', '--disable-hot-restart', '-l', 'error'],
    ...(envoy === undefined ? { missing: HOW_TO_GET_ENVOY } : {}),
  })
  const ourVariant = (name: string, port: number, traced: boolean, transport = 'auto'): Variant => ({
    name,
    port,
    command: 'env',
    args: [
      `HOPSCOPE_TRANSPORT=${transport}`,
      process.execPath,
      join(root, 'apps/sidecar/src/main.ts'),
      '-c',
      configuration(name, port, traced),
      '-l',
      'error',
    ],
  })

  writeNginx(
    folder,
    'proxy',
    `upstream app { server 127.0.0.1:${backend}; keepalive 64; } server { listen 127.0.0.1:${ports.nginx}; ` +
      'location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; } }',
  )
  yield { name: 'nginx', port: ports.nginx, command: 'nginx', args: nginxArgs(folder, 'proxy') }
  yield envoyVariant('envoy', ports.envoy, false)
  yield ourVariant('hopscope', ports.ours, false)
  yield ourVariant('hopscope, sockets', ports.oursOnSockets, false, 'socket')
  yield {
    name: 'node:http + undici',
    port: ports.undici,
    command: process.execPath,
    args: [join(import.meta.dirname, 'undici-proxy.ts'), String(ports.undici), String(backend)],
  }
  yield envoyVariant('envoy + Zipkin', ports.envoyTraced, true)
  yield ourVariant('hopscope + Zipkin', ports.oursTraced, true)
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
