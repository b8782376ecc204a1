import type { EndpointHealthCheck, HealthCheck, HttpHealthCheck, TcpHealthCheck } from '../health-check.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { parseAdditions } from './header-mutations.ts'
import { parseStringMatcher } from './matchers.ts'
import { parseEndpointAddress } from './socket-address.ts'

const FILE_SINK = 'envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink'

/** Of `health_checks` of an envoy.config.cluster.v3.Cluster: Envoy takes one. */
export function parseHealthChecks(cluster: Message, context: ParseContext): HealthCheck | undefined {
  const all = cluster.messages('health_checks')
  if (all.length > 1)
    context.problems.add('invalid', cluster.place('health_checks'), 'multiple health checks are not supported, by Envoy neither') // biome-ignore format: one line
  return all[0] && parseHealthCheck(all[0], context)
}

function parseHealthCheck(message: Message, context: ParseContext): HealthCheck {
  const interval = message.duration('interval', 0)
  const noTrafficInterval = message.duration('no_traffic_interval', 60_000)
  const unhealthyInterval = message.duration('unhealthy_interval', interval)
  const http = message.message('http_health_check')
  const tcp = message.message('tcp_health_check')
  return {
    timeout: message.duration('timeout', 0),
    interval,
    initialJitter: message.duration('initial_jitter', 0),
    intervalJitter: message.duration('interval_jitter', 0),
    intervalJitterPercent: message.number('interval_jitter_percent'),
    unhealthyThreshold: message.number('unhealthy_threshold'),
    healthyThreshold: message.number('healthy_threshold'),
    reuseConnection: message.boolean('reuse_connection', true),
    noTrafficInterval,
    noTrafficHealthyInterval: message.duration('no_traffic_healthy_interval', noTrafficInterval),
    unhealthyInterval,
    unhealthyEdgeInterval: message.duration('unhealthy_edge_interval', unhealthyInterval),
    healthyEdgeInterval: message.duration('healthy_edge_interval', interval),
    eventLogPaths: parseEventLogs(message, context),
    alwaysLogFailures: message.boolean('always_log_health_check_failures'),
    alwaysLogSuccess: message.boolean('always_log_health_check_success'),
    check: tcp === undefined ? parseHttp(http, context) : parseTcp(tcp, context),
  }
}

function parseEventLogs(message: Message, context: ParseContext): string[] {
  const paths = message.string('event_log_path') === '' ? [] : [message.string('event_log_path')]
  for (const logger of message.messages('event_logger')) {
    const config = logger.message('typed_config')
    if (config?.type === FILE_SINK) paths.push(config.string('event_log_path'))
    else {
      const what = `Envoy may know this sink of health check events; Hopscope has ${FILE_SINK}`
      context.problems.add('unsupported', logger.place('typed_config'), what)
    }
  }
  return paths
}

const HAVE_NO_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'TRACE'])

function parseHttp(message: Message | undefined, context: ParseContext): HttpHealthCheck {
  const written = message?.enum<string>('method', 'METHOD_UNSPECIFIED') ?? 'GET'
  const method = written === 'METHOD_UNSPECIFIED' ? 'GET' : written
  const send = message?.message('send')
  if (send !== undefined && HAVE_NO_BODY.has(method))
    context.problems.add('invalid', message!.place('send'), `a health check with ${method} has no body`)
  const expected = parseRanges(message, 'expected_statuses', context)
  const service = message?.message('service_name_matcher')
  return {
    type: 'http',
    host: message?.string('host') ?? '',
    path: message?.string('path') ?? '',
    method,
    expectedStatuses: expected.length === 0 ? [[200, 201]] : expected,
    retriableStatuses: parseRanges(message, 'retriable_statuses', context),
    requestHeadersToAdd: message === undefined ? [] : parseAdditions(message, 'request_headers_to_add', context),
    requestHeadersToRemove: message?.strings('request_headers_to_remove').map(name => name.toLowerCase()) ?? [],
    ...(send === undefined ? {} : { send: parsePayload(send, context) }),
    receive: message?.messages('receive').map(payload => parsePayload(payload, context)) ?? [],
    responseBufferSize: message?.number('response_buffer_size', 1024) ?? 1024,
    ...(service === undefined ? {} : { serviceNameMatcher: parseStringMatcher(service, context) }),
  }
}

function parseTcp(message: Message, context: ParseContext): TcpHealthCheck {
  const send = message.message('send')
  return {
    type: 'tcp',
    ...(send === undefined ? {} : { send: parsePayload(send, context) }),
    receive: message.messages('receive').map(payload => parsePayload(payload, context)),
  }
}

function parseRanges(
  message: Message | undefined,
  field: string,
  context: ParseContext,
): (readonly [number, number])[] {
  return (message?.messages(field) ?? []).map(range => {
    const start = range.number('start')
    const end = range.number('end')
    if (start >= end || start < 100 || end > 600)
      context.problems.add('invalid', range, `expected 100 ≤ start < end ≤ 600, found ${start} and ${end}`)
    return [start, end] as const
  })
}

/** Of an envoy.config.core.v3.HealthCheck.Payload; its text is hexadecimal. */
function parsePayload(message: Message, context: ParseContext): Uint8Array {
  const binary = message.bytes('binary')
  if (binary !== undefined) return binary
  const text = message.string('text')
  if (!/^([0-9a-f]{2})*$/i.test(text))
    context.problems.add('invalid', message.valuePlace('text'), `invalid hex string '${text}'`)
  return Buffer.from(text, 'hex')
}

/** Of an envoy.config.endpoint.v3.Endpoint. */
export function parseEndpointHealthCheck(endpoint: Message | undefined, context: ParseContext): EndpointHealthCheck {
  const message = endpoint?.message('health_check_config')
  const address = message?.message('address')
  return {
    ...(address && { address: parseEndpointAddress(address, { onlyIp: ': checks need an IP' }, context) }),
    port: message?.number('port_value') ?? 0,
    hostname: message?.string('hostname') ?? '',
    disabled: message?.boolean('disable_active_health_check') ?? false,
  }
}
