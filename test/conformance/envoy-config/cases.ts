import { Socket } from 'node:net'
import { formatOperators, tlsOperators } from '@hopscope/envoy-config'

/** A small bootstrap, and whether Envoy takes it. */
export interface ValidateCase {
  name: string
  text: string
  extension?: 'yaml' | 'json'
  /**
   * `accepted`: both take it. `unsupported`: Envoy takes it, Hopscope says that it does not have that yet. `refused`: neither
   * takes it, and Hopscope says so with a problem of another kind than `unsupported`.
   */
  expected: 'accepted' | 'unsupported' | 'refused'
  /** What our first problem says. */
  says?: RegExp
}

/** Older Nodes cannot set all of it. */
const KEEPS_ALIVE = Socket.prototype.setKeepAlive.length >= 4 ? 'accepted' : 'unsupported'

const hcmType = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'
const router =
  '{ name: router, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router } }'
const cors = '{ name: cors, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors } }'
const lua =
  '{ name: lua, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua, default_source_code: { inline_string: "" } } }'
const direct = '{ match: { prefix: / }, direct_response: { status: 200 } }'
const address = (port: number): string => `{ socket_address: { address: 127.0.0.1, port_value: ${port} } }`

const bootstrap = (listeners: string, clusters = '[]'): string =>
  `static_resources:\n  listeners: ${listeners}\n  clusters: ${clusters}\n`
const listener = (hcm: string, rest = ''): string =>
  `[{ address: ${address(10000)}, ${rest} filter_chains: [{ filters: [{ name: hcm, typed_config: { "@type": type.googleapis.com/${hcmType}, ${hcm} } }] }] }]`

/** A connection manager with these fields, and one route that answers. */
const hcm = (fields: string, clusters?: string): string =>
  bootstrap(
    listener(
      `stat_prefix: a, http_filters: [${router}], route_config: { virtual_hosts: [{ name: v, domains: ["*"], routes: [${direct}] }] }, ${fields}`,
    ),
    clusters,
  )
const virtualHosts = (hosts: string, fields = '', clusters?: string): string =>
  bootstrap(
    listener(`stat_prefix: a, http_filters: [${router}], route_config: { ${fields} virtual_hosts: ${hosts} }`),
    clusters,
  )
const route = (text: string, clusters?: string): string =>
  virtualHosts(`[{ name: v, domains: ["*"], routes: [${text}] }]`, '', clusters)
const toCluster = (action: string): string => route(`{ match: { prefix: / }, route: { ${action} } }`, '[{ name: c }]')
const reply = (fields: string): string => route(`{ match: { prefix: / }, direct_response: { status: 200 }, ${fields} }`)
const cluster = (fields: string): string => bootstrap('[]', `[{ name: c, ${fields} }]`)
const selector = (fields: string): string => cluster(`lb_subset_config: { subset_selectors: [{ ${fields} }] }`)
const subsets = (fields: string): string =>
  `{ policies: [{ typed_extension_config: { name: s, typed_config: { "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.subset.v3.Subset, ${fields} } } }] }`
const ROUND_ROBIN =
  '{ policies: [{ typed_extension_config: { name: r, typed_config: { "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin } } }] }'
const endpoints = (text: string): string => `load_assignment: { cluster_name: c, endpoints: ${text} }`
const zipkin = (fields: string): string =>
  hcm(
    `tracing: { provider: { name: z, typed_config: { "@type": type.googleapis.com/envoy.config.trace.v3.ZipkinConfig, ${fields} } } }`,
    '[{ name: zipkin }]',
  )
const accessLog = (format: string): string =>
  hcm(
    `access_log: [{ name: x, typed_config: { "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog, log_format: ${format} } }]`,
  )
const originalIp = (type: string, fields = ''): string =>
  `original_ip_detection_extensions: [{ name: x, typed_config: { "@type": type.googleapis.com/envoy.extensions.http.original_ip_detection.${type}, ${fields} } }]`
const httpFilter = (type: string, fields: string): string =>
  hcm(
    `http_filters: [{ name: f, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.${type}, ${fields} } }, ${router}]`,
    '[{ name: c }]',
  )
const header = (value: string): string =>
  reply(`response_headers_to_add: [{ header: { key: a, value: ${JSON.stringify(value)} } }]`)
const runtime = (layers: string): string => `layered_runtime: { layers: ${layers} }`
const LIMIT = '"@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit'
const httpOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'

const c = (name: string, expected: ValidateCase['expected'], text: string, says?: RegExp): ValidateCase => ({
  name,
  expected,
  text,
  ...(says && { says }),
})
const json = (name: string, expected: ValidateCase['expected'], text: string): ValidateCase => ({
  name,
  expected,
  text,
  extension: 'json',
})

export const texts: ValidateCase[] = [
  c('an empty file', 'refused', '', /empty/),
  c('a file of comments', 'refused', '# nothing\n'),
  c('{}', 'accepted', '{}'),
  c('a list', 'refused', '[]'),
  c('a word', 'refused', 'abc'),
  c('a sequence that does not end', 'refused', 'node: [a\n', /YAML/),
  c('a tab', 'refused', 'node:\n\tid: a\n'),
  c('an alias without anchor', 'refused', 'node: *x\n'),
  c('an alias', 'accepted', bootstrap('[]', '[{ name: &n a, alt_stat_name: *n }]')),
  c('a merge key', 'refused', 'static_resources:\n  clusters:\n  - &a { name: a }\n  - { <<: *a, name: b }\n'),
  c('a second document', 'accepted', 'node: { id: a }\n---\nnonsense: 1\n'),
  c('a key twice', 'accepted', cluster('connect_timeout: 1s, connect_timeout: 2s')),
  json('JSON', 'accepted', '{"node":{"id":"a"}}'),
  json('JSON with a trailing comma', 'accepted', '{"node":{"id":"a"},}'),
  json('JSON with single quotes', 'accepted', "{'node':{'id':'a'}}"),
  json('JSON with a comment', 'refused', '{"node":{"id":"a"}} // x'),
  json('YAML that is called JSON', 'refused', 'node: { id: a }'),
  json('an empty JSON file', 'refused', ''),
]

export const shapes: ValidateCase[] = [
  c(
    'an unknown field',
    'refused',
    cluster('connect_timeot: 1s'),
    /no field 'connect_timeot' \(did you mean 'connect_timeout'\?\)/,
  ),
  c(
    'an unknown field of an unsupported extension',
    'refused',
    hcm(
      'http_filters: [{ name: f, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, dela: {} } }]',
    ),
  ),
  c('operation_name', 'refused', hcm('tracing: { operation_name: ingress }'), /no field 'operation_name'/),
  c('lowerCamelCase', 'accepted', cluster('connectTimeout: 1s, dnsLookupFamily: V4_ONLY')),
  c('an enum in lower case', 'accepted', cluster('type: strict_dns')),
  c('an enum by number', 'accepted', cluster('type: 1')),
  c('an enum by number in quotes', 'accepted', cluster('type: "1"')),
  c('an unknown enum value', 'refused', cluster('lb_policy: ROUND_ROBBIN'), /did you mean 'ROUND_ROBIN'/),
  c('an unknown enum number', 'refused', cluster('type: 99')),
  c('an enum value that Hopscope has not', 'unsupported', hcm('codec_type: HTTP2')),
  c(
    'an integer in quotes',
    'accepted',
    `admin: { address: { socket_address: { address: 127.0.0.1, port_value: "9901" } } }`,
  ),
  c(
    'a word for an integer',
    'refused',
    `admin: { address: { socket_address: { address: 127.0.0.1, port_value: abc } } }`,
    /expected an integer/,
  ),
  c('a hexadecimal integer', 'accepted', cluster('per_connection_buffer_limit_bytes: 0x1000')),
  c('an integer as 5.0', 'accepted', cluster('per_connection_buffer_limit_bytes: 5.0')),
  c('an integer as 5.5', 'refused', cluster('per_connection_buffer_limit_bytes: 5.5')),
  c('an integer as 1e3', 'accepted', cluster('per_connection_buffer_limit_bytes: 1e3')),
  c('an integer below the range', 'refused', cluster('per_connection_buffer_limit_bytes: -1')),
  c('an integer beyond 32 bits', 'refused', cluster('per_connection_buffer_limit_bytes: 4294967296')),
  c('a wrapper written out', 'accepted', cluster('per_connection_buffer_limit_bytes: { value: 5 }')),
  c('an integer for text', 'refused', cluster('alt_stat_name: 123'), /expected text/),
  c('yes for text', 'refused', cluster('alt_stat_name: yes')),
  c('a number with a point for text', 'accepted', cluster('alt_stat_name: 1.5')),
  c('yes for a boolean', 'accepted', hcm('generate_request_id: yes')),
  c('"true" for a boolean', 'accepted', hcm('generate_request_id: "true"')),
  c('1 for a boolean', 'refused', hcm('generate_request_id: 1')),
  c('a duration without unit', 'refused', cluster('connect_timeout: 1'), /"0\.25s"/),
  c('a duration in ms', 'refused', cluster('connect_timeout: 250ms')),
  c('a duration from .25', 'refused', cluster('connect_timeout: .25s')),
  c('a duration with ten decimals', 'refused', cluster('connect_timeout: 0.1234567890s')),
  c('a duration written out', 'accepted', cluster('connect_timeout: { seconds: 1 }')),
  c('a negative duration', 'refused', cluster('connect_timeout: -1s')),
  c('null is absent', 'accepted', cluster('connect_timeout: ~, load_assignment: ')),
  c('a map for a list', 'accepted', virtualHosts(`{ name: v, domains: "*", routes: ${direct} }`)),
  c('a list for a message', 'refused', hcm('tracing: [{}]')),
  c('a word for a message', 'refused', hcm('tracing: abc')),
  c('two members of a oneof', 'refused', hcm('rds: {}'), /'rds' cannot be set together with 'route_config'/),
  c('null beside a member of a oneof', 'accepted', hcm('rds: ~')),
  c(
    'a missing @type',
    'refused',
    bootstrap(
      `[{ address: ${address(1)}, filter_chains: [{ filters: [{ name: a, typed_config: { stat_prefix: a } }] }] }]`,
    ),
    /'@type' is missing/,
  ),
  c(
    'an unknown @type',
    'refused',
    hcm('http_filters: [{ name: a, typed_config: { "@type": type.googleapis.com/envoy.nope.V3 } }]'),
  ),
  c(
    'an @type without host',
    'refused',
    hcm('http_filters: [{ name: a, typed_config: { "@type": envoy.extensions.filters.http.router.v3.Router } }]'),
  ),
  c(
    'no typed_config',
    'refused',
    bootstrap(listener('stat_prefix: a, route_config: {}, http_filters: [{ name: envoy.filters.http.router }]')),
  ),
  c(
    'base64',
    'accepted',
    route('{ match: { prefix: / }, direct_response: { status: 200, body: { inline_bytes: aGk= } } }'),
  ),
  c(
    'bad base64',
    'refused',
    route('{ match: { prefix: / }, direct_response: { status: 200, body: { inline_bytes: "!!" } } }'),
  ),
] // prettier-ignore

export const constraints: ValidateCase[] = [
  c(
    'a weighted cluster with a name and a header',
    'refused',
    toCluster('weighted_clusters: { clusters: [{ name: c, cluster_header: x, weight: 1 }] }'),
    /only one of name or cluster_header/,
  ),
  c(
    'an ejection shorter than the shortest',
    'refused',
    cluster('outlier_detection: { max_ejection_time: 1s }'),
    /cannot be smaller than base_ejection_time/,
  ),
  c('an ejection longer than the longest', 'accepted', cluster('outlier_detection: { base_ejection_time: 400s }')),
  ...[
    [10, 10],
    [10, 5],
  ].map(([start, end]) =>
    c(
      `ports from ${start} to ${end} in rbac`,
      'refused',
      httpFilter(
        'rbac.v3.RBAC',
        `rules: { policies: { a: { permissions: [{ destination_port_range: { start: ${start}, end: ${end} } }], principals: [{ any: true }] } } }`,
      ),
      /cannot be greater or equal/,
    ),
  ),
  ...['path_prefix: a', 'path_override: a', 'path_prefix: /a, path_override: /b'].map(paths =>
    c(
      `ext_authz with ${paths}`,
      'refused',
      httpFilter(
        'ext_authz.v3.ExtAuthz',
        `transport_api_version: V3, http_service: { ${paths}, server_uri: { uri: "http://c", cluster: c, timeout: 1s } }`,
      ),
      /should start with "\/"|only one of path_prefix/,
    ),
  ),
  ...['host', ':authority', ':path'].map(key =>
    c(
      `a header mutation of ${key}`,
      'refused',
      httpFilter(
        'header_mutation.v3.HeaderMutation',
        `mutations: { request_mutations: [{ append: { header: { key: "${key}", value: a } } }] }`,
      ),
      /may not be modified/,
    ),
  ),
  c(
    'a health check filter that passes on and has percentages',
    'accepted',
    httpFilter(
      'health_check.v3.HealthCheck',
      'pass_through_mode: true, cluster_min_healthy_percentages: { c: { value: 1 } }',
    ),
  ),
  c(
    'a router that is switched off',
    'refused',
    hcm(`http_filters: [${router.replace(' } }', ' }, disabled: true }')}]`),
    /cannot be disabled/,
  ),
  c('a request id extension without its type', 'accepted', hcm('request_id_extension: {}')),
  c(
    'a group in a substitution that the pattern has not',
    'unsupported',
    toCluster("cluster: c, regex_rewrite: { pattern: { regex: a }, substitution: '\\3' }"),
    /Envoy would replace nothing/,
  ),
  c(
    'a connection manager without stat_prefix',
    'refused',
    bootstrap(listener(`route_config: {}, http_filters: [${router}]`)),
    /stat_prefix: is required/,
  ),
  c('a port above 65535', 'refused', `admin: { address: ${address(70000)} }`, /at most 65535/),
  c('a percent above 100', 'refused', cluster('common_lb_config: { healthy_panic_threshold: { value: 101 } }')),
  c('a virtual host without domains', 'refused', virtualHosts('[{ name: v }]'), /at least 1 item/),
  c('a virtual host without name', 'refused', virtualHosts('[{ domains: ["*"] }]')),
  c('a route without action', 'refused', route('{ match: { prefix: / } }'), /needs one of route, redirect/),
  c('a route without match', 'refused', route('{ direct_response: { status: 200 } }')),
  c('a match of nothing', 'refused', route('{ match: {}, direct_response: { status: 200 } }')),
  c('a timeout of 0 to connect', 'refused', cluster('connect_timeout: 0s'), /more than 0s/),
  c(
    'connections that begin at an address',
    'accepted',
    cluster('upstream_bind_config: { source_address: { address: 127.0.0.2, port_value: 0 } }'),
  ),
  c(
    'silent peers that are asked',
    KEEPS_ALIVE,
    cluster(
      'upstream_connection_options: { tcp_keepalive: { keepalive_time: 300, keepalive_interval: 5, keepalive_probes: 3 } }',
    ),
  ),
  c(
    'silent peers that are asked as the system does',
    KEEPS_ALIVE,
    cluster('upstream_connection_options: { tcp_keepalive: {} }'),
  ),
  c(
    'silent peers that are asked after a day',
    'unsupported',
    cluster('upstream_connection_options: { tcp_keepalive: { keepalive_time: 86400 } }'),
    /Linux takes 1 to 32767, found 86400/,
  ),
  c('connections that begin anywhere', 'accepted', cluster('upstream_bind_config: {}')),
  c(
    'connections that begin at a name',
    'refused',
    cluster('upstream_bind_config: { source_address: { address: localhost, port_value: 0 } }'),
    /malformed IP address: 'localhost'/,
  ),
  c('an address without port', 'refused', 'admin: { address: { socket_address: { address: 127.0.0.1 } } }'),
  c('a cluster without name', 'refused', bootstrap('[]', '[{}]')),
  c('a status of 100', 'refused', route('{ match: { prefix: / }, direct_response: { status: 100 } }')),
  c('no route specifier', 'refused', bootstrap(listener(`stat_prefix: a, http_filters: [${router}]`))),
  c('a DNS refresh of half a millisecond', 'refused', cluster('type: STRICT_DNS, dns_refresh_rate: 0.0005s')),
  c('a custom tag without source', 'refused', hcm('tracing: { custom_tags: [{ tag: a }] }')),
  c('an empty literal tag', 'refused', hcm('tracing: { custom_tags: [{ tag: a, literal: {} }] }')),
  c(
    'an empty string match',
    'refused',
    route('{ match: { prefix: /, headers: [{ name: a, string_match: {} }] }, direct_response: { status: 200 } }'),
  ),
  c(
    'an empty exact match',
    'accepted',
    route('{ match: { prefix: /, headers: [{ name: a, exact_match: "" }] }, direct_response: { status: 200 } }'),
  ),
  c(
    'a header matcher without specifier',
    'accepted',
    route('{ match: { prefix: /, headers: [{ name: a }] }, direct_response: { status: 200 } }'),
  ),
  c('a log format of nothing', 'refused', accessLog('{}')),
  c(
    'protocol options without a choice',
    'refused',
    cluster(`typed_extension_protocol_options: { ${httpOptions}: { "@type": type.googleapis.com/${httpOptions} } }`),
  ),
  c('a runtime layer of nothing', 'refused', runtime('[{ name: a }]')),
  c('max_headers_count 0', 'refused', hcm('common_http_protocol_options: { max_headers_count: 0 }')),
  c(
    'a backoff of 0',
    'refused',
    toCluster('cluster: c, retry_policy: { retry_on: 5xx, retry_back_off: { base_interval: 0s } }'),
  ),
] // prettier-ignore

export const references: ValidateCase[] = [
  c('a route to an unknown cluster', 'refused', toCluster('cluster: nope'), /unknown cluster 'nope'/),
  c(
    '… that nobody validates',
    'accepted',
    virtualHosts(
      '[{ name: v, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: nope } }] }]',
      'validate_clusters: false,',
    ),
  ),
  c(
    'a weighted cluster that is unknown',
    'refused',
    toCluster('weighted_clusters: { clusters: [{ name: c, weight: 1 }, { name: d, weight: 1 }] }'),
  ),
  c(
    'weights that sum to 0',
    'refused',
    toCluster('weighted_clusters: { clusters: [{ name: c, weight: 0 }] }'),
    /greater than 0/,
  ),
  c('a weighted cluster without name', 'refused', toCluster('weighted_clusters: { clusters: [{ weight: 1 }] }')),
  c(
    'weights with another total_weight',
    'accepted',
    toCluster('weighted_clusters: { total_weight: 100, clusters: [{ name: c, weight: 1 }] }'),
  ),
  c(
    'Zipkin',
    'accepted',
    zipkin('collector_cluster: zipkin, collector_endpoint: /api/v2/spans, collector_endpoint_version: HTTP_JSON'),
  ),
  c(
    'Zipkin without version',
    'refused',
    zipkin('collector_cluster: zipkin, collector_endpoint: /api/v2/spans'),
    /HTTP_JSON/,
  ),
  c(
    'Zipkin to an unknown cluster',
    'refused',
    zipkin('collector_cluster: nope, collector_endpoint: /api/v2/spans, collector_endpoint_version: HTTP_JSON'),
  ),
  c('Zipkin without endpoint', 'refused', zipkin('collector_cluster: zipkin, collector_endpoint_version: HTTP_JSON')),
  c(
    'Zipkin in protobuf',
    'accepted',
    zipkin('collector_cluster: zipkin, collector_endpoint: /api/v2/spans, collector_endpoint_version: HTTP_PROTO'),
  ),
  c(
    'Zipkin with W3C propagation',
    'accepted',
    zipkin(
      'collector_cluster: zipkin, collector_endpoint: /api/v2/spans, collector_endpoint_version: HTTP_JSON, trace_context_option: USE_B3_WITH_W3C_PROPAGATION',
    ),
  ),
  c('a tracing operation', 'accepted', hcm('tracing: { operation: "op-%REQ(x)%" }')),
  c('a cluster twice', 'refused', bootstrap('[]', '[{ name: c }, { name: c }]'), /duplicate cluster 'c'/),
  c(
    'a listener address twice',
    'refused',
    bootstrap(
      `[${[1, 2].map(n => listener(`stat_prefix: a, route_config: {}, http_filters: [${router}]`, `name: l${n},`).slice(1, -1)).join(', ')}]`,
    ),
    /duplicate address/,
  ),
  c('a domain twice', 'refused', virtualHosts('[{ name: v, domains: [a] }, { name: w, domains: [A] }]')),
  c('a wildcard twice', 'refused', virtualHosts('[{ name: v, domains: ["*"] }, { name: w, domains: ["*"] }]')),
  c('a virtual host name twice', 'accepted', virtualHosts('[{ name: v, domains: [a] }, { name: v, domains: [b] }]')),
  c(
    'the router not last',
    'refused',
    bootstrap(listener(`stat_prefix: a, route_config: {}, http_filters: [${router}, ${cors}]`)),
    /must be the last/,
  ),
  c('no router', 'refused', bootstrap(listener(`stat_prefix: a, route_config: {}, http_filters: [${cors}]`))),
  c('no filters at all', 'unsupported', bootstrap(listener('stat_prefix: a, route_config: {}'))),
  c(
    'a filter that Hopscope has not',
    'unsupported',
    bootstrap(listener(`stat_prefix: a, route_config: {}, http_filters: [${lua}, ${router}]`)),
  ),
  c(
    'an HTTP filter as a network filter',
    'refused',
    bootstrap(`[{ address: ${address(1)}, filter_chains: [{ filters: [${router}] }] }]`),
  ),
  c('a listener without filter chains', 'refused', bootstrap(`[{ address: ${address(1)} }]`)),
  c('a filter chain without filters', 'unsupported', bootstrap(`[{ address: ${address(1)}, filter_chains: [{}] }]`)),
  c('two filter chains alike', 'refused', bootstrap(`[{ address: ${address(1)}, filter_chains: [{}, {}] }]`)),
  c('a listener without address', 'refused', bootstrap('[{ filter_chains: [{}] }]')),
  c(
    'a listener on a name',
    'refused',
    bootstrap(
      listener(`stat_prefix: a, route_config: {}, http_filters: [${router}]`).replace('127.0.0.1', 'localhost'),
    ),
    /malformed IP address/,
  ),
  c(
    'a STATIC cluster with a name',
    'refused',
    cluster(
      endpoints(
        '[{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: some.host, port_value: 1 } } } }] }]',
      ),
    ),
    /STRICT_DNS/,
  ),
  c(
    'a STRICT_DNS cluster with a name',
    'accepted',
    cluster(
      `type: STRICT_DNS, ${endpoints('[{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: localhost, port_value: 1 } } } }] }]')}`,
    ),
  ),
  c('a STATIC endpoint without address', 'refused', cluster(endpoints('[{ lb_endpoints: [{}] }]'))),
  c('a load assignment of another name', 'accepted', cluster('load_assignment: { cluster_name: other }')),
  c(
    'protocol options under an unknown name',
    'refused',
    cluster(
      `typed_extension_protocol_options: { foo: { "@type": type.googleapis.com/${httpOptions}, explicit_http_config: { http_protocol_options: {} } } }`,
    ),
  ),
  c(
    'HTTP/1 options',
    'accepted',
    cluster(
      `typed_extension_protocol_options: { ${httpOptions}: { "@type": type.googleapis.com/${httpOptions}, explicit_http_config: { http_protocol_options: {} } } }`,
    ),
  ),
  c(
    'HTTP/2 options',
    'accepted',
    cluster(
      `typed_extension_protocol_options: { ${httpOptions}: { "@type": type.googleapis.com/${httpOptions}, explicit_http_config: { http2_protocol_options: {} } } }`,
    ),
  ),
  c(
    'a path regex',
    'accepted',
    route('{ match: { safe_regex: { regex: "/a.*" } }, direct_response: { status: 200 } }'),
  ),
  c(
    'a path regex that is none',
    'refused',
    route('{ match: { safe_regex: { regex: "/a(" } }, direct_response: { status: 200 } }'),
    /is no RE2 pattern: missing \)/,
  ),
  c(
    'a look-ahead',
    'refused',
    route('{ match: { safe_regex: { regex: "(?=a)" } }, direct_response: { status: 200 } }'),
    /RE2/,
  ),
  c(
    'a regex that ignores case by the field',
    'refused',
    route(
      '{ match: { prefix: /, headers: [{ name: x, string_match: { safe_regex: { regex: a }, ignore_case: true } }] }, direct_response: { status: 200 } }',
    ),
    /ignore_case/,
  ),
  c(
    'a header range from end to start',
    'accepted',
    route(
      '{ match: { prefix: /, headers: [{ name: x, range_match: { start: 9, end: 1 } }] }, direct_response: { status: 200 } }',
    ),
  ),
  c(
    'a retry that waits longer at first',
    'refused',
    toCluster('cluster: c, retry_policy: { retry_on: 5xx, retry_back_off: { base_interval: 2s, max_interval: 1s } }'),
  ),
  c(
    'redirects that are followed, of any code',
    'accepted',
    toCluster(
      'cluster: c, internal_redirect_policy: { max_internal_redirects: 2, redirect_response_codes: [302, 404] }',
    ),
  ),
  c(
    'a redirect that copies Host',
    'refused',
    toCluster('cluster: c, internal_redirect_policy: { response_headers_to_copy: [Host] }'),
    /are not copied/,
  ),
  c(
    'a redirect that copies :path',
    'refused',
    toCluster('cluster: c, internal_redirect_policy: { response_headers_to_copy: [":path"] }'),
  ),
  c(
    'a predicate of redirects that is none',
    'refused',
    toCluster(
      'cluster: c, internal_redirect_policy: { predicates: [{ name: p, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router } }] }',
    ),
  ),
  c(
    'a virtual cluster without a name',
    'refused',
    virtualHosts(`[{ name: v, domains: ["*"], routes: [${direct}], virtual_clusters: [{ headers: [{ name: a }] }] }]`),
  ),
  c(
    'a virtual cluster without headers',
    'refused',
    virtualHosts(`[{ name: v, domains: ["*"], routes: [${direct}], virtual_clusters: [{ name: a }] }]`),
    /must define 'headers'/,
  ),
  c(
    'virtual clusters of one name',
    'accepted',
    virtualHosts(
      `[{ name: v, domains: ["*"], routes: [${direct}], virtual_clusters: [{ name: a, headers: [{ name: x }] }, { name: a, headers: [{ name: z }] }] }]`,
    ),
  ),
  c(
    'weights by hash and by header',
    'refused',
    toCluster('weighted_clusters: { header_name: a, use_hash_policy: true, clusters: [{ name: c, weight: 1 }] }'),
  ),
  c('an unknown retry_on', 'accepted', toCluster('cluster: c, retry_policy: { retry_on: nonsense }')),
  c(
    'conditions that HTTP/1 never meets',
    'accepted',
    toCluster('cluster: c, retry_policy: { retry_on: "5xx,refused-stream,http3-post-connect-failure" }'),
  ),
  c(
    'a retry before the request was sent',
    'accepted',
    toCluster('cluster: c, retry_policy: { retry_on: "5xx, reset-before-request" }'),
  ),
  c('a header that may not be removed', 'refused', reply('request_headers_to_remove: [HOST]'), /may not be removed/),
  c('a pseudo header that may not be removed', 'refused', reply('response_headers_to_remove: [":status"]')),
  c(
    'a header that may not be modified',
    'refused',
    reply('request_headers_to_add: [{ header: { key: ":path", value: b } }]'),
    /may not be modified/,
  ),
  c(
    'append beside append_action',
    'refused',
    reply(
      'response_headers_to_add: [{ header: { key: a, value: b }, append: true, append_action: OVERWRITE_IF_EXISTS }]',
    ),
  ),
  c('both ways to strip ports', 'refused', hcm('strip_matching_host_port: true, strip_any_host_port: true')),
  c(
    'options of access logs, and the older field',
    'refused',
    hcm('access_log_options: {}, flush_access_log_on_new_request: true'),
    /flush_access_log_on_new_request: cannot be set together with access_log_options/,
  ),
  c(
    'options of access logs, and the older interval',
    'refused',
    hcm('access_log_options: {}, access_log_flush_interval: 1s'),
  ),
  c('no interval between lines', 'refused', hcm('access_log_options: { access_log_flush_interval: 0s }')),
  c(
    'when logs are written',
    'accepted',
    hcm(
      'access_log_options: { access_log_flush_interval: 1s, flush_log_on_tunnel_successfully_established: true }, stream_flush_timeout: 1s',
    ),
  ),
  c(
    'transformations of paths',
    'accepted',
    hcm('path_normalization_options: { forwarding_transformation: { operations: [{ merge_slashes: {} }] } }'),
  ),
  c('original IPs, and the peer', 'refused', hcm(`use_remote_address: true, ${originalIp('xff.v3.XffConfig')}`)),
  c('original IPs, and hops', 'refused', hcm(`xff_num_trusted_hops: 1, ${originalIp('xff.v3.XffConfig')}`)),
  c('original IPs', 'accepted', hcm(`use_remote_address: false, ${originalIp('xff.v3.XffConfig')}`)),
  c(
    'trusted ranges, and hops',
    'refused',
    hcm(originalIp('xff.v3.XffConfig', 'xff_num_trusted_hops: 1, xff_trusted_cidrs: {}')),
    /xff_trusted_cidrs: cannot be set together with xff_num_trusted_hops/,
  ),
  c('an original IP from no header', 'refused', hcm(originalIp('custom_header.v3.CustomHeaderConfig'))),
  c(
    'an original IP from what is no header',
    'refused',
    hcm(originalIp('custom_header.v3.CustomHeaderConfig', 'header_name: "a b"')),
  ),
  c(
    'connections of a host',
    'accepted',
    cluster('circuit_breakers: { per_host_thresholds: [{ max_connections: 0 }] }'),
  ),
  c(
    'requests of a host',
    'refused',
    cluster('circuit_breakers: { per_host_thresholds: [{ max_requests: 1 }] }'),
    /max_requests: there is no such limit of a host/,
  ),
  c(
    'a retry budget of a host',
    'refused',
    cluster('circuit_breakers: { per_host_thresholds: [{ retry_budget: {} }] }'),
  ),
  c('two names of a proxy', 'refused', hcm('proxy_status_config: { use_node_id: true, literal_proxy_name: x }')),
  c(
    'a body of 5000 bytes',
    'refused',
    route(`{ match: { prefix: / }, direct_response: { status: 200, body: { inline_string: ${'x'.repeat(5000)} } } }`),
    /maximum is 4096/,
  ),
  c(
    '… with a larger maximum',
    'accepted',
    virtualHosts(
      `[{ name: v, domains: ["*"], routes: [{ match: { prefix: / }, direct_response: { status: 200, body: { inline_string: ${'x'.repeat(5000)} } } }] }]`,
      'max_direct_response_body_size_bytes: 6000,',
    ),
  ),
  c(
    'a body from a file that is not there',
    'refused',
    route('{ match: { prefix: / }, direct_response: { status: 200, body: { filename: /nope } } }'),
  ),
  c(
    'a body from a variable that is not set',
    'refused',
    route('{ match: { prefix: / }, direct_response: { status: 200, body: { environment_variable: HOPSCOPE_NOPE } } }'),
  ),
  c(
    'internal addresses that are none',
    'refused',
    hcm('internal_address_config: { cidr_ranges: [{ address_prefix: x, prefix_len: 8 }] }'),
  ),
  c(
    'a prefix longer than an address',
    'accepted',
    hcm('internal_address_config: { cidr_ranges: [{ address_prefix: 10.0.0.0, prefix_len: 33 }] }'),
  ),
  c('a layer name twice', 'refused', runtime('[{ name: a, static_layer: {} }, { name: a, static_layer: {} }]')),
  c('two admin layers', 'refused', runtime('[{ name: a, admin_layer: {} }, { name: b, admin_layer: {} }]')),
  c('a list in the runtime', 'refused', runtime('[{ name: a, static_layer: { x: [1] } }]')),
  c('null in the runtime', 'refused', runtime('[{ name: a, static_layer: { x: ~ } }]')),
  c(
    'a fractional percent in the runtime',
    'accepted',
    runtime('[{ name: a, static_layer: { x: { numerator: 1, denominator: MILLION } } }]'),
  ),
  c('an admin on a name', 'refused', 'admin: { address: { socket_address: { address: localhost, port_value: 1 } } }'),
  c('an admin without address', 'accepted', 'admin: {}'),
  c(
    'a DNS resolver that is asked over UDP',
    'accepted',
    cluster(
      `type: STRICT_DNS, typed_dns_resolver_config: { name: r, typed_config: { "@type": type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig, resolvers: [{ socket_address: { protocol: UDP, address: 127.0.0.1, port_value: 53 } }] } }`,
    ),
  ),
  c(
    'an endpoint over UDP',
    'unsupported',
    cluster(
      endpoints(
        '[{ lb_endpoints: [{ endpoint: { address: { socket_address: { protocol: UDP, address: 127.0.0.1, port_value: 1 } } } }] }]',
      ),
    ),
    /UDP; Hopscope supports only TCP so far/,
  ),
  c(
    'a local rate limit of a route without a bucket',
    'refused',
    hcm('')
      .replace(
        `http_filters: [${router}]`,
        `http_filters: [{ name: l, typed_config: { ${LIMIT}, stat_prefix: l } }, ${router}]`,
      )
      .replace(
        'direct_response: { status: 200 } }',
        `direct_response: { status: 200 }, typed_per_filter_config: { l: { ${LIMIT}, stat_prefix: r } } }`,
      ),
    /token bucket must be set/,
  ),
  c('a flush both by time and on demand', 'refused', 'stats_flush_interval: 5s\nstats_flush_on_admin: true'),
] // prettier-ignore

const pipe = (path: string) =>
  endpoints(`[{ lb_endpoints: [{ endpoint: { address: { pipe: { path: "${path}" } } } }] }]`)

const retryPriority = (fields: string): string =>
  toCluster(
    `cluster: c, retry_policy: { retry_on: 5xx, retry_priority: { name: p, typed_config: { "@type": type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig, ${fields} } } }`,
  )

export const balancing: ValidateCase[] = [
  c('other priorities for retries', 'accepted', retryPriority('update_frequency: 2')),
  c('an endpoint at a Unix socket', 'accepted', cluster(pipe('/run/app.sock'))),
  c('an endpoint at an abstract socket', 'accepted', cluster(pipe('@app'))),
  c('a path that no Unix socket has', 'refused', cluster(pipe(`/${'x'.repeat(107)}`)), /less than 108 bytes/),
  c('a Unix socket in a cluster of names', 'unsupported', cluster(`type: STRICT_DNS, ${pipe('/run/app.sock')}`)),
  c(
    'a listener at a Unix socket',
    'accepted',
    hcm('').replace(address(10000), '{ pipe: { path: /tmp/hopscope-listener.sock } }'),
  ),
  c('a subset selector', 'accepted', selector('keys: [a, b], fallback_policy: KEYS_SUBSET, fallback_keys_subset: [a]')),
  c('KEYS_SUBSET without keys', 'refused', selector('keys: [a], fallback_policy: KEYS_SUBSET'), /cannot be empty/),
  c(
    'KEYS_SUBSET with other keys',
    'refused',
    selector('keys: [a, b], fallback_policy: KEYS_SUBSET, fallback_keys_subset: [c]'),
    /'c' is none of them/,
  ),
  c(
    'KEYS_SUBSET with all keys',
    'refused',
    selector('keys: [a, b], fallback_policy: KEYS_SUBSET, fallback_keys_subset: [b, a]'),
    /cannot be all/,
  ),
  c(
    'keys of another fallback',
    'refused',
    selector('keys: [a, b], fallback_policy: ANY_ENDPOINT, fallback_keys_subset: [a]'),
    /for the fallback_policy KEYS_SUBSET alone/,
  ),
  c('a selector without keys', 'accepted', selector('keys: [], fallback_policy: ANY_ENDPOINT')),
  c('one host of several keys', 'accepted', selector('keys: [a, b], single_host_per_subset: true')),
  c(
    'locality_weight_aware alone',
    'refused',
    cluster('lb_subset_config: { locality_weight_aware: true }'),
    /locality_weighted_lb_config/,
  ),
  c(
    'subsets as an extension',
    'accepted',
    cluster(`load_balancing_policy: ${subsets(`subset_lb_policy: ${ROUND_ROBIN}`)}`),
  ),
  c(
    'subsets within subsets',
    'accepted',
    cluster(`load_balancing_policy: ${subsets(`subset_lb_policy: ${subsets(`subset_lb_policy: ${ROUND_ROBIN}`)}`)}`),
  ),
  c('subsets without a policy', 'refused', cluster(`load_balancing_policy: ${subsets('')}`), /subset_lb_policy/),
  c(
    'subsets with a policy of none',
    'refused',
    cluster(`load_balancing_policy: ${subsets('subset_lb_policy: {}')}`),
    /there is no policy in it/,
  ),
  ...['lb_subset_config: {}', 'common_lb_config: { locality_weighted_lb_config: {} }'].map(other =>
    c(
      `load_balancing_policy beside ${other}`,
      'refused',
      cluster(`load_balancing_policy: ${ROUND_ROBIN}, ${other}`),
      /cannot be combined with load_balancing_policy/,
    ),
  ),
]

/** With the arguments that they need, or may have. All others of Envoy 1.40 are named below. */
const KNOWN_OPERATORS = [
  ...Object.keys(tlsOperators),
  ...Object.entries(formatOperators as Record<string, { argumentRequired?: boolean }>)
    .filter(([name, { argumentRequired }]) => !argumentRequired && !(name in tlsOperators))
    .map(([name]) => name),
  ...[
    'REQ(a?b):3',
    'RESP(a)',
    'TRAILER(a)',
    'REQUEST_HEADER(a)',
    'RESPONSE_HEADER(a)',
    'RESPONSE_TRAILER(a)',
    'STREAM_INFO_REQ(a):1',
  ],
  ...[
    'QUERY_PARAM(a):5',
    'ENVIRONMENT(HOME)',
    'DYNAMIC_METADATA(a:b):2',
    'CLUSTER_METADATA(a)',
    'UPSTREAM_METADATA(a:b:c)',
  ],
  ...['METADATA(ROUTE:a)', 'METADATA(LISTENER:a:b):1', 'FILTER_STATE(a:PLAIN):3', 'UPSTREAM_FILTER_STATE(a:FIELD:b)'],
  ...['COMMON_DURATION(DS_RX_BEG:US_CX_BEG:ns)', 'COALESCE({"operators":["HOSTNAME"]})', 'PATH(NQ:ORIG):3'],
  ...[
    'REQUESTED_SERVER_NAME(HOST_FIRST:ORIG)',
    'REQUESTED_SERVER_NAME(:HOST)',
    'RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)',
  ],
  ...[
    'GRPC_STATUS(SNAKE_STRING)',
    'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(16)',
    'EMIT_TIME(%s)',
    'EMIT_TIME_LOCAL(%E3S)',
  ],
]
/** Neither of the two has them. */
const UNKNOWN_OPERATORS = [
  ...[
    'TRACE_SAMPLED',
    'REQUEST_TRAILER(a)',
    'REQ_WITHOUT_QUERY(a)',
    'METHOD_NAME',
    'UPSTREAM_CX_RTT',
    'ROUTE_RESOLUTION_TIME',
  ],
  ...[
    'START_TIME(%n)',
    'EMIT_TIME(%-3En)',
    'START_TIME_LOCAL(a%%n)',
    'DOWNSTREAM_PEER_CERT_V_START(%n)',
    'EMIT_TIME:3',
  ],
  ...['REQUESTED_SERVER_NAME(x)', 'REQUESTED_SERVER_NAME(HOST_FIRST:x)', 'REQUESTED_SERVER_NAME(SNI_ONLY):3'],
  ...[
    'UPSTREAM_CONNECTION_ID(a)',
    'DOWNSTREAM_WIRE_BYTES_SENT:1',
    'UPSTREAM_FILTER_STATE',
    'UPSTREAM_FILTER_STATE(a:x)',
  ],
  ...[
    'UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT(3)',
    'TRACE_ID:3',
    'STREAM_INFO_REQ',
    'COMMON_DURATION(DS_RX_BEG:US_CX_BEG:m)',
  ],
]

export const formats: ValidateCase[] = [
  c('a percent sign that begins nothing', 'refused', header('100%'), /position 3/),
  c('%%', 'accepted', header('100%%')),
  c('%%%', 'refused', header('%%%')),
  c('lower case', 'refused', header('%req(x)%')),
  c('an unknown operator', 'refused', header('%NOPE%'), /not a command operator/),
  ...KNOWN_OPERATORS.map(one =>
    c(`%${one}%`, 'accepted', accessLog(`{ text_format_source: { inline_string: '%${one}%' } }`)),
  ),
  // A language of its own; what the kernel knows of a connection; a measurement that no request is to pay for.
  ...['CEL(request.path)', 'DOWNSTREAM_CX_RTT', 'ROUTE_RESOLUTION_TIME_US'].map(one =>
    c(`%${one}%`, 'unsupported', header(`%${one}%`)),
  ),
  ...UNKNOWN_OPERATORS.map(one => c(`%${one}%`, 'refused', header(`%${one}%`))),
  c('REQ with an alternative and a length', 'accepted', header('%REQ(X-A?:path):10%')),
  c('REQ with two alternatives', 'refused', header('%REQ(X?Y?Z)%')),
  c('REQ without name', 'refused', header('%REQ()%')),
  c('REQ of a name with a space', 'refused', header('%REQ(a b)%')),
  c('START_TIME with a format', 'accepted', header('%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%')),
  c('START_TIME with a length', 'refused', header('%START_TIME:3%')),
  c('PROTOCOL with an argument', 'refused', header('%PROTOCOL(x)%')),
  c('PATH with options', 'accepted', header('%PATH(NQ:ORIG)%')),
  c('PATH with a wrong option', 'refused', header('%PATH(XX)%')),
  c('a log line with an unknown operator', 'refused', accessLog('{ text_format_source: { inline_string: "%NOPE%" } }')),
  c('a JSON log', 'accepted', accessLog('{ json_format: { a: 1, b: true, c: { d: "%PROTOCOL% %RESPONSE_CODE%" } } }')),
  c('a JSON log with an unknown operator', 'refused', accessLog('{ json_format: { a: "%NOPE%" } }')),
  c('a JSON log with a list', 'accepted', accessLog('{ json_format: { a: ["%PROTOCOL%"] } }')),
] // prettier-ignore
