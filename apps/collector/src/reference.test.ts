import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Config, HELP, readConfig } from './config.ts'

/** docs/collector.md is the reference of what can be told to the collector: it and the code must agree. */
const page = readFileSync(new URL('../../../docs/collector.md', import.meta.url), 'utf8')
const rows = page
  .slice(page.indexOf('## Configuration'), page.indexOf('## Ways in'))
  .split('\n')
  .filter(line => line.startsWith('| `'))
  .map(line => line.split('|').map(cell => cell.trim()))
  .map(([, names, fallback]) => ({
    variables: [...names!.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name!),
    flags: [...names!.matchAll(/`--([a-z-]+)`/g)].map(([, name]) => name!),
    defaults: [...fallback!.matchAll(/`([^`]+)`/g)].map(([, value]) => value!),
  }))

/** All that zipkin-server 3.6.1 looks at (`zipkin-server-shared.yml` in its jar). */
const ZIPKIN_VARIABLES = `
  ACTIVEMQ_CONCURRENCY ACTIVEMQ_PASSWORD ACTIVEMQ_QUEUE ACTIVEMQ_URL ACTIVEMQ_USERNAME AUTOCOMPLETE_KEYS AUTOCOMPLETE_TTL
  CASSANDRA_CONTACT_POINTS CASSANDRA_ENSURE_SCHEMA CASSANDRA_INDEX_FETCH_MULTIPLIER CASSANDRA_KEYSPACE CASSANDRA_LOCAL_DC
  CASSANDRA_MAX_CONNECTIONS CASSANDRA_PASSWORD CASSANDRA_SSL_HOSTNAME_VALIDATION CASSANDRA_USERNAME CASSANDRA_USE_SSL
  COLLECTOR_ACTIVEMQ_ENABLED COLLECTOR_GRPC_ENABLED COLLECTOR_HTTP_ENABLED COLLECTOR_KAFKA_ENABLED COLLECTOR_PORT
  COLLECTOR_PULSAR_ENABLED COLLECTOR_RABBITMQ_ENABLED COLLECTOR_SAMPLE_RATE COLLECTOR_SCRIBE_ENABLED DISCOVERY_EUREKA_ENABLED
  ES_CREDENTIALS_FILE ES_CREDENTIALS_REFRESH_INTERVAL ES_DATE_SEPARATOR ES_ENSURE_TEMPLATES ES_HEALTH_CHECK_ENABLED
  ES_HEALTH_CHECK_INTERVAL ES_HOSTS ES_HTTP_LOGGING ES_INDEX ES_INDEX_REPLICAS ES_INDEX_SHARDS ES_PASSWORD ES_PIPELINE
  ES_SSL_NO_VERIFY ES_TEMPLATE_PRIORITY ES_TIMEOUT ES_USERNAME EUREKA_APP_NAME EUREKA_HOSTNAME EUREKA_INSTANCE_ID
  EUREKA_SERVICE_URL HTTP_COLLECTOR_ENABLED KAFKA_BOOTSTRAP_SERVERS KAFKA_GROUP_ID KAFKA_STREAMS KAFKA_TOPIC MEM_MAX_SPANS
  MYSQL_DB MYSQL_HOST MYSQL_JDBC_URL MYSQL_MAX_CONNECTIONS MYSQL_PASS MYSQL_TCP_PORT MYSQL_USER MYSQL_USE_SSL
  PULSAR_CONCURRENCY PULSAR_SERVICE_URL PULSAR_SUBSCRIPTION_NAME PULSAR_TOPIC QUERY_ENABLED QUERY_LOOKBACK QUERY_PORT
  QUERY_TIMEOUT RABBIT_ADDRESSES RABBIT_CONCURRENCY RABBIT_CONNECTION_TIMEOUT RABBIT_PASSWORD RABBIT_QUEUE RABBIT_URI
  RABBIT_USER RABBIT_USE_SSL RABBIT_VIRTUAL_HOST SCRIBE_CATEGORY SCRIBE_ENABLED SEARCH_ENABLED SELF_TRACING_ENABLED
  SELF_TRACING_FLUSH_INTERVAL SELF_TRACING_SAMPLE_RATE SELF_TRACING_TRACES_PER_SECOND STORAGE_THROTTLE_ENABLED
  STORAGE_THROTTLE_MAX_CONCURRENCY STORAGE_THROTTLE_MAX_QUEUE_SIZE STORAGE_THROTTLE_MIN_CONCURRENCY STORAGE_TYPE
  STRICT_TRACE_ID UI_ENABLED
`
  .trim()
  .split(/\s+/)

function configOf(environment: Record<string, string>, argv: string[] = []): Config {
  const read = readConfig(argv, environment)
  if (read === 'help') throw new Error('help')
  return read.config
}

/** Every variable that is looked at, whatever the store. */
function variablesRead(): string[] {
  const names = new Set<string>()
  for (const storage of ['sqlite', 'mem', 'clickhouse']) {
    readConfig(
      ['--storage', storage],
      new Proxy({} as Record<string, string | undefined>, {
        get: (_, name) => {
          names.add(String(name))
          return undefined
        },
      }),
    )
  }
  // Where the kind of store comes from, which the flags above have hidden.
  return [...names, 'STORAGE_TYPE'].sort()
}

describe('docs/collector.md', () => {
  it('names every variable that is read, and no other', () => {
    expect([...new Set(rows.flatMap(({ variables }) => variables))].sort()).toEqual(variablesRead())
  })
  it('has every variable of zipkin-server, or a start that has it set says by name that it has no effect', () => {
    const known = new Set(rows.flatMap(({ variables }) => variables))
    for (const name of ZIPKIN_VARIABLES) {
      if (known.has(name)) continue
      const read = readConfig([], { [name]: 'true' })
      expect(read === 'help' ? [] : read.warnings, name).toEqual([expect.stringMatching(`^${name} has no effect: `)])
    }
  })
  it('names every flag of --help, and no other', () => {
    const flags = [...HELP.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name!)
    expect([...new Set(rows.flatMap(row => row.flags))].sort()).toEqual(flags.sort())
    for (const flag of flags)
      expect(() =>
        configOf({}, [`--${flag}`, flag === 'storage' ? 'mem' : '1048576'.slice(0, /port/.test(flag) ? 4 : 7)]),
      ).not.toThrow()
  })
  it('has the defaults', () => {
    // Said in words on the page.
    const inWords = ['HOPSCOPE_OTLP_PORT', 'HOPSCOPE_OTLP_GRPC_PORT', 'HOPSCOPE_VIEWER']
    for (const { variables, defaults } of rows) {
      for (const [i, name] of variables.entries()) {
        const value = defaults[i] ?? defaults[0]
        if (value === undefined || inWords.includes(name)) continue
        const storage: Record<string, string> = name === 'MEM_MAX_SPANS' ? { STORAGE_TYPE: 'mem' } : {}
        expect(configOf({ ...storage, [name]: value }), `${name}=${value}`).toEqual(configOf(storage))
      }
    }
    expect(configOf({})).toMatchObject({ otlpPort: 4318, otlpGrpcPort: 4317 })
    expect(configOf({ HOPSCOPE_OTLP_PORT: '1' })).toMatchObject({ otlpPort: 1, otlpGrpcPort: undefined })
  })
})
