import { type Case, get, request } from '../harness/case.ts'
import { cluster, endpoint } from '../harness/config.ts'
import { close, ok, sequence, status } from '../harness/upstream.ts'
import { filter } from './filter-configs.ts'

const ANYBODY = { policies: { everybody: { permissions: [{ any: true }], principals: [{ any: true }] } } }
const INTERNAL = { internal_address_config: { cidr_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] } }
const fromInside = (path: string) => get(path, { 'x-forwarded-for': '10.0.0.1' })

/** Numbers over several requests. */
export const statsCases: Case[] = [
  {
    name: 'internal and external callers',
    covers: 'internal.upstream_rq_* and external.upstream_rq_*, x-envoy-internal',
    upstreams: { app: sequence(ok(), status(404), status(500), close, ok()) },
    config: { hcm: INTERNAL },
    steps: [
      { send: fromInside('/1') },
      { send: fromInside('/2') },
      { send: get('/3') },
      { send: fromInside('/4') },
      { send: get('/5') },
    ],
    sane: envoy => {
      if (envoy.stats['cluster.app.internal.upstream_rq_503'] !== 1) throw new Error('no internal 503')
    },
  },
  {
    name: 'an internal caller without hosts to answer it',
    covers: 'internal variants of local answers',
    upstreams: {},
    config: { hcm: INTERNAL },
    steps: [{ send: fromInside('/') }, { send: get('/') }],
  },
  {
    name: 'an internal caller at the edge',
    covers: 'use_remote_address with the peer inside',
    config: {
      hcm: {
        use_remote_address: true,
        internal_address_config: { cidr_ranges: [{ address_prefix: '127.0.0.0', prefix_len: 8 }] },
      },
    },
    steps: [{ send: get('/') }, { send: get('/', { 'x-forwarded-for': '10.0.0.1' }) }],
  },
  {
    name: 'a mixed run on one connection',
    covers: 'how many upstream connections are opened, and every counter on the way',
    upstreams: {
      app: (message, socket, index) => {
        const path = message.head[0]!.split(' ')[1]!
        if (path === '/close') return close(message, socket, index)
        if (path === '/bye') return ok('bye', 'connection: close\r\n')(message, socket, index)
        if (path === '/cut') return void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut')
        if (path === '/old') return void socket.write('HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nold')
        if (path === '/until') return void socket.end('HTTP/1.1 200 OK\r\n\r\nuntil')
        if (path === '/500') return status(500, 'broken')(message, socket, index)
        ok(message.body)(message, socket, index)
      },
    },
    config: {
      routes: [
        { match: { prefix: '/none' }, route: { cluster: 'absent' } },
        { match: { prefix: '/retry' }, route: { cluster: 'app', retry_policy: { retry_on: '5xx' } } },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
      routeConfig: { validate_clusters: false },
    },
    steps: [
      ...['/1', '/500', '/bye', '/2', '/close', '/3', '/old', '/4', '/until', '/5', '/none', '/6'].flatMap(path => [
        { send: get(path), on: 'a' },
        { settled: 'stats' as const },
      ]),
      { send: request('POST', '/body', {}, 'x'.repeat(2000)), on: 'a' },
      { send: request('HEAD', '/7'), on: 'a' },
      { send: get('/8') + get('/9'), on: 'a', answers: 2 },
      { send: get('/cut'), on: 'a' },
      { settled: 'stats' },
      { send: get('/10'), on: 'b' },
    ],
    logLines: 18,
  },
  {
    name: 'changes of members',
    covers:
      'membership_change counts priorities, default.total_match_count hosts; one address in two priorities is two hosts',
    config: ports => {
      const at = (...groups: [priority: number, hosts: number][]) => ({
        load_assignment: {
          cluster_name: 'any',
          endpoints: groups.map(([priority, hosts], i) => ({
            priority,
            locality: { zone: String(i) },
            lb_endpoints: Array.from({ length: hosts }, (_, n) => endpoint(ports.upstream.app! + n, '127.0.0.1')),
          })),
        },
      })
      const named = at([0, 1], [1, 1])
      for (const { lb_endpoints } of named.load_assignment.endpoints)
        lb_endpoints[0] = endpoint(ports.upstream.app!, 'localhost')
      return {
        clusters: [
          cluster('two', 0, at([0, 2], [1, 1])),
          cluster('gap', 0, at([0, 0], [1, 1])),
          cluster('same', 0, at([0, 1], [0, 1])),
          cluster('none', 0, { load_assignment: { cluster_name: 'any' } }),
          cluster('named', 0, { ...named, type: 'STRICT_DNS', dns_lookup_family: 'V4_ONLY' }),
        ],
      }
    },
    steps: ['two', 'gap', 'same', 'none', 'named'].map(name => ({
      admin: `/stats?filter=^cluster\\.${name}\\.(membership|default)`,
    })),
  },
  {
    name: 'labels of Prometheus',
    covers: '/stats/prometheus: labels of prefixes that filters, listeners, virtual hosts and routes give their stats',
    upstreams: { app: ok(), guard: ok() },
    config: {
      hcm: { stat_prefix: 'ingress' },
      listener: { stat_prefix: 'front' },
      filters: [
        filter('fault', 'fault.v3.HTTPFault', { delay: { fixed_delay: '0.001s', percentage: { numerator: 100 } } }),
        ...['one', 'two.words', 'with_underscore'].map(stat_prefix =>
          filter(`local_ratelimit.${stat_prefix}`, 'local_ratelimit.v3.LocalRateLimit', { stat_prefix }),
        ),
        filter('rbac', 'rbac.v3.RBAC', {
          rules: ANYBODY,
          rules_stat_prefix: 'strict',
          shadow_rules: ANYBODY,
          shadow_rules_stat_prefix: 'lax',
          track_per_rule_stats: true,
        }),
        filter('rbac.plain', 'rbac.v3.RBAC', { rules: ANYBODY, track_per_rule_stats: true }),
        filter('ext_authz', 'ext_authz.v3.ExtAuthz', {
          transport_api_version: 'V3',
          stat_prefix: 'guard',
          http_service: { server_uri: { uri: 'http://guard', cluster: 'guard', timeout: '5s' } },
        }),
      ],
      virtualHosts: [
        {
          name: 'shop',
          domains: ['*'],
          virtual_clusters: [{ name: 'things', headers: [{ name: ':path', string_match: { prefix: '/' } }] }],
          routes: [{ match: { prefix: '/' }, stat_prefix: 'all', route: { cluster: 'app' } }],
        },
      ],
    },
    steps: [
      { send: get('/', { 'x-envoy-downstream-service-cluster': 'elsewhere' }) },
      ...[
        'fault',
        'http_local_rate_limit',
        'rbac',
        'ext_authz',
        '^vhost.*(2xx|rq_total)$',
        '^listener.front.*(2xx|cx_total)$',
      ].map(pattern => ({ admin: `/stats/prometheus?filter=${pattern}` })),
    ],
  },
  {
    name: 'what is there from the start',
    covers: '/stats: names and values of what nothing has counted yet',
    config: ports => ({
      app: { outlier_detection: {} },
      clusters: [1, 2].flatMap(hosts =>
        ['MAGLEV', 'RING_HASH'].map(lb_policy => {
          const lb_endpoints = Array.from({ length: hosts }, (_, i) => endpoint(ports.dead, `127.0.0.${i + 1}`))
          const load_assignment = { cluster_name: 'any', endpoints: [{ lb_endpoints }] }
          return cluster(`${lb_policy}_${hosts}`, 0, { lb_policy, load_assignment })
        }),
      ),
    }),
    steps: [
      'outlier_detection',
      '^listener_manager',
      '(maglev|ring_hash)_lb',
      '^server\\.(compilation|parent|seconds|debug|wip|envoy_no)',
    ].flatMap(pattern => [{ admin: `/stats?filter=${pattern}` }, { admin: `/stats/prometheus?filter=${pattern}` }]),
  },
  {
    name: 'a cluster with colons in its name',
    covers: '/stats and labels have underscores, logs and /clusters the name itself',
    config: ports => ({
      clusters: [cluster('shop:8080', ports.upstream.app!)],
      routes: [{ match: { prefix: '/' }, route: { cluster: 'shop:8080' } }],
    }),
    steps: [
      { send: get('/') },
      { admin: '/stats?filter=shop.*upstream_rq_(2xx|total)$' },
      { admin: '/stats/prometheus?filter=shop.*upstream_rq_(2xx|total)$' },
      { admin: '/clusters?filter=shop' },
    ],
  },
]
