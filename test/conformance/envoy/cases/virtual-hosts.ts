import { type Case, get } from '../harness/case.ts'
import { echo } from '../harness/upstream.ts'

const answer = (name: string) => ({ name, direct_response: { status: 200, body: { inline_string: name } } })
const host = (name: string, domains: string[], fields: object = {}) => ({
  name,
  domains,
  routes: [{ match: { prefix: '/' }, ...answer(name) }],
  ...fields,
})

export const virtualHostCases: Case[] = [
  {
    name: 'https alone',
    covers: 'require_tls ALL: 301 to https with host, port and path, before any route; by x-forwarded-proto',
    config: {
      accessLog: '%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% route=%ROUTE_NAME% %RESPONSE_FLAGS%\n',
      routeConfig: { response_headers_to_add: [{ header: { key: 'x-all', value: '1' } }] },
      virtualHosts: [
        host('secure', ['secure.test', 'secure.test:80'], {
          require_tls: 'ALL',
          response_headers_to_add: [{ header: { key: 'x-host', value: '1' } }],
        }),
        { name: 'no routes', domains: ['empty.test'], require_tls: 'ALL' },
        host('any', ['*']),
      ],
    },
    steps: [
      { send: get('/a/b?q=1', { host: 'secure.test' }) },
      { send: get('/', { host: 'SECURE.test:80' }) },
      { send: get('/', { host: 'secure.test', 'x-forwarded-proto': 'https' }) },
      { send: get('/', { host: 'secure.test', 'x-forwarded-proto': 'HTTPS' }) },
      { send: get('/', { host: 'empty.test' }) },
      { send: get('/', { host: 'empty.test', 'x-forwarded-proto': 'https' }) },
      { send: get('/', { host: 'other.test' }) },
    ],
  },
  {
    name: 'https for those from outside',
    covers: 'require_tls EXTERNAL_ONLY: an internal request is let through',
    config: {
      hcm: { internal_address_config: {} },
      virtualHosts: [host('secure', ['*'], { require_tls: 'EXTERNAL_ONLY' })],
    },
    steps: [
      { send: get('/x') },
      { send: get('/x', { 'x-forwarded-for': '10.0.0.1' }) },
      { send: get('/x', { 'x-forwarded-for': '8.8.8.8', 'x-forwarded-proto': 'https' }) },
    ],
  },
  {
    name: 'virtual hosts by another header',
    covers: 'vhost_header in place of Host: its value, nothing, wildcards; Host stays',
    upstreams: { app: echo },
    config: {
      routeConfig: { vhost_header: 'X-Virtual-Host' },
      virtualHosts: [
        host('one', ['one.test']),
        host('wild', ['*.test']),
        { name: 'rest', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }] },
      ],
    },
    steps: [
      { send: get('/', { 'x-virtual-host': 'one.test' }) },
      { send: get('/', { 'x-virtual-host': 'ONE.test' }) },
      { send: get('/', { 'x-virtual-host': 'two.test', host: 'one.test' }) },
      { send: get('/', { 'x-virtual-host': '' }) },
      { send: get('/', { host: 'one.test' }) },
    ],
  },
  {
    name: 'parameters of a path',
    covers:
      'ignore_path_parameters_in_path_matching: segments match without what follows a ;, and are forwarded as it came',
    upstreams: { app: echo },
    config: {
      routeConfig: { ignore_path_parameters_in_path_matching: true },
      routes: [
        { match: { path: '/exact' }, route: { cluster: 'app' } },
        { match: { path_separated_prefix: '/sep' }, route: { cluster: 'app', prefix_rewrite: '/new' } },
        { match: { safe_regex: { regex: '/r/[a-z]+' } }, route: { cluster: 'app', prefix_rewrite: '/whole' } },
        { match: { prefix: '/' }, ...answer('rest') },
      ],
    },
    steps: ['/exact;v=1', '/exact;v=1?q', '/exact/;x', '/sep;a/b', '/r/abc;d=1/x', '/r/abc;d=1'].map(path => ({
      send: get(path),
    })),
  },
]
