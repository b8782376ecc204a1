import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpuSeconds, rssMegabytes } from './processes.ts'
import { LARGE_BODY } from './variants.ts'

/** A proxy at work. */
export interface Running {
  name: string
  port: number
  pid: number
}

export interface Bench {
  folder: string
  /** The backend's port, to be asked without a proxy. */
  backend: number
  seconds: number
}

/** One line of the table of goals. */
export interface Row {
  title: string
  variants: string[]
  /** Only the first round says something: what was taken once is used again. */
  once?: true
  /** The column whose ratio is told. */
  ratioOf?: string
  warmUp(proxy: Running, bench: Bench): Promise<void> | void
  /** Columns by name. */
  measure(proxy: Running, bench: Bench): Promise<Record<string, number>> | Record<string, number>
}

const BOTH = ['nginx', 'envoy', 'hopscope']
/** Milliseconds; no load of ours takes so long. */
const PATIENCE = 60_000
/** Requests for the compilers of a Node to have seen enough. */
const WARM_UP_SECONDS = 2

export const ROWS: Readonly<Record<string, Row>> = {
  get: {
    title: 'GET 1 KB, 32 connections',
    variants: [...BOTH, ...['hopscope, sockets', 'node:http + undici'], ...bothWith('Zipkin'), ...bothWith('OTLP')],
    ratioOf: 'req/CPU-s',
    warmUp: ({ port }) => void wrk(port, 32, WARM_UP_SECONDS),
    measure: (proxy, { seconds }) => saturated(proxy, () => wrk(proxy.port, 32, seconds)),
  },
  detailed: {
    title: 'GET 1 KB, 32 connections, two spans a request with verbose annotations, as the sidecars of the scenarios',
    variants: ['envoy', ...bothWith('Zipkin-detailed'), ...bothWith('OTLP-detailed')],
    ratioOf: 'req/CPU-s',
    warmUp: ({ port }) => void wrk(port, 32, WARM_UP_SECONDS),
    measure: (proxy, { seconds }) => saturated(proxy, () => wrk(proxy.port, 32, seconds)),
  },
  post: {
    title: 'POST 4 KB, 64 connections',
    variants: BOTH,
    ratioOf: 'req/CPU-s',
    warmUp: ({ port }, { folder }) => void wrk(port, 64, WARM_UP_SECONDS, postScript(folder)),
    measure: (proxy, { folder, seconds }) => saturated(proxy, () => wrk(proxy.port, 64, seconds, postScript(folder))),
  },
  latency: {
    title: 'GET 1 KB at 1,000 requests a second, 8 connections: added to what the backend itself takes',
    variants: BOTH,
    ratioOf: 'added p99 ms',
    warmUp: ({ port }) => void wrk(port, 32, WARM_UP_SECONDS),
    measure({ port }, { backend, seconds }) {
      const direct = run<Latencies>('paced-load.ts', backend, seconds)
      const through = run<Latencies>('paced-load.ts', port, seconds)
      return {
        'added p50 ms': through.p50 - direct.p50,
        'added p99 ms': through.p99 - direct.p99,
        'p99 ms': through.p99,
        'backend p99 ms': direct.p99,
      }
    },
  },
  bodies: {
    title: 'bodies of 100 MB, down and up, one at a time',
    variants: BOTH,
    ratioOf: 'MB/CPU-s',
    warmUp: ({ port }) => void run('body-load.ts', port, 0),
    measure({ port, pid }) {
      const [cpu, rss] = [cpuSeconds(pid), rssMegabytes(pid)]
      const { peak } = run<{ peak: number }>('body-load.ts', port, pid)
      return { 'MB/CPU-s': (8 * LARGE_BODY) / 1024 ** 2 / (cpuSeconds(pid) - cpu), 'RSS growth MB': peak - rss }
    },
  },
  idle: {
    title: '5,000 connections that did one request each and are idle',
    variants: BOTH,
    once: true,
    ratioOf: 'KB a connection',
    warmUp: ({ port }) => void wrk(port, 32, WARM_UP_SECONDS),
    measure: ({ port, pid }) => ({
      'KB a connection': run<{ kilobytes: number }>('idle-load.ts', port, pid).kilobytes,
    }),
  },
}

function bothWith(tracer: string): string[] {
  return [`envoy + ${tracer}`, `hopscope + ${tracer}`]
}

interface Latencies {
  p50: number
  p99: number
}

/** GETs on 32 connections: µs of CPU time for one. */
export function microsecondsPerRequest(proxy: Running, seconds: number): number {
  return saturated(proxy, () => wrk(proxy.port, 32, seconds))['µs/req']!
}

/** Requests per CPU-second while `load` has all that the proxy can do. */
function saturated({ pid }: Running, load: () => WrkResult): Record<string, number> {
  const before = cpuSeconds(pid)
  const { requests, rate, p50, p99 } = load()
  const cpu = cpuSeconds(pid) - before
  return { 'req/CPU-s': requests / cpu, 'µs/req': (cpu * 1e6) / requests, 'req/s': rate, 'p50 ms': p50, 'p99 ms': p99 }
}

interface WrkResult {
  requests: number
  rate: number
  p50: number
  p99: number
}

/** Throws when a request failed: a proxy that answers 503 is fast. */
function wrk(port: number, connections: number, seconds: number, script?: string): WrkResult {
  const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--latency']
  if (script !== undefined) args.push('-s', script)
  const done = spawnSync('taskset', ['-c', '1', 'wrk', ...args, `http://127.0.0.1:${port}/1k`], { encoding: 'utf8' })
  const text = done.stdout
  const requests = Number(/(\d+) requests in/.exec(text)?.[1])
  const failure = /Non-2xx.*: \d+/.exec(text)?.[0] ?? /Socket errors: .*/.exec(text)?.[0]
  if (!(requests > 0) || failure !== undefined) {
    throw new Error(`wrk on port ${port}: ${failure ?? 'no request'}\n${text}${done.stderr}`)
  }
  const percentile = (share: string) => milliseconds(new RegExp(`^\\s+${share}%\\s+(\\S+)`, 'm').exec(text)?.[1] ?? '')
  return { requests, rate: requests / seconds, p50: percentile('50'), p99: percentile('99') }
}

/** `1.20ms`, `900.00us`, `1.1s` */
function milliseconds(text: string): number {
  const value = Number.parseFloat(text)
  return text.endsWith('us') ? value / 1000 : text.endsWith('ms') ? value : value * 1000
}

function postScript(folder: string): string {
  const path = join(folder, 'post.lua')
  writeFileSync(path, 'wrk.method = "POST"\nwrk.body = string.rep("x", 4096)\n')
  return path
}

/** A load of ours, in a process of its own on the second core; says its result as JSON. */
function run<Result>(script: string, ...args: number[]): Result {
  const path = join(import.meta.dirname, script)
  const done = spawnSync('taskset', ['-c', '1', process.execPath, path, ...args.map(String)], {
    encoding: 'utf8',
    timeout: PATIENCE,
  })
  if (done.status !== 0) throw new Error(`${script} ended with ${done.status ?? done.signal}: ${done.stderr}`)
  return JSON.parse(done.stdout)
}
