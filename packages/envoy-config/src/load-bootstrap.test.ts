import { describe, expect, test } from 'vitest'
import type { Bootstrap } from './bootstrap.ts'
import { formatProblems, type LoadOptions, loadBootstrap, validOk } from './load-bootstrap.ts'

const router =
  '{ name: router, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router } }'
const hcm = (fields: string): string => `
static_resources:
  listeners:
    - address: { socket_address: { address: 127.0.0.1, port_value: 10000 } }
      filter_chains:
        - filters:
            - name: hcm
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: ingress
                http_filters: [${router}]
${fields.replace(/^/gm, '                ')}
`

const load = (files: Record<string, string>, options: Partial<LoadOptions> = {}) =>
  loadBootstrap({
    path: Object.keys(files)[0],
    environment: {},
    readFile: path => {
      const text = files[path]
      if (text === undefined) throw Object.assign(new Error('missing'), { code: 'ENOENT' })
      return new TextEncoder().encode(text)
    },
    ...options,
  })

function good(files: Record<string, string>, options?: Partial<LoadOptions>): Bootstrap {
  const result = load(files, options)
  if (!result.ok) throw new Error(formatProblems(result.problems))
  return result.bootstrap
}

function bad(files: Record<string, string>, options?: Partial<LoadOptions>): string[] {
  const result = load(files, options)
  return result.ok ? [] : formatProblems(result.problems).split('\n')
}

describe('problems', () => {
  test('all of them come at once, in the order of the text, each with its place and the nearest name', () => {
    const text = `static_resources:
  clusters:
    - name: backend
      connect_timeot: 1s
      lb_policy: ROUND_ROBBIN
      track_cluster_stats: { request_response_sizes: true }
    - name: backend
      connect_timeout: 1
`
    expect(bad({ 'envoy.yaml': text })).toEqual([
      "envoy.yaml:4:7: static_resources.clusters[0].connect_timeot: Cluster has no field 'connect_timeot' (did you mean 'connect_timeout'?)",
      expect.stringMatching(
        /^envoy\.yaml:5:18: static_resources\.clusters\[0\]\.lb_policy: 'ROUND_ROBBIN' is not one of ROUND_ROBIN, .* \(did you mean 'ROUND_ROBIN'\?\)$/,
      ),
      'envoy.yaml:6:7: static_resources.clusters[0].track_cluster_stats: Envoy knows this field; Hopscope does not support it yet',
      "envoy.yaml:7:13: static_resources.clusters[1].name: duplicate cluster 'backend'",
      'envoy.yaml:8:24: static_resources.clusters[1].connect_timeout: expected a duration in seconds such as "0.25s" or "5s", found the number 1',
    ])
  })

  test('a reference says where it is, deep inside an Any', () => {
    const text = `${hcm(`route_config:
  virtual_hosts:
    - name: all
      domains: ["*"]
      routes:
        - match: { prefix: / }
          route: { cluster: backnd }`)}  clusters:
    - name: backend
`
    expect(bad({ 'envoy.yaml': text })).toEqual([
      "envoy.yaml:18:45: static_resources.listeners[0].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[0].route.cluster: route: unknown cluster 'backnd' (did you mean 'backend'?)",
    ])
  })

  test('YAML that is none has line and column', () => {
    expect(bad({ 'envoy.yaml': 'node:\n  id: [a\n' })).toEqual([
      expect.stringMatching(/^envoy\.yaml:3:1: not valid YAML: /),
    ])
  })

  test('JSON has places too', () => {
    expect(bad({ 'envoy.json': '{\n  "nod": {}\n}' })).toEqual([
      "envoy.json:2:3: nod: Bootstrap has no field 'nod' (did you mean 'node'?)",
    ])
    expect(bad({ 'envoy.json': '{\n  "node": {"id" "a"}\n}' })).toEqual([
      `envoy.json:2:17: not valid JSON: expected ':', found '"'`,
    ])
  })

  test('an unsupported value says which are supported', () => {
    const text = hcm('codec_type: HTTP2\nroute_config: {}')
    expect(bad({ 'envoy.yaml': text })).toEqual([
      expect.stringMatching(/:12:29: .*codec_type: Envoy knows HTTP2; Hopscope supports AUTO, HTTP1 so far$/),
    ])
  })

  test('an extension that Hopscope has not is looked into only for what Envoy would refuse', () => {
    const lua = (fields: string) =>
      hcm('route_config: {}').replace(
        '[{ name: router',
        `[{ name: f, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua, ${fields} } }, { name: router`,
      )
    expect(bad({ 'e.yaml': lua('stat_prefix: a') })).toEqual([
      expect.stringContaining(
        'Envoy knows the HTTP filter envoy.extensions.filters.http.lua.v3.Lua; Hopscope supports Router, ',
      ),
    ])
    expect(bad({ 'e.yaml': lua('stat_prefx: a') })).toContainEqual(
      expect.stringContaining("Lua has no field 'stat_prefx' (did you mean 'stat_prefix'?)"),
    )
  })

  test('what would exhaust the stack', () => {
    expect(bad({ 'e.yaml': '['.repeat(50_000) })).toHaveLength(1)
    expect(bad({ 'e.json': '['.repeat(50_000) })).toEqual(['e.json:1:1: is nested too deeply'])
  })

  test('a field that one resource has and another has not', () => {
    const cluster =
      'static_resources: { clusters: [{ name: a, http_protocol_options: { allow_chunked_length: true } }] }'
    expect(bad({ 'e.yaml': cluster })).toEqual([expect.stringContaining('supports it only in listeners so far')])
  })

  test('a cluster that speaks HTTP/2 takes reports over gRPC and nothing else', () => {
    const tracer = (service: string, cluster = '') =>
      `${hcm(
        `route_config: { virtual_hosts: [{ name: v, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: a } }] }] }
tracing: { provider: { name: o, typed_config: { "@type": type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig, ${service} } } }`,
      )}  clusters: [{ name: a, ${cluster} }]`
    const service = 'grpc_service: { envoy_grpc: { cluster_name: a } }'
    expect(bad({ 'e.yaml': tracer(service, 'http2_protocol_options: {}') })).toEqual([
      expect.stringContaining("route: the cluster 'a' speaks HTTP/2: Hopscope has that only for reports of spans"),
    ])
    expect(bad({ 'e.yaml': tracer(service) })).toEqual([expect.stringContaining("the cluster 'a' speaks HTTP/1")])
    const google = 'grpc_service: { google_grpc: { target_uri: "x:1", stat_prefix: s } }'
    expect(bad({ 'e.yaml': tracer(google) })).toEqual([expect.stringContaining('google_grpc')])
    expect(bad({ 'e.yaml': tracer('service_name: s') })).toEqual([
      expect.stringContaining('exactly one of grpc_service and http_service is required'),
    ])
  })

  test('a file that is not there', () => {
    expect(bad({}, { path: 'nope.yaml' })).toEqual(['nope.yaml:1:1: cannot be read: there is no such file'])
    const folder = import.meta.dirname
    const problems = loadBootstrap({ path: folder })
    expect(problems).toMatchObject({ ok: false })
    expect(JSON.stringify(problems)).toContain('it is a folder')
  })

  test('nothing to load', () => {
    expect(bad({})).toEqual([expect.stringContaining('there is no configuration')])
  })
})

describe('a good file', () => {
  test("has Envoy's defaults", () => {
    const { snapshot, node, admin, runtime } = good({ 'e.yaml': hcm('route_config: {}') })
    expect({ node, admin, runtime }).toEqual({
      node: { id: '', cluster: '', locality: { region: '', zone: '', subZone: '' } },
      admin: undefined,
      runtime: [],
    })
    const [listener] = snapshot.listeners
    expect(listener).toMatchObject({ name: '127.0.0.1:10000', trafficDirection: 'UNSPECIFIED' })
    expect(listener!.filterChains[0]!.httpConnectionManager).toMatchObject({
      codecType: 'AUTO',
      generateRequestId: true,
      useRemoteAddress: false,
      serverName: 'envoy',
      streamIdleTimeout: 300_000,
      idleTimeout: 3_600_000,
      delayedCloseTimeout: 1000,
      maxRequestHeadersKb: 60,
      maxHeadersCount: 100,
    })
    expect(listener!.filterChains[0]!.httpConnectionManager).not.toHaveProperty('tracing')
    expect(listener!.filterChains[0]!.httpConnectionManager).not.toHaveProperty('internalAddressConfig')
  })

  test("has a cluster's defaults, and what the file says", () => {
    const text = `static_resources: { clusters: [{ name: a, alt_stat_name: b, type: strict_dns, dns_refresh_rate: 1.5s,
      circuit_breakers: { thresholds: [{ max_retries: 7 }, { priority: HIGH, max_connections: 1 }] },
      load_assignment: { endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: localhost, port_value: 80 } } } }] }], cluster_name: x } }] }`
    expect(good({ 'e.yaml': text }).snapshot.clusters.get('a')).toEqual({
      name: 'a',
      observabilityName: 'b',
      type: 'STRICT_DNS',
      connectTimeout: 5000,
      lbPolicy: {
        type: 'ROUND_ROBIN',
        locality: {
          type: 'zone_aware',
          routingEnabled: 100,
          minClusterSize: 6,
          failTrafficOnPanic: false,
          forceLocalityDirectRouting: false,
        },
      },
      loadAssignment: {
        clusterName: 'x',
        overprovisioningFactor: 140,
        weightedPriorityHealth: false,
        endpoints: [
          {
            priority: 0,
            locality: { region: '', zone: '', subZone: '' },
            loadBalancingWeight: 0,
            lbEndpoints: [
              {
                address: { address: 'localhost', port: 80, isPipe: false },
                hostname: '',
                loadBalancingWeight: 1,
                healthStatus: 'UNKNOWN',
                metadata: new Map(),
                healthCheck: { port: 0, hostname: '', disabled: false },
              },
            ],
          },
        ],
      },
      circuitBreakers: {
        default: {
          maxConnections: 1024,
          maxPendingRequests: 1024,
          maxRequests: 1024,
          maxRetries: 7,
          trackRemaining: false,
        },
        high: { maxConnections: 1, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3, trackRemaining: false },
      },
      ignoreNewHostsUntilFirstHc: false,
      healthyPanicThreshold: 50,
      closeConnectionsOnHostSetChange: false,
      updateMergeWindow: 1000,
      dns: { family: 'AUTO', refreshRate: 1500, respectTtl: false, jitter: 0, resolvers: [], waitForWarmOnInit: true },
      ignoreHealthOnHostRemoval: false,
      preconnectRatio: 1,
      predictivePreconnectRatio: 1,
      maxConnectionDuration: 0,
      requestStyle: { properCaseHeaders: false, fullUrl: false },
      responseLimits: { headersCount: 100 },
      perConnectionBufferLimitBytes: 1_048_576,
      maxStreamDuration: 0,
      idleTimeout: 3_600_000,
      maxRequestsPerConnection: 0,
    })
  })

  test('flattens the runtime; a fractional percent is a percent', () => {
    const text =
      'layered_runtime: { layers: [{ name: s, static_layer: { a: { b: 1, c: yes }, a.d: x, p: { numerator: 5, denominator: MILLION } } }, { name: admin, admin_layer: {} }] }'
    expect(good({ 'e.yaml': text }).runtime).toEqual([
      {
        name: 's',
        kind: 'static',
        values: new Map<string, unknown>([
          ['a.b', 1],
          ['a.c', true],
          ['a.d', 'x'],
          ['p', 0.0005],
        ]),
      },
      { name: 'admin', kind: 'admin', values: new Map() },
    ])
  })

  test('knows where layers on the disk are; those of a control plane are refused', () => {
    const layers = (text: string) => `node: { cluster: c }\nlayered_runtime: { layers: [{ name: l, ${text} }] }`
    const directory = (fields: string) =>
      good({ 'e.yaml': layers(`disk_layer: { symlink_root: /r, ${fields} }`) }).runtime[0]!.disk
    expect(directory('subdirectory: s, append_service_cluster: true')).toEqual({
      symlinkRoot: '/r',
      directory: '/r/s/c',
    })
    expect(directory('')!.directory).toBe('/r')
    expect(bad({ 'e.yaml': layers('rtds_layer: { name: x }') })).toEqual([expect.stringContaining('rtds_layer')])
  })

  test('keeps what the file said as protobuf writes it, for /config_dump', () => {
    const text = 'staticResources: { clusters: { name: a, type: strict_dns, connectTimeout: 0.25s } }'
    expect(good({ 'e.yaml': text }).source).toEqual({
      static_resources: { clusters: [{ name: 'a', type: 'STRICT_DNS', connect_timeout: '0.250s' }] },
    })
  })

  test('reads bodies from texts, bytes, files and the environment', () => {
    const route = (path: string, body: string) =>
      `{ match: { path: ${path} }, direct_response: { status: 200, body: { ${body} } } }`
    const text = hcm(
      `route_config: { virtual_hosts: [{ name: v, domains: ["*"], routes: [${[
        route('/s', 'inline_string: one'),
        route('/b', 'inline_bytes: dHdv'),
        route('/f', 'filename: body.txt'),
        route('/e', 'environment_variable: BODY'),
      ].join(', ')}] }] }`,
    )
    const { snapshot } = good({ 'e.yaml': text, 'body.txt': 'three' }, { environment: { BODY: 'four' } })
    const routes = snapshot.listeners[0]!.filterChains[0]!.httpConnectionManager.routeConfig.virtualHosts[0]!.routes
    const bodies = routes.map(
      ({ action }) => action.type === 'direct_response' && new TextDecoder().decode(action.body),
    )
    expect(bodies).toEqual(['one', 'two', 'three', 'four'])
  })

  test('the command line beats the file', () => {
    const overrides = { serviceNode: 'n', serviceCluster: 'c', serviceZone: 'z' }
    const { node } = good({ 'e.yaml': 'node: { id: a, cluster: b, locality: { region: r, zone: q } }' }, { overrides })
    expect(node).toEqual({ id: 'n', cluster: 'c', locality: { region: 'r', zone: 'z', subZone: '' } })
  })
})

describe('--config-yaml', () => {
  const file = {
    'e.yaml':
      'node: { id: a, cluster: b }\nadmin: { address: { socket_address: { address: 127.0.0.1, port_value: 1 } } }\nstatic_resources: { clusters: [{ name: x }] }',
  }

  test('scalars are replaced, lists appended, messages merged', () => {
    const yaml =
      'node: { id: c }\nadmin: { address: { socket_address: { port_value: 2 } } }\nstatic_resources: { clusters: [{ name: z }] }'
    const { node, admin, snapshot } = good(file, { yaml })
    expect([node.id, node.cluster, admin, ...snapshot.clusters.keys()]).toEqual([
      'c',
      'b',
      { address: '127.0.0.1', port: 2, isPipe: false, mode: 0 },
      'x',
      'z',
    ])
  })

  test('a default replaces nothing, as in protobuf', () => {
    expect(good(file, { yaml: 'node: { id: "" }' }).node.id).toBe('a')
  })

  test('problems of both have their own places', () => {
    expect(bad({ 'e.yaml': 'nod: {}' }, { yaml: 'admin:\n  adress: {}' })).toEqual([
      "e.yaml:1:1: nod: Bootstrap has no field 'nod' (did you mean 'node'?)",
      "--config-yaml:2:3: admin.adress: Admin has no field 'adress' (did you mean 'address'?)",
    ])
  })

  test('alone it is the whole bootstrap', () => {
    expect(good({}, { yaml: 'node: { id: a }' }).node.id).toBe('a')
  })
})

test("the text of a good file is Envoy's", () => {
  expect(validOk('a.yaml')).toBe("configuration 'a.yaml' OK")
})
