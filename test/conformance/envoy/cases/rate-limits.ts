import { type Case, get, type Step } from '../harness/case.ts'
import { echo } from '../harness/upstream.ts'
import { ALWAYS, config, filter, NEVER, perFilter } from './filter-configs.ts'

type Fields = Record<string, unknown>

/** No token comes back while a case runs. */
const tokens = (count: number) => ({ max_tokens: count, tokens_per_fill: count, fill_interval: '6000s' })
const limit = (fields: Fields = {}): Fields => ({
  stat_prefix: 'limiter',
  token_bucket: tokens(20),
  filter_enabled: { default_value: ALWAYS },
  filter_enforced: { default_value: ALWAYS },
  enable_x_ratelimit_headers: 'DRAFT_VERSION_03',
  ...fields,
})
const limiter = (fields: Fields = {}) => [filter('local_ratelimit', 'local_ratelimit.v3.LocalRateLimit', limit(fields))]
/** A bucket for requests of which this is said. */
const bucket = (entries: Record<string, string>, count: number, more: Fields = {}) => ({
  entries: Object.entries(entries).map(([key, value]) => ({ key, ...(value === '' ? {} : { value }) })),
  token_bucket: tokens(count),
  ...more,
})
const says = (...actions: Fields[]) => ({ actions })
const generic = (value: string) => ({ generic_key: { descriptor_value: value } })
const header = (name: string, key: string, more: Fields = {}) => ({
  request_headers: { header_name: name, descriptor_key: key, ...more },
})
const route = (...rate_limits: Fields[]): Fields[] => [
  { match: { prefix: '/' }, route: { cluster: 'app', rate_limits } },
]
const limitCase = (name: string, covers: string, options: Fields, steps: (string | Step)[]): Case => ({
  name: `rate limits: ${name}`,
  covers,
  upstreams: { app: echo },
  config: options,
  steps: steps.map(step => (typeof step === 'string' ? { send: step } : step)),
})

const x1 = [{ name: 'x', string_match: { exact: '1' } }]
const x2 = [{ name: 'x', string_match: { exact: '2' } }]
const q1 = [{ name: 'q', string_match: { exact: '1' } }]
const within = (address_prefix: string) => ({ ranges: [{ address_prefix, prefix_len: 8 }] })
/** A host for each action, and how many tokens its bucket has. */
const actions: Record<string, Fields> = {
  destination: says({ destination_cluster: {} }),
  source: says({ source_cluster: {} }),
  both: says({ source_cluster: {} }, { destination_cluster: {} }),
  address: says({ remote_address: {} }),
  masked: says({ masked_remote_address: { v4_prefix_mask_len: 8 } }),
  near: says({ remote_address_match: { descriptor_value: 'near', address_matcher: within('127.0.0.0') } }),
  far: says({ remote_address_match: { descriptor_value: 'near', address_matcher: within('10.0.0.0') } }),
  generic: says(generic('g')),
  match: says({ header_value_match: { descriptor_value: 'hm', headers: x1 } }),
  'no-match': says({ header_value_match: { descriptor_value: 'hm', headers: x2 } }),
  expected: says({ header_value_match: { descriptor_value: 'hm', expect_match: false, headers: x2 } }),
  keyed: says({ header_value_match: { descriptor_value: 'hm', descriptor_key: 'k', headers: x1 } }),
  query: says({ query_parameters: { query_parameter_name: 'q', descriptor_key: 'q' } }),
  'query-match': says({ query_parameter_value_match: { descriptor_value: 'qm', query_parameters: q1 } }),
  metadata: says({
    metadata: {
      descriptor_key: 'm',
      metadata_key: { key: 'k', path: [{ key: 'p' }] },
      source: 'ROUTE_ENTRY',
      default_value: 'mv',
    },
  }),
  stage: { ...says(generic('g')), stage: 1 },
  skipped: says(generic('g'), header('nope', 'z', { skip_if_absent: true })),
  missing: says(generic('g'), header('nope', 'z')),
  literal: says(generic('%REQ(x)%')),
  off: { ...says(generic('g')), disable_key: 'off' },
}

export const rateLimitCases: Case[] = [
  limitCase(
    'a bucket for some',
    'descriptors and rate_limits of routes: which bucket decides, the default one counts as well',
    {
      filters: limiter({
        token_bucket: tokens(3),
        descriptors: [bucket({ client: 'a' }, 1), bucket({ client: 'b' }, 2)],
      }),
      routes: route(says(header('x-client', 'client'))),
    },
    ['a', 'a', 'b', '', '', 'b'].map(client => get('/', client === '' ? {} : { 'x-client': client })),
  ),
  limitCase(
    'the default bucket is for the rest',
    'always_consume_default_token_bucket',
    {
      filters: limiter({ always_consume_default_token_bucket: false, descriptors: [bucket({ client: 'a' }, 2)] }),
      routes: route(says(header('x-client', 'client'))),
    },
    ['a', 'a', 'a', '', ''].map(client => get('/', client === '' ? {} : { 'x-client': client })),
  ),
  limitCase(
    'several buckets for one request',
    'the slowest bucket is asked first and is the one that clients are told of',
    {
      filters: limiter({
        descriptors: [
          bucket({ client: 'a' }, 3),
          bucket({ path: '/foo' }, 1),
          bucket({ client: 'a', path: '/foo' }, 2),
        ],
      }),
      routes: route(
        says(header('x-client', 'client')),
        says(header(':path', 'path')),
        says(header('x-client', 'client'), header(':path', 'path')),
      ),
    },
    ['/foo', '/', '/foo', '/', '/'].map(path => get(path, { 'x-client': 'a' })),
  ),
  limitCase(
    'a bucket for each value',
    'descriptors without a value',
    {
      filters: limiter({ descriptors: [bucket({ client: '' }, 1)] }),
      routes: route(says(header('x-client', 'client'))),
    },
    ['a', 'b', 'a', 'b'].map(client => get('/', { 'x-client': client })),
  ),
  limitCase(
    'no more than so many values',
    'max_dynamic_descriptors: one that is pushed out is full when it comes again',
    {
      filters: limiter({ max_dynamic_descriptors: 1, descriptors: [bucket({ client: '' }, 1)] }),
      routes: route(says(header('x-client', 'client'))),
    },
    ['a', 'b', 'a', 'b'].map(client => get('/', { 'x-client': client })),
  ),
  limitCase(
    'every action',
    'source and destination, addresses, keys, headers, queries, metadata; stage, disable_key, skip_if_absent',
    {
      runtime: { ratelimit: { off: { http_filter_enabled: 0 } } },
      filters: limiter({
        token_bucket: tokens(50),
        descriptors: [
          { destination_cluster: 'app' },
          { source_cluster: 'service-1' },
          { source_cluster: 'service-1', destination_cluster: 'app' },
          { remote_address: '127.0.0.1' },
          { masked_remote_address: '127.0.0.0/8' },
          { remote_address_match: 'near' },
          { generic_key: 'g' },
          { header_match: 'hm' },
          { k: 'hm' },
          { q: '1' },
          { query_match: 'qm' },
          { m: 'mv' },
          { generic_key: '1' },
        ].map((entries, i) => bucket(entries as Record<string, string>, 10 + i)),
      }),
      virtualHosts: Object.entries(actions).map(([name, one]) => ({ name, domains: [name], routes: route(one) })),
    },
    Object.keys(actions).map(host => get('/?q=1', { host, x: '1' })),
  ),
  limitCase(
    'of the filter',
    'rate_limits of the filter are in the place of the route’s; hits_addend, apply_on_stream_done, x_ratelimit_option',
    {
      filters: limiter({
        rate_limits: [
          { ...says(header('x-hits', 'hits')), hits_addend: { format: '%REQ(x-hits)%' } },
          { ...says(generic('two')), hits_addend: { number: 2 } },
          { ...says(generic('done')), apply_on_stream_done: true },
        ],
        descriptors: [bucket({ hits: '' }, 6), bucket({ generic_key: 'two' }, 11), bucket({ generic_key: 'done' }, 1)],
      }),
      routes: route(says(generic('done'))),
    },
    ['2', '2', 'x', '0', '3'].map(hits => get('/', { 'x-hits': hits })),
  ),
  limitCase(
    'hits of a route',
    'hits_addend of a route has no effect',
    {
      filters: limiter({ descriptors: [bucket({ generic_key: 'g' }, 5)] }),
      routes: route({ ...says(generic('g')), hits_addend: { format: '%REQ(x-hits)%' } }),
    },
    ['3', 'x'].map(hits => get('/', { 'x-hits': hits })),
  ),
  ...(['OFF', 'DRAFT_VERSION_03'] as const).map(option =>
    limitCase(
      `x_ratelimit_option ${option}`,
      'against what the filter says',
      {
        filters: limiter({
          enable_x_ratelimit_headers: option === 'OFF' ? 'DRAFT_VERSION_03' : 'OFF',
          descriptors: [bucket({ generic_key: 'g' }, 1)],
        }),
        routes: route({ ...says(generic('g')), x_ratelimit_option: option }),
      },
      [get('/'), get('/'), get('/')],
    ),
  ),
  ...([undefined, 'INCLUDE', 'IGNORE', 'OVERRIDE'] as const).map(option =>
    limitCase(
      `of the virtual host, ${option ?? 'unsaid'}`,
      'VirtualHost.rate_limits, vh_rate_limits, include_vh_rate_limits; none of routes that only answer',
      {
        filters: limiter({
          ...(option && { vh_rate_limits: option }),
          descriptors: [bucket({ generic_key: 'vh' }, 2), bucket({ generic_key: 'route' }, 3)],
        }),
        virtualHosts: [
          {
            name: 'any',
            domains: ['*'],
            rate_limits: [says(generic('vh'))],
            routes: [
              { match: { prefix: '/direct' }, direct_response: { status: 200 } },
              {
                match: { prefix: '/both' },
                route: { cluster: 'app', include_vh_rate_limits: true, rate_limits: [says(generic('route'))] },
              },
              { match: { prefix: '/route' }, route: { cluster: 'app', rate_limits: [says(generic('route'))] } },
              { match: { prefix: '/' }, route: { cluster: 'app' } },
            ],
          },
        ],
      },
      ['/direct', '/', '/route', '/both', '/'].map(path => get(path)),
    ),
  ),
  limitCase(
    'of each connection',
    'local_rate_limit_per_downstream_connection: descriptors and default bucket',
    {
      filters: limiter({
        local_rate_limit_per_downstream_connection: true,
        descriptors: [bucket({ generic_key: 'g' }, 1)],
      }),
      routes: route(says(generic('g'))),
    },
    [
      { send: get('/'), on: 'a' },
      { send: get('/'), on: 'a' },
      { send: get('/'), on: 'b' },
    ],
  ),
  limitCase(
    'of a route',
    'LocalRateLimit of a route: its own buckets and numbers, with rate_limits of the route',
    {
      filters: limiter(),
      routes: [
        {
          match: { prefix: '/' },
          route: { cluster: 'app', rate_limits: [says(generic('g'))] },
          ...perFilter(
            'local_ratelimit',
            config(
              'local_ratelimit.v3.LocalRateLimit',
              limit({ stat_prefix: 'limiter.route', descriptors: [bucket({ generic_key: 'g' }, 1)] }),
            ),
          ),
        },
      ],
    },
    [get('/'), get('/')],
  ),
  limitCase(
    'in the shadow',
    'shadow_mode of a descriptor: shadow_mode, rate_limited, nothing refused',
    {
      filters: limiter({
        request_headers_to_add_when_not_enforced: [{ header: { key: 'x-limited', value: '1' } }],
        descriptors: [bucket({ generic_key: 'g' }, 1, { shadow_mode: true })],
      }),
      routes: route(says(generic('g'))),
    },
    [get('/'), get('/')],
  ),
  limitCase(
    'when to come again',
    'enable_retry_after_header beside x-ratelimit-*, response_headers_to_add; not enforced it is not said',
    {
      filters: limiter({
        token_bucket: tokens(1),
        enable_retry_after_header: true,
        filter_enforced: { default_value: ALWAYS, runtime_key: 'enforced' },
        response_headers_to_add: [{ header: { key: 'x-limit', value: 'local' } }],
      }),
    },
    [get('/'), get('/'), { admin: '/runtime_modify?enforced=0', method: 'POST' }, get('/')],
  ),
  limitCase(
    'counted, not enforced, without a default bucket',
    'descriptors alone',
    {
      filters: limiter({
        token_bucket: undefined,
        filter_enforced: { default_value: NEVER },
        descriptors: [bucket({ generic_key: 'g' }, 1)],
      }),
      routes: route(says(generic('g'))),
    },
    [get('/'), get('/'), get('/', { host: 'b' })],
  ),
  limitCase(
    'where there is no route',
    'rate_limits of the filter count a 404',
    {
      filters: limiter({ rate_limits: [says(generic('g'))], descriptors: [bucket({ generic_key: 'g' }, 1)] }),
      routes: [{ match: { path: '/x' }, route: { cluster: 'app' } }],
    },
    [get('/'), get('/')],
  ),
]
