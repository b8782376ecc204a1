import { type Case, get, request } from '../harness/case.ts'
import { ok } from '../harness/upstream.ts'
import { ALWAYS, config, filter, NEVER, perFilter, routes } from './filter-configs.ts'

const cors = [filter('cors', 'cors.v3.Cors')]
const policy = (fields: Record<string, unknown>) => perFilter('cors', config('cors.v3.CorsPolicy', fields))
const full = {
  allow_origin_string_match: [{ exact: 'http://good.test' }, { suffix: '.good.test' }],
  allow_methods: 'GET, PUT',
  allow_headers: 'x-a, x-b',
  expose_headers: 'x-c',
  max_age: '600',
  allow_credentials: true,
}
const preflight = (origin: string, more: Record<string, string> = {}) =>
  request('OPTIONS', '/', { origin, 'access-control-request-method': 'PUT', ...more })

export const corsCases: Case[] = [
  {
    name: 'cors: preflight requests',
    covers: 'answered with all headers; of another origin, with no method asked for, of no origin: upstream',
    config: { filters: cors, routes: routes({ '/': policy(full) }), tracing: {} },
    steps: [
      { send: preflight('http://good.test') },
      { send: preflight('http://bad.test') },
      { send: request('OPTIONS', '/', { origin: 'http://good.test' }) },
      { send: request('OPTIONS', '/', { 'access-control-request-method': 'PUT' }) },
      { send: request('OPTIONS', '/', { origin: '', 'access-control-request-method': 'PUT' }) },
      { send: get('/', { origin: 'http://good.test', 'access-control-request-method': 'PUT' }) },
    ],
    spans: 6,
  },
  {
    name: 'cors: ordinary requests',
    covers: 'allow-origin, credentials, expose-headers in place of the upstream’s; none for another origin',
    upstreams: { app: ok('ok', 'access-control-allow-origin: *\r\naccess-control-expose-headers: theirs\r\n') },
    config: { filters: cors, routes: routes({ '/': policy(full) }) },
    steps: [
      { send: get('/', { origin: 'http://good.test' }) },
      { send: get('/', { origin: 'http://sub.good.test' }) },
      { send: get('/', { origin: 'http://bad.test' }) },
      { send: get('/') },
    ],
  },
  {
    name: 'cors: nothing but an origin',
    covers: 'an empty policy, one that allows any, one of nobody, no policy at all',
    config: {
      filters: cors,
      routes: routes({
        '/empty': policy({}),
        '/any': policy({ allow_origin_string_match: [{ safe_regex: { regex: '\\*' } }] }),
        '/exact': policy({ allow_origin_string_match: [{ exact: '*' }] }),
        '/false': policy({ ...full, allow_credentials: false, expose_headers: '' }),
      }),
    },
    steps: ['/empty', '/any', '/exact', '/false', '/'].map(path => ({
      send: get(path, { origin: 'http://good.test' }),
    })),
  },
  {
    name: 'cors: a policy in two levels',
    covers: 'the route’s settings, else the virtual host’s, one by one',
    config: {
      filters: cors,
      virtualHosts: [
        {
          name: 'any',
          domains: ['*'],
          ...policy(full),
          routes: routes({
            '/more': policy({ allow_methods: 'POST', max_age: '1', filter_enabled: { default_value: ALWAYS } }),
          }),
        },
      ],
    },
    steps: [
      { send: request('OPTIONS', '/more', { origin: 'http://good.test', 'access-control-request-method': 'PUT' }) },
      { send: request('OPTIONS', '/', { origin: 'http://good.test', 'access-control-request-method': 'PUT' }) },
    ],
  },
  {
    name: 'cors: a policy in its older place',
    covers: 'cors of virtual host and route action, where typed_per_filter_config says nothing',
    config: {
      filters: cors,
      virtualHosts: [
        {
          name: 'any',
          domains: ['*'],
          cors: full,
          routes: [
            {
              match: { prefix: '/own' },
              route: {
                cluster: 'app',
                cors: { allow_origin_string_match: [{ exact: 'http://own.test' }], max_age: '1' },
              },
            },
            ...routes({ '/typed': policy({ allow_origin_string_match: [{ exact: 'http://good.test' }] }) }),
          ],
        },
      ],
    },
    steps: ['/', '/own', '/typed'].flatMap(path =>
      ['http://good.test', 'http://own.test'].map(origin => ({
        send: request('OPTIONS', path, { origin, 'access-control-request-method': 'PUT' }),
      })),
    ),
  },
  {
    name: 'cors: switched off, and in the shadow',
    covers: 'filter_enabled, shadow_enabled with runtime keys: counted and no more',
    config: {
      filters: cors,
      routes: routes({
        '/off': policy({ ...full, filter_enabled: { default_value: NEVER, runtime_key: 'cors.on' } }),
        '/shadow': policy({
          ...full,
          filter_enabled: { default_value: NEVER },
          shadow_enabled: { default_value: ALWAYS, runtime_key: 'cors.shadow' },
        }),
        '/both': policy({ ...full, shadow_enabled: { default_value: ALWAYS } }),
      }),
    },
    steps: [
      ...['/off', '/shadow', '/both'].flatMap(path => [
        { send: get(path, { origin: 'http://good.test' }) },
        { send: get(path, { origin: 'http://bad.test' }) },
        { send: request('OPTIONS', path, { origin: 'http://good.test', 'access-control-request-method': 'PUT' }) },
      ]),
      { admin: '/runtime_modify?cors.on=100&cors.shadow=0', method: 'POST' as const },
      { send: get('/off', { origin: 'http://good.test' }) },
      { send: get('/shadow', { origin: 'http://good.test' }) },
    ],
  },
  {
    name: 'cors: private networks, and preflight requests that do not match',
    covers: 'allow_private_network_access, forward_not_matching_preflights',
    config: {
      filters: cors,
      routes: routes({
        '/': policy({ ...full, allow_private_network_access: true, forward_not_matching_preflights: false }),
      }),
    },
    steps: [
      { send: preflight('http://good.test', { 'access-control-request-private-network': 'true' }) },
      { send: preflight('http://good.test', { 'access-control-request-private-network': 'yes' }) },
      { send: preflight('http://bad.test') },
      { send: get('/', { origin: 'http://good.test', 'access-control-request-private-network': 'true' }) },
    ],
  },
  {
    name: 'cors: local answers',
    covers: 'a fault, a refused connection and no route get the headers, too',
    upstreams: {},
    config: {
      filters: cors,
      routes: [
        { match: { path: '/direct' }, direct_response: { status: 200 }, ...policy(full) },
        { match: { path: '/' }, route: { cluster: 'app' }, ...policy(full) },
      ],
    },
    steps: [
      { send: get('/', { origin: 'http://good.test' }) },
      { send: get('/direct', { origin: 'http://good.test' }) },
      { send: get('/none', { origin: 'http://good.test' }) },
    ],
  },
]
