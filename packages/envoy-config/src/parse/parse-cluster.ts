import type { BindConfig, Cluster, ClusterLoadAssignment, HealthStatus, Thresholds } from '../cluster.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { parseMetadata } from './metadata.ts'
import { parseBindConfig } from './parse-bind-config.ts'
import { parseDns } from './parse-dns.ts'
import { parseEndpointHealthCheck, parseHealthChecks } from './parse-health-check.ts'
import { parseKeepAlive } from './parse-keep-alive.ts'
import { parseLbPolicy } from './parse-load-balancing.ts'
import { parseOutlierDetection } from './parse-outlier-detection.ts'
import { parseFraction, parsePercent } from './percent.ts'
import { parseEndpointAddress } from './socket-address.ts'

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'
const HOUR = 3_600_000

/** Of an envoy.config.cluster.v3.Cluster; `bindOfAll` is what the cluster manager says of those that say nothing. */
export function parseCluster(message: Message, bindOfAll: BindConfig | undefined, context: ParseContext): Cluster {
  const name = message.string('name')
  const type = message.enum<Cluster['type']>('type', 'STATIC')
  const http = parseHttpOptions(message, context)
  const lb = message.message('common_lb_config')
  const outliers = message.message('outlier_detection')
  const healthCheck = parseHealthChecks(message, context)
  const bind = parseBindConfig(message.message('upstream_bind_config'), context) ?? bindOfAll
  const keepAlive = parseKeepAlive(message.message('upstream_connection_options')?.message('tcp_keepalive'), context)
  const preconnect = message.message('preconnect_policy')
  return {
    name,
    observabilityName: message.string('alt_stat_name') || name,
    ...(message.has('metadata') ? { metadata: parseMetadata(message.message('metadata')) } : {}),
    type,
    connectTimeout: message.duration('connect_timeout', 5000),
    lbPolicy: parseLbPolicy(message, context),
    loadAssignment: parseLoadAssignment(message, name, type, context),
    circuitBreakers: {
      default: parseThresholds(message, 'DEFAULT', context),
      high: parseThresholds(message, 'HIGH', context),
    },
    ...(outliers === undefined ? {} : { outlierDetection: parseOutlierDetection(outliers, context) }),
    ...(healthCheck === undefined ? {} : { healthCheck }),
    ignoreNewHostsUntilFirstHc: lb?.boolean('ignore_new_hosts_until_first_hc') ?? false,
    closeConnectionsOnHostSetChange: lb?.boolean('close_connections_on_host_set_change') ?? false,
    healthyPanicThreshold: parsePercent(lb?.message('healthy_panic_threshold'), 50),
    updateMergeWindow: lb?.duration('update_merge_window') ?? 1000,
    dns: parseDns(message, context),
    ignoreHealthOnHostRemoval: message.boolean('ignore_health_on_host_removal'),
    preconnectRatio: preconnect?.number('per_upstream_preconnect_ratio', 1) ?? 1,
    predictivePreconnectRatio: preconnect?.number('predictive_preconnect_ratio', 1) ?? 1,
    perConnectionBufferLimitBytes: message.number('per_connection_buffer_limit_bytes', 1024 * 1024),
    ...parseDropOverload(message.message('load_assignment')?.message('policy'), context),
    ...http,
    ...(bind === undefined ? {} : { bind }),
    ...(keepAlive === undefined ? {} : { keepAlive }),
  }
}

/** Of a ClusterLoadAssignment.Policy. */
function parseDropOverload(policy: Message | undefined, context: ParseContext): Pick<Cluster, 'dropOverload'> {
  const [first, ...others] = policy?.messages('drop_overloads') ?? []
  if (first === undefined) return {}
  if (others.length > 0)
    context.problems.add('invalid', policy!.place('drop_overloads'), 'has more than one category, which Envoy does not take') // biome-ignore format: one line
  const dropOverload = parseFraction(first.message('drop_percentage'), { numerator: 0, denominator: 100 })
  const { numerator, denominator } = dropOverload
  if (numerator > denominator)
    context.problems.add('invalid', first.place('drop_percentage'), `expected 0 to 100 per cent, found ${numerator} of ${denominator}`) // biome-ignore format: one line
  return numerator === 0 ? {} : { dropOverload }
}

/** Of an envoy.config.cluster.v3.Cluster: what its options say, or without any its own deprecated field. */
export function speaksHttp2(message: Message): boolean {
  const options = message.entries('typed_extension_protocol_options').get(HTTP_OPTIONS)
  if (options?.kind !== 'message' || options.type !== HTTP_OPTIONS) return message.has('http2_protocol_options')
  return options.message('explicit_http_config')?.has('http2_protocol_options') ?? false
}

/** Http1ProtocolOptions of both sides that Hopscope has of one. */
const OF_LISTENERS = ['allow_chunked_length', 'override_stream_error_on_invalid_http_message']

function parseHttpOptions(
  message: Message,
  context: ParseContext,
): Pick<
  Cluster,
  | 'idleTimeout'
  | 'maxStreamDuration'
  | 'enableTrailers'
  | 'maxConnectionDuration'
  | 'maxRequestsPerConnection'
  | 'requestStyle'
  | 'responseLimits'
  | 'http2'
> {
  const extension = message.entries('typed_extension_protocol_options').get(HTTP_OPTIONS)
  for (const [key, value] of message.entries('typed_extension_protocol_options')) {
    if (key === HTTP_OPTIONS) continue
    // Some of Envoy's network filters have protocol options under their own names.
    const kind = key.startsWith('envoy.') ? 'unsupported' : 'invalid'
    context.problems.add(kind, value, `there are no protocol options named '${key}': Hopscope knows ${HTTP_OPTIONS}`)
  }
  const options = extension?.kind === 'message' && extension.type === HTTP_OPTIONS ? extension : undefined
  const common =
    options === undefined
      ? message.message('common_http_protocol_options')
      : options.message('common_http_protocol_options')
  // What a client speaks here is HTTP/1, too.
  const protocol = options?.message('explicit_http_config') ?? options?.message('use_downstream_protocol_config')
  const http1 =
    options === undefined ? message.message('http_protocol_options') : protocol?.message('http_protocol_options')
  for (const field of OF_LISTENERS) {
    const given = http1?.has(field) ? http1 : undefined
    if (given === undefined) continue
    const what = 'Envoy knows this field of a cluster; Hopscope supports it only in listeners so far'
    context.problems.add('unsupported', given.place(field), what)
  }
  return {
    idleTimeout: common?.duration('idle_timeout') ?? HOUR,
    maxStreamDuration: common?.duration('max_stream_duration') ?? 0,
    ...(http1?.boolean('enable_trailers') ? { enableTrailers: true } : {}),
    ...(speaksHttp2(message) ? { http2: true } : {}),
    maxConnectionDuration: common?.duration('max_connection_duration') ?? 0,
    requestStyle: {
      properCaseHeaders: http1?.message('header_key_format')?.has('proper_case_words') ?? false,
      fullUrl: http1?.boolean('send_fully_qualified_url') ?? false,
    },
    responseLimits: {
      headersCount: common?.number('max_headers_count', 100) ?? 100,
      ...(common?.has('max_response_headers_kb') && { headKilobytes: common.number('max_response_headers_kb') }),
    },
    maxRequestsPerConnection: common?.has('max_requests_per_connection')
      ? common.number('max_requests_per_connection')
      : message.number('max_requests_per_connection'),
  }
}

/** What Envoy refuses in `per_host_thresholds`. */
const NOT_OF_HOSTS = ['max_pending_requests', 'max_requests', 'max_retries', 'retry_budget']

function parseThresholds(message: Message, priority: 'DEFAULT' | 'HIGH', context: ParseContext): Thresholds {
  // The first of a priority counts, as in Envoy.
  const first = (field: string): Message | undefined =>
    message
      .message('circuit_breakers')
      ?.messages(field)
      .find(thresholds => thresholds.enum('priority', 'DEFAULT') === priority)
  const one = first('thresholds')
  const ofHost = first('per_host_thresholds')
  for (const field of NOT_OF_HOSTS) {
    if (!ofHost?.has(field)) continue
    context.problems.add('invalid', ofHost.place(field), 'there is no such limit of a host, only max_connections')
  }
  const budget = one?.message('retry_budget')
  return {
    ...(one?.has('max_connection_pools') && { maxConnectionPools: one.number('max_connection_pools') }),
    maxConnections: one?.number('max_connections', 1024) ?? 1024,
    ...(ofHost?.has('max_connections') && { maxConnectionsPerHost: ofHost.number('max_connections') }),
    maxPendingRequests: one?.number('max_pending_requests', 1024) ?? 1024,
    maxRequests: one?.number('max_requests', 1024) ?? 1024,
    maxRetries: one?.number('max_retries', 3) ?? 3,
    ...(budget === undefined
      ? {}
      : {
          retryBudget: {
            percent: parsePercent(budget.message('budget_percent'), 20),
            minConcurrency: budget.number('min_retry_concurrency', 3),
          },
        }),
    trackRemaining: one?.boolean('track_remaining') ?? false,
  }
}

function parseLoadAssignment(
  cluster: Message,
  name: string,
  type: Cluster['type'],
  context: ParseContext,
): ClusterLoadAssignment {
  const message = cluster.message('load_assignment')
  const groups = message?.messages('endpoints') ?? []
  if (type === 'LOGICAL_DNS' && (groups.length !== 1 || groups[0]!.messages('lb_endpoints').length !== 1)) {
    const what = 'a LOGICAL_DNS cluster has a single endpoint, in a single locality'
    context.problems.add('invalid', cluster.place('load_assignment'), what)
  }
  const address =
    type === 'STATIC' ? { onlyIp: ". Consider setting the cluster's type to STRICT_DNS" } : ('names' as const)
  return {
    clusterName: message?.string('cluster_name') ?? name,
    overprovisioningFactor: message?.message('policy')?.number('overprovisioning_factor', 140) ?? 140,
    weightedPriorityHealth: message?.message('policy')?.boolean('weighted_priority_health') ?? false,
    endpoints: groups.map(locality => ({
      priority: locality.number('priority'),
      locality: parseLocality(locality.message('locality')),
      loadBalancingWeight: locality.number('load_balancing_weight'),
      lbEndpoints: locality.messages('lb_endpoints').map(lbEndpoint => {
        const endpoint = lbEndpoint.message('endpoint')
        const socket = endpoint?.message('address')
        if (socket === undefined && !lbEndpoint.has('endpoint_name') && !endpoint?.broken.has('address')) {
          const kind = type === 'STATIC' ? 'invalid' : 'unsupported'
          context.problems.add(
            kind,
            (endpoint ?? lbEndpoint).place('address'),
            'is required: an endpoint needs an address',
          )
        }
        return {
          address: parseEndpointAddress(socket, address, context),
          hostname: endpoint?.string('hostname') ?? '',
          loadBalancingWeight: lbEndpoint.number('load_balancing_weight', 1),
          metadata: parseMetadata(lbEndpoint.message('metadata')),
          healthCheck: parseEndpointHealthCheck(endpoint, context),
          healthStatus: lbEndpoint.enum<HealthStatus>('health_status', 'UNKNOWN'),
        }
      }),
    })),
  }
}

export function parseLocality(message: Message | undefined): { region: string; zone: string; subZone: string } {
  return {
    region: message?.string('region') ?? '',
    zone: message?.string('zone') ?? '',
    subZone: message?.string('sub_zone') ?? '',
  }
}
