import { parseArgs } from 'node:util'

export interface SelfTracingOptions {
  /** Share of the traces; other than 1, it alone decides. */
  sampleRate: number
  /** Traces that begin here, a second; 0: no limit. */
  tracesPerSecond: number
  /** How long spans are gathered, ms. */
  flushInterval: number
}

/** All that the collector can be told, defaults filled in. Names in comments are zipkin-server's variables. */
export interface Config {
  host: string
  /** QUERY_PORT */
  port: number
  /** undefined: no second listener; OTLP is still taken on `port`. */
  otlpPort: number | undefined
  /** OTLP over gRPC; undefined: none. */
  otlpGrpcPort: number | undefined
  storage: 'sqlite' | 'mem' | 'clickhouse'
  /** CLICKHOUSE_URL, CLICKHOUSE_DATABASE, CLICKHOUSE_USER, CLICKHOUSE_PASSWORD, CLICKHOUSE_TTL_DAYS */
  clickhouse: {
    url: string
    database: string
    user: string | undefined
    password: string | undefined
    ttlDays: number
  }
  /** Folder of the span database. */
  data: string
  maxSpans: number
  maxBytes: number
  /** ms */
  maxAge: number
  /** HOPSCOPE_MAX_PENDING_BYTES: of messages that are under way at once; more is answered 503. */
  maxPendingBytes: number
  /** HOPSCOPE_MAX_REQUEST_SPANS; more of them are refused whole. */
  maxRequestSpans: number
  /** STRICT_TRACE_ID */
  strictTraceId: boolean
  /** SEARCH_ENABLED */
  searchEnabled: boolean
  /** QUERY_ENABLED */
  queryEnabled: boolean
  /** UI_ENABLED; never without the query API. */
  uiEnabled: boolean
  /** COLLECTOR_HTTP_ENABLED */
  collectorEnabled: boolean
  /** COLLECTOR_GRPC_ENABLED: Zipkin's SpanService on `port`. */
  grpcEnabled: boolean
  /** QUERY_LOOKBACK, ms */
  lookback: number
  /** QUERY_TIMEOUT, ms; 0: none */
  queryTimeout: number
  /** HOPSCOPE_MAX_RESULT_SPANS: a search that finds more in all is refused. */
  maxResultSpans: number
  /** AUTOCOMPLETE_KEYS */
  autocompleteKeys: string[]
  /** COLLECTOR_SAMPLE_RATE, 0..1 */
  sampleRate: number
  /** SELF_TRACING_ENABLED, SELF_TRACING_SAMPLE_RATE, SELF_TRACING_TRACES_PER_SECOND, SELF_TRACING_FLUSH_INTERVAL; undefined: off. */
  selfTracing: SelfTracingOptions | undefined
  /** ZIPKIN_QUERY_ALLOWED_ORIGINS */
  allowedOrigins: string[]
  /** ZIPKIN_QUERY_NAMES_MAX_AGE, seconds */
  namesMaxAge: number
  /** Folder of the built viewer; undefined: the one of this checkout. */
  viewer: string | undefined
  ui: UiConfig
}

/** What /zipkin/config.json says (ZIPKIN_UI_*). */
export interface UiConfig {
  basepath: string
  environment: string
  queryLimit: number
  defaultLookback: number
  logsUrl: string | null
  supportUrl: string | null
  archivePostUrl: string | null
  archiveUrl: string | null
  dependency: { enabled: boolean; lowErrorRate: number; highErrorRate: number }
}

/** Every problem of flags and environment at once, one a line. */
export class ConfigError extends Error {
  constructor(problems: string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
  }
}

export const HELP = `Usage: node apps/collector/src/main.ts [flags], or: … store inspect|verify|export|import

  --port N           Zipkin API, OTLP and viewer (QUERY_PORT, 9411)
  --host HOST        address to listen on (HOST, 127.0.0.1)
  --otlp-port N|off  second port for OTLP/HTTP (HOPSCOPE_OTLP_PORT, 4318)
  --otlp-grpc-port N|off
                     OTLP/gRPC (HOPSCOPE_OTLP_GRPC_PORT, 4317; off when the other is set)
  --data FOLDER      where spans are kept (HOPSCOPE_DATA, .hopscope/collector)
  --storage TYPE     sqlite, mem or clickhouse (STORAGE_TYPE, sqlite)
  --max-spans N      oldest traces go above this (HOPSCOPE_MAX_SPANS, no limit; with mem MEM_MAX_SPANS, 500000)
  --max-bytes N      likewise, by size of data and indexes (HOPSCOPE_MAX_BYTES, 2147483648)
  --max-age TIME     likewise, sealed longer ago than this, like 12h or 7d (HOPSCOPE_MAX_AGE, no limit)
  --viewer FOLDER    the built viewer (HOPSCOPE_VIEWER, apps/viewer/dist)

zipkin-server's environment works too: STRICT_TRACE_ID SEARCH_ENABLED QUERY_ENABLED UI_ENABLED QUERY_LOOKBACK
QUERY_TIMEOUT AUTOCOMPLETE_KEYS COLLECTOR_SAMPLE_RATE COLLECTOR_HTTP_ENABLED COLLECTOR_GRPC_ENABLED
ZIPKIN_QUERY_ALLOWED_ORIGINS ZIPKIN_QUERY_NAMES_MAX_AGE ZIPKIN_UI_*; all of it is in docs/collector.md
`

const STORAGE_TYPES = ['sqlite', 'mem', 'clickhouse'] as const

type Environment = Record<string, string | undefined>

/** Variables of zipkin-server that we do not act on, and why somebody who sets them should know. */
const UNSUPPORTED: [pattern: RegExp, why: string][] = [
  [/^(KAFKA|RABBIT|ACTIVEMQ|PULSAR)_/, 'spans come over HTTP and gRPC only'],
  [/^((COLLECTOR_)?SCRIBE_\w+|COLLECTOR_PORT)$/, 'spans come over HTTP and gRPC only'],
  [/^COLLECTOR_(ACTIVEMQ|KAFKA|PULSAR|RABBITMQ)_ENABLED$/, 'spans come over HTTP and gRPC only'],
  [/^(ES|CASSANDRA|MYSQL)_/, 'spans are kept in sqlite, in memory or in ClickHouse'],
  [/^EUREKA_|^DISCOVERY_EUREKA_ENABLED$/, 'the collector registers nowhere'],
  [/^STORAGE_THROTTLE_/, 'writes are grouped, not throttled'],
  [/^AUTOCOMPLETE_TTL$/, 'values are kept once, there is nothing to expire'],
]

/** Reads flags over environment over defaults; throws ConfigError with all problems. */
export function readConfig(argv: string[], environment: Environment): { config: Config; warnings: string[] } | 'help' {
  const problems: string[] = []
  const flags = readFlags(argv, problems)
  if (flags.help) return 'help'

  const text = (name: string, flag?: string): { value: string; from: string } | undefined => {
    if (flag !== undefined && flags[flag] !== undefined) return { value: String(flags[flag]), from: `--${flag}` }
    const value = environment[name]
    // An empty variable is how compose files unset one.
    return value === undefined || value === '' ? undefined : { value, from: name }
  }
  const problem = (given: { value: string; from: string }, expected: string): void => {
    problems.push(`${given.from}=${given.value}: ${expected} was expected`)
  }
  const integer = (name: string, fallback: number, min: number, max: number, flag?: string): number => {
    const given = text(name, flag)
    if (given === undefined) return fallback
    const value = Number(given.value)
    if (/^\d+$/.test(given.value) && value >= min && value <= max) return value
    problem(given, `an integer from ${min} to ${max}`)
    return fallback
  }
  const port = (name: string, fallback: number | undefined, flag: string): number | undefined => {
    const given = text(name, flag)
    if (given === undefined || given.value === 'off') return given ? undefined : fallback
    return integer(name, 0, 0, 65535, flag)
  }
  const boolean = (name: string, fallback: boolean): boolean => {
    const given = text(name)
    if (given === undefined) return fallback
    if (/^(true|false)$/i.test(given.value)) return given.value.toLowerCase() === 'true'
    problem(given, 'true or false')
    return fallback
  }
  const rate = (name: string, fallback: number): number => {
    const given = text(name)
    if (given === undefined) return fallback
    const value = Number(given.value)
    if (value >= 0 && value <= 1) return value
    if (name === 'COLLECTOR_SAMPLE_RATE') problems.push(`rate should be between 0 and 1: was ${given.value}`)
    else problem(given, 'a number from 0 to 1')
    return fallback
  }
  const list = (name: string, fallback: string[]): string[] => {
    const given = text(name)
    if (given === undefined) return fallback
    return given.value
      .split(',')
      .map(item => item.trim())
      .filter(item => item !== '')
  }

  const storage = text('STORAGE_TYPE', 'storage') ?? { value: 'sqlite', from: 'default' }
  const storageType = STORAGE_TYPES.find(type => type === storage.value)
  if (storageType === undefined) problem(storage, 'sqlite, mem or clickhouse')
  const inMemory = storageType === 'mem'
  const queryEnabled = boolean('QUERY_ENABLED', true)
  const timeout = text('QUERY_TIMEOUT')
  const queryTimeout = timeout === undefined ? 11_000 : parseDuration(timeout.value)
  if (timeout !== undefined && queryTimeout === undefined) problem(timeout, 'a duration like 11s or 500ms')
  const age = text('HOPSCOPE_MAX_AGE', 'max-age')
  const maxAge = age && parseDuration(age.value)
  if (age !== undefined && !maxAge) problem(age, 'a duration like 12h or 7d')
  const selfTracing: SelfTracingOptions = {
    sampleRate: rate('SELF_TRACING_SAMPLE_RATE', 1),
    tracesPerSecond: integer('SELF_TRACING_TRACES_PER_SECOND', 1, 0, 2 ** 31 - 1),
    flushInterval: integer('SELF_TRACING_FLUSH_INTERVAL', 1, 1, 3600) * 1000,
  }

  const basepath = text('ZIPKIN_UI_BASEPATH')?.value ?? '/zipkin'

  const config: Config = {
    host: text('HOST', 'host')?.value ?? '127.0.0.1',
    port: integer('QUERY_PORT', 9411, 0, 65535, 'port'),
    otlpPort: port('HOPSCOPE_OTLP_PORT', 4318, 'otlp-port'),
    // Whoever moves or closes one port of OTLP does not expect the other to be taken.
    otlpGrpcPort: port(
      'HOPSCOPE_OTLP_GRPC_PORT',
      text('HOPSCOPE_OTLP_PORT', 'otlp-port') === undefined ? 4317 : undefined,
      'otlp-grpc-port',
    ),
    storage: storageType ?? 'sqlite',
    clickhouse: {
      url: text('CLICKHOUSE_URL')?.value ?? 'http://127.0.0.1:8123',
      database: text('CLICKHOUSE_DATABASE')?.value ?? 'hopscope',
      user: text('CLICKHOUSE_USER')?.value,
      password: text('CLICKHOUSE_PASSWORD')?.value,
      ttlDays: integer('CLICKHOUSE_TTL_DAYS', 7, 1, 3650),
    },
    data: text('HOPSCOPE_DATA', 'data')?.value ?? '.hopscope/collector',
    maxSpans: integer(
      inMemory ? 'MEM_MAX_SPANS' : 'HOPSCOPE_MAX_SPANS',
      inMemory ? 500_000 : Number.MAX_SAFE_INTEGER,
      1,
      Number.MAX_SAFE_INTEGER,
      'max-spans',
    ),
    maxBytes: integer('HOPSCOPE_MAX_BYTES', 2 * 1024 ** 3, 1024 ** 2, Number.MAX_SAFE_INTEGER, 'max-bytes'),
    maxPendingBytes: integer('HOPSCOPE_MAX_PENDING_BYTES', 64 * 1024 ** 2, 1, Number.MAX_SAFE_INTEGER),
    maxAge: maxAge ?? Number.POSITIVE_INFINITY,
    maxRequestSpans: integer('HOPSCOPE_MAX_REQUEST_SPANS', 200_000, 1, Number.MAX_SAFE_INTEGER),
    strictTraceId: boolean('STRICT_TRACE_ID', true),
    searchEnabled: boolean('SEARCH_ENABLED', true),
    queryEnabled,
    uiEnabled: queryEnabled && boolean('UI_ENABLED', true),
    collectorEnabled: boolean('COLLECTOR_HTTP_ENABLED', boolean('HTTP_COLLECTOR_ENABLED', true)),
    grpcEnabled: boolean('COLLECTOR_GRPC_ENABLED', true),
    lookback: integer('QUERY_LOOKBACK', 86_400_000, 1, Number.MAX_SAFE_INTEGER),
    queryTimeout: queryTimeout ?? 0,
    maxResultSpans: integer('HOPSCOPE_MAX_RESULT_SPANS', 1_000_000, 1, Number.MAX_SAFE_INTEGER),
    autocompleteKeys: list('AUTOCOMPLETE_KEYS', []),
    sampleRate: rate('COLLECTOR_SAMPLE_RATE', 1),
    selfTracing: boolean('SELF_TRACING_ENABLED', false) ? selfTracing : undefined,
    allowedOrigins: list('ZIPKIN_QUERY_ALLOWED_ORIGINS', ['*']),
    namesMaxAge: integer('ZIPKIN_QUERY_NAMES_MAX_AGE', 300, 0, 2 ** 31 - 1),
    viewer: text('HOPSCOPE_VIEWER', 'viewer')?.value,
    ui: {
      basepath: `/${basepath.replace(/^\/+|\/+$/g, '')}`,
      environment: text('ZIPKIN_UI_ENVIRONMENT')?.value ?? '',
      queryLimit: integer('ZIPKIN_UI_QUERY_LIMIT', 10, 1, 2 ** 31 - 1),
      defaultLookback: integer('ZIPKIN_UI_DEFAULT_LOOKBACK', 900_000, 1, Number.MAX_SAFE_INTEGER),
      logsUrl: text('ZIPKIN_UI_LOGS_URL')?.value ?? null,
      supportUrl: text('ZIPKIN_UI_SUPPORT_URL')?.value ?? null,
      archivePostUrl: text('ZIPKIN_UI_ARCHIVE_POST_URL')?.value ?? null,
      archiveUrl: text('ZIPKIN_UI_ARCHIVE_URL')?.value ?? null,
      dependency: {
        enabled: boolean('ZIPKIN_UI_DEPENDENCY_ENABLED', true),
        lowErrorRate: rate('ZIPKIN_UI_DEPENDENCY_LOW_ERROR_RATE', 0.5),
        highErrorRate: rate('ZIPKIN_UI_DEPENDENCY_HIGH_ERROR_RATE', 0.75),
      },
    },
  }
  if (problems.length > 0) throw new ConfigError(problems)
  const warnings = unsupported(environment)
  if (!inMemory && environment.MEM_MAX_SPANS) {
    warnings.push(`MEM_MAX_SPANS has no effect: STORAGE_TYPE is ${config.storage}; HOPSCOPE_MAX_SPANS is for sqlite`)
  }
  return { config, warnings }
}

function readFlags(argv: string[], problems: string[]): Record<string, string | boolean | undefined> {
  const string = { type: 'string' } as const
  try {
    return parseArgs({
      args: argv,
      options: {
        port: string,
        host: string,
        'otlp-port': string,
        'otlp-grpc-port': string,
        data: string,
        storage: string,
        'max-spans': string,
        'max-bytes': string,
        'max-age': string,
        viewer: string,
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    problems.push(`${(error as Error).message.split('. ')[0]}; --help lists the flags`)
    return {}
  }
}

/** `11s`, `500ms`, `1m`, `7d`; a bare number is ms. → ms */
function parseDuration(text: string): number | undefined {
  const [, number, unit] = /^(\d+)(ms|s|m|h|d)?$/.exec(text) ?? []
  if (number === undefined) return undefined
  const ms = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit ?? 'ms'] ?? 1
  return Number(number) * ms
}

function unsupported(environment: Environment): string[] {
  return Object.keys(environment).flatMap(name => {
    const why = environment[name] ? UNSUPPORTED.find(([pattern]) => pattern.test(name))?.[1] : undefined
    return why === undefined ? [] : [`${name} has no effect: ${why}`]
  })
}
