import { type Case, get } from '../harness/case.ts'
import { echo, ok } from '../harness/upstream.ts'
import { config, filter, perFilter } from './filter-configs.ts'

const append = (key: string, value: string, action = 'APPEND_IF_EXISTS_OR_ADD') => ({
  append: { header: { key, value }, append_action: action },
})
const mutate = (mutations: Record<string, unknown>, fields: Record<string, unknown> = {}) => [
  filter('header_mutation', 'header_mutation.v3.HeaderMutation', { mutations, ...fields }),
]
const ofRoute = (mutations: Record<string, unknown>) =>
  perFilter('header_mutation', config('header_mutation.v3.HeaderMutationPerRoute', { mutations }))

const levels = (fields: Record<string, unknown>) => ({
  filters: mutate(
    { request_mutations: [append('x-a', 'listener')], response_mutations: [append('x-r', 'listener')] },
    fields,
  ),
  virtualHosts: [
    {
      name: 'any',
      domains: ['*'],
      ...ofRoute({ request_mutations: [append('x-a', 'vhost')], response_mutations: [append('x-r', 'vhost')] }),
      routes: [
        {
          match: { prefix: '/' },
          route: { cluster: 'app' },
          ...ofRoute({ request_mutations: [append('x-a', 'route')], response_mutations: [append('x-r', 'route')] }),
        },
      ],
    },
  ],
})

export const headerMutationCases: Case[] = [
  {
    name: 'header mutation: of requests',
    covers: 'remove, all four ways of append, formats, one after the other, remove_on_match',
    upstreams: { app: echo },
    config: {
      filters: mutate({
        request_mutations: [
          { remove: 'X-Gone' },
          append('x-added', '%REQ(x-gone)%-%REQ(:METHOD)%'),
          append('x-added', 'again'),
          append('x-there', 'new', 'OVERWRITE_IF_EXISTS_OR_ADD'),
          append('x-here', 'new', 'OVERWRITE_IF_EXISTS'),
          append('x-nowhere', 'new', 'OVERWRITE_IF_EXISTS'),
          append('x-here', 'not', 'ADD_IF_ABSENT'),
          append('x-absent', 'new', 'ADD_IF_ABSENT'),
          append('x-copy', '%REQ(x-there)%'),
          { remove_on_match: { key_matcher: { prefix: 'x-secret-' } } },
        ],
      }),
    },
    steps: [
      {
        send: get('/', {
          'x-gone': '1',
          'x-there': 'old',
          'x-here': 'old',
          'x-secret-a': '1',
          'x-secret-b': '2',
          'x-other': '3',
        }),
      },
    ],
  },
  {
    name: 'header mutation: of responses',
    covers: 'upstream’s and local ones, formats of the response',
    upstreams: { app: ok('ok', 'x-up: 1\r\nx-version: 3\r\n') },
    config: {
      filters: mutate({
        response_mutations: [
          { remove: 'x-up' },
          append('x-code', '%RESPONSE_CODE%'),
          append('x-echo', '%REQ(x-echo)%-%RESP(x-version)%'),
          append('x-version', '4', 'OVERWRITE_IF_EXISTS'),
        ],
      }),
      routes: [
        { match: { path: '/direct' }, direct_response: { status: 418, body: { inline_string: 'tea' } } },
        { match: { path: '/' }, route: { cluster: 'app' } },
      ],
    },
    steps: [{ send: get('/', { 'x-echo': 'hi' }) }, { send: get('/direct') }, { send: get('/none') }],
  },
  {
    name: 'header mutation: of all levels',
    covers: 'listener, then the most specific first',
    upstreams: { app: echo },
    config: levels({}),
    steps: [{ send: get('/') }],
  },
  {
    name: 'header mutation: of all levels, turned round',
    covers: 'most_specific_header_mutations_wins',
    upstreams: { app: echo },
    config: levels({ most_specific_header_mutations_wins: true }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'header mutation: of the query',
    covers: 'query_parameter_mutations: append in all four ways, remove, formats, escapes',
    upstreams: { app: echo },
    config: {
      filters: mutate({
        query_parameter_mutations: [
          { append: { record: { key: 'added', value: 'a b&%REQ(:METHOD)%' } } },
          { append: { record: { key: 'x', value: 'over' }, action: 'OVERWRITE_IF_EXISTS' } },
          { append: { record: { key: 'y', value: 'no' }, action: 'OVERWRITE_IF_EXISTS' } },
          { append: { record: { key: 'x', value: 'no' }, action: 'ADD_IF_ABSENT' } },
          { append: { record: { key: 'z', value: 'yes' }, action: 'OVERWRITE_IF_EXISTS_OR_ADD' } },
          { remove: 'gone' },
        ],
      }),
    },
    steps: [
      { send: get('/?gone=1&x=1&x=2&keep=3&gone') },
      { send: get('/') },
      { send: get('/?') },
      { send: get('/?b&a=1&c=%zz+&&d=') },
    ],
  },
]
