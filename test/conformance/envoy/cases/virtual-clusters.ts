import { type Case, get } from '../harness/case.ts'
import { echo, ok, status } from '../harness/upstream.ts'

const LOG = '%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% vc=%VIRTUAL_CLUSTER_NAME% route=%ROUTE_NAME%\n'

const virtual_clusters = [
  { name: 'admin', headers: [{ name: ':path', string_match: { prefix: '/admin' } }] },
  {
    name: 'posted.x',
    headers: [
      { name: ':method', string_match: { exact: 'POST' } },
      { name: 'x-a', present_match: true },
    ],
  },
  { name: 'admin-too', headers: [{ name: ':path', string_match: { prefix: '/admin/too' } }] },
]

const host = (name: string, routes: object[], fields: object = {}) => ({
  name,
  domains: [`${name}.test`],
  routes,
  virtual_clusters,
  ...fields,
})

export const virtualClusterCases: Case[] = [
  {
    name: 'virtual clusters of a virtual host',
    covers:
      'virtual_clusters: the first that fits, other, VIRTUAL_CLUSTER_NAME, where no cluster is reached; internal requests',
    upstreams: { app: echo },
    config: {
      accessLog: LOG,
      hcm: { use_remote_address: true },
      virtualHosts: [
        host('a', [
          { match: { prefix: '/direct' }, direct_response: { status: 200 } },
          { match: { prefix: '/admin/nowhere' }, route: { cluster_header: 'x-cluster' } },
          {
            match: { prefix: '/' },
            route: { cluster: 'app' },
            request_headers_to_add: [{ header: { key: 'x-vc', value: '%VIRTUAL_CLUSTER_NAME%' } }],
          },
        ]),
        { name: 'b', domains: ['b.test'], routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }] },
      ],
    },
    steps: [
      { send: get('/admin/too', { host: 'a.test' }) },
      { send: get('/', { host: 'a.test' }) },
      { send: 'POST / HTTP/1.1\r\nhost: a.test\r\nx-a: 1\r\ncontent-length: 0\r\n\r\n' },
      { send: get('/direct', { host: 'a.test' }) },
      { send: get('/admin/nowhere', { host: 'a.test' }) },
      { send: get('/admin', { host: 'b.test' }) },
      { send: get('/admin', { host: 'a.test', 'x-envoy-upstream-alt-stat-name': 'alt' }) },
      { admin: '/stats?filter=^vhost' },
      { admin: '/stats/prometheus?filter=^vhost.*upstream_rq_(200|2xx|total)$' },
    ],
  },
  {
    name: 'retries and timeouts of virtual clusters',
    covers: 'virtual_clusters and stat_prefix of a route: retries, their limit, timeouts, no host, maintenance',
    upstreams: { app: status(503), slow: () => {}, fine: ok() },
    config: {
      accessLog: LOG,
      runtime: { 'upstream.maintenance_mode.fine': 100 },
      clusters: [{ name: 'none', type: 'STATIC', connect_timeout: '1s', load_assignment: { cluster_name: 'none' } }],
      virtualHosts: [
        host('a', [
          { match: { prefix: '/slow' }, stat_prefix: 'slow.er', route: { cluster: 'slow', timeout: '0.1s' } },
          { match: { prefix: '/none' }, stat_prefix: 'empty', route: { cluster: 'none' } },
          { match: { prefix: '/fine' }, stat_prefix: 'fine', route: { cluster: 'fine' } },
          { match: { prefix: '/direct' }, stat_prefix: 'direct', direct_response: { status: 200 } },
          {
            match: { prefix: '/' },
            stat_prefix: 'retried',
            route: { cluster: 'app', retry_policy: { retry_on: '5xx', num_retries: 2 } },
          },
        ]),
        {
          name: 'b',
          domains: ['b.test'],
          routes: [
            {
              match: { prefix: '/' },
              stat_prefix: 'retried',
              route: { cluster: 'app', retry_policy: { retry_on: '5xx', num_retries: 1 } },
            },
          ],
        },
      ],
    },
    steps: [
      ...['/admin', '/slow', '/none', '/fine', '/direct'].map(path => ({ send: get(path, { host: 'a.test' }) })),
      { send: get('/', { host: 'b.test' }) },
      { admin: '/stats?filter=^vhost.*rq_total' },
      { admin: '/stats/prometheus?filter=^vhost.*upstream_rq_(5..|total)$' },
    ],
  },
  {
    name: 'weights drawn by hash',
    covers: 'weighted_clusters: use_hash_policy',
    upstreams: { app: ok('app'), b: ok('b'), c: ok('c') },
    config: {
      routes: [
        {
          match: { prefix: '/off' },
          route: {
            hash_policy: [{ header: { header_name: 'x-user' } }],
            weighted_clusters: {
              use_hash_policy: false,
              clusters: [
                { name: 'app', weight: 1 },
                { name: 'b', weight: 0 },
              ],
            },
          },
        },
        {
          match: { prefix: '/' },
          route: {
            hash_policy: [{ header: { header_name: 'x-user' } }],
            weighted_clusters: {
              use_hash_policy: true,
              clusters: [
                { name: 'app', weight: 5 },
                { name: 'b', weight: 7 },
                { name: 'c', weight: 8 },
              ],
            },
          },
        },
      ],
    },
    steps: [
      ...Array.from({ length: 12 }, (_, i) => ({ send: get('/', { 'x-user': `user-${i}` }), on: 'one' })),
      { send: get('/off', { 'x-user': 'user-1' }) },
    ],
  },
]
