import { type Milliseconds, parseDuration } from './duration.ts'
import type { Forward } from './forward-headers.ts'
import { type HostPort, parseHostPort } from './host-port.ts'
import type { Upstream } from './work/upstreams.ts'

export interface ServiceConfig {
  name: string
  listen: HostPort
  /** A second listener that can be kept from accepting (routes/slow-door.ts). */
  slowDoor?: HostPort
  /** Text of a good answer (fake-service `MESSAGE`). */
  message: string
  upstreams: readonly Upstream[]
  /** Upstreams asked at the same time; 1 asks one after the other. */
  upstreamWorkers: number
  /** Where every upstream is reached instead of at its own host: the sidecar's outbound listener. */
  outbound?: HostPort
  upstreamTimeout: Milliseconds
  forward: Forward
  /** What is left of the caller's deadline (Envoy's x-envoy-expected-rq-timeout-ms) goes on to the upstreams. */
  forwardDeadline: boolean
  timing: { p50: Milliseconds; p90: Milliseconds; p99: Milliseconds; variancePercent: number }
  errors: {
    /** Share of requests that fail, 0..1. */
    rate: number
    /** Every n-th request fails; 0 is never. */
    every: number
    type: 'http_error' | 'delay' | 'reset'
    code: number
    delay: Milliseconds
  }
  /** Requests that may work at the same time, the others queue; 0 is no lock. */
  lock: number
  /** Same seed, same sequence of latencies and errors. */
  seed: number
  tracing?: { endpoint: string }
}

export type ConfigResult = ({ ok: true } & ServiceConfig) | { ok: false; problems: string[] }

/**
 * The variables of README.md, all of them read before the verdict: `problems` has every bad one with its name, its value
 * and what was expected. Names and defaults are fake-service's where it has the same thing.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ConfigResult {
  const problems: string[] = []
  const read = <T>(name: string, fallback: T, parse: (text: string) => T | undefined, expected: string): T => {
    const text = env[name]?.trim()
    if (text === undefined || text === '') return fallback
    const value = parse(text)
    if (value !== undefined) return value
    problems.push(`${name}: ${JSON.stringify(text)} is not ${expected}`)
    return fallback
  }
  const duration = (name: string, fallback: Milliseconds) =>
    read(name, fallback, parseDuration, 'a duration such as 250ms, 1.5s or 1m')
  const number = (name: string, fallback: number, min: number, max: number) =>
    read(name, fallback, numberIn(min, max), `a number from ${min} to ${max}`)
  const integer = (name: string, fallback: number, min: number, max: number) =>
    read(name, fallback, integerIn(min, max), `a whole number from ${min} to ${max}`)
  const oneOf = <T extends string>(name: string, fallback: T, words: readonly T[]) =>
    read(name, fallback, text => words.find(word => word === text), `one of ${words.join(', ')}`)
  const address = 'host:port, or :port for every interface'

  const p50 = duration('TIMING_50_PERCENTILE', 0)
  const p90 = duration('TIMING_90_PERCENTILE', p50)
  const p99 = duration('TIMING_99_PERCENTILE', p90)
  const outbound =
    env.OUTBOUND_ADDR === 'none'
      ? undefined
      : read<HostPort | undefined>('OUTBOUND_ADDR', undefined, parseHostPort, `${address}, or none`)
  const slowDoor = read<HostPort | undefined>('SLOW_LISTEN_ADDR', undefined, parseHostPort, address)
  const tracing = oneOf('TRACING', 'none', ['none', 'sdk'])

  const config: ServiceConfig = {
    name: env.NAME || 'Service',
    listen: read('LISTEN_ADDR', { host: '127.0.0.1', port: 9090 }, parseHostPort, address),
    message: env.MESSAGE ?? 'Hello World',
    upstreams: read(
      'UPSTREAM_URIS',
      [],
      parseUpstreams,
      'a list of http:// addresses with commas between, each with an optional /path= before it',
    ),
    upstreamWorkers: integer('UPSTREAM_WORKERS', 1, 1, 1000),
    ...(outbound === undefined ? {} : { outbound }),
    upstreamTimeout: duration('HTTP_CLIENT_REQUEST_TIMEOUT', 30_000),
    forward: oneOf('FORWARD', 'all', ['all', 'none', 'request-id']),
    forwardDeadline: oneOf('FORWARD_DEADLINE', 'no', ['yes', 'no']) === 'yes',
    timing: { p50, p90, p99, variancePercent: number('TIMING_VARIANCE', 0, 0, 100) },
    errors: {
      rate: number('ERROR_RATE', 0, 0, 1),
      every: integer('ERROR_EVERY', 0, 0, Number.MAX_SAFE_INTEGER),
      type: oneOf('ERROR_TYPE', 'http_error', ['http_error', 'delay', 'reset']),
      code: integer('ERROR_CODE', 500, 200, 599),
      delay: duration('ERROR_DELAY', 0),
    },
    lock: integer('LOCK', 0, 0, 1000),
    seed: integer('SEED', 1, 0, 0xffffffff),
    ...(slowDoor === undefined ? {} : { slowDoor }),
    ...(tracing === 'sdk'
      ? { tracing: { endpoint: env.OTEL_EXPORTER_ZIPKIN_ENDPOINT || 'http://localhost:9411/api/v2/spans' } }
      : {}),
  }
  return problems.length === 0 ? { ok: true, ...config } : { ok: false, problems }
}

/** `http://a/,/checkout=http://b/` → a for every path, b for /checkout and below. */
function parseUpstreams(text: string): Upstream[] | undefined {
  const upstreams: Upstream[] = []
  for (const item of text.split(',').map(part => part.trim())) {
    if (item === '') continue
    const [, path = '/', uri] = /^(?:(\/[^=]*)=)?(http:\/\/.+)$/.exec(item) ?? []
    if (uri === undefined || !URL.canParse(uri)) return undefined
    upstreams.push({ path, uri: new URL(uri) })
  }
  return upstreams
}

function numberIn(min: number, max: number): (text: string) => number | undefined {
  return text => {
    const value = Number(text)
    return value >= min && value <= max ? value : undefined
  }
}

function integerIn(min: number, max: number): (text: string) => number | undefined {
  const inRange = numberIn(min, max)
  return text => (/^\d+$/.test(text) ? inRange(text) : undefined)
}
