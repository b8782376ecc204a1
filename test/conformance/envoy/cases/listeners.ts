import { type Case, get } from '../harness/case.ts'
import { echo } from '../harness/upstream.ts'

const HCM = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'
const ROUTER = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router'

/** A filter chain that says its name; its stats are of the prefix `in`, like those of the harness. */
const chain = (name: string, filter_chain_match?: object) => ({
  name,
  ...(filter_chain_match === undefined ? {} : { filter_chain_match }),
  filters: [
    {
      name: 'hcm',
      typed_config: {
        '@type': HCM,
        stat_prefix: 'in',
        route_config: {
          virtual_hosts: [
            {
              name,
              domains: ['*'],
              routes: [{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: name } } }],
            },
          ],
        },
        http_filters: [{ name: 'router', typed_config: { '@type': ROUTER } }],
      },
    },
  ],
})
const range = (address_prefix: string, prefix_len: number) => ({ address_prefix, prefix_len })
const early = (...mutations: object[]) => ({
  hcm: {
    early_header_mutation_extensions: [
      {
        name: 'early',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
          mutations,
        },
      },
    ],
  },
})

export const listenerCases: Case[] = [
  {
    name: 'a chain by the port that was called',
    covers: 'destination_port beats every other part, and there is no way back',
    logLines: 0,
    config: ports => ({
      filterChains: [
        chain('other port', { destination_port: ports.dead }),
        chain('port', { destination_port: ports.listener }),
        chain('source', { source_prefix_ranges: [range('127.0.0.1', 32)] }),
      ],
    }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'a chain by the source',
    covers: 'the longest of source_prefix_ranges; source_type; several prefixes',
    logLines: 0,
    config: {
      filterChains: [
        chain('wide', { source_prefix_ranges: [range('127.0.0.0', 8)] }),
        chain('narrow', { source_prefix_ranges: [range('10.0.0.0', 8), range('127.0.0.0', 24)] }),
        chain('else', { source_prefix_ranges: [range('10.1.0.0', 16)] }),
      ],
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'a chain by the kind of source',
    covers: 'source_type is looked at before source_prefix_ranges; direct_source_prefix_ranges before both',
    logLines: 0,
    config: {
      filterChains: [
        chain('external', { source_type: 'EXTERNAL' }),
        chain('local', { source_type: 'SAME_IP_OR_LOOPBACK' }),
        chain('source', { source_prefix_ranges: [range('127.0.0.1', 32)] }),
      ],
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'a chain by destination and direct source',
    covers: 'prefix_ranges before direct_source_prefix_ranges',
    logLines: 0,
    config: {
      filterChains: [
        chain('direct', { direct_source_prefix_ranges: [range('127.0.0.1', 32)] }),
        chain('destination', { prefix_ranges: [range('127.0.0.0', 8)] }),
        chain('both', {
          prefix_ranges: [range('127.0.0.0', 8)],
          direct_source_prefix_ranges: [range('127.0.0.0', 16)],
        }),
      ],
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'the chain of what no chain takes',
    covers: 'default_filter_chain',
    logLines: 0,
    config: {
      filterChains: [chain('nobody', { source_prefix_ranges: [range('10.0.0.0', 8)] })],
      listener: { default_filter_chain: chain('default') },
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'no chain',
    covers: 'no_filter_chain_match: the connection is closed',
    logLines: 0,
    config: { filterChains: [chain('nobody', { source_ports: [1] })] },
    steps: [{ send: get('/'), patience: 1000 }],
  },
  {
    name: 'early mutations',
    covers:
      'early_header_mutation_extensions: one after the other, before sanitising and the route; x-forwarded-for and ids that they write count',
    upstreams: { app: echo },
    config: {
      ...early(
        { append: { header: { key: 'x-early', value: '%REQ(:PATH)% %REQ(x-in)%' } } },
        {
          append: {
            header: { key: 'x-in', value: 'from %REQ(x-early)%' },
            append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
          },
        },
        { remove: 'x-gone' },
        { remove_on_match: { key_matcher: { prefix: 'x-drop-' } } },
        { append: { header: { key: 'x-request-id', value: 'mine' }, append_action: 'ADD_IF_ABSENT' } },
      ),
      routes: [
        {
          match: { prefix: '/', headers: [{ name: 'x-early', string_match: { prefix: '/a' } }] },
          route: { cluster: 'app' },
        },
      ],
    },
    steps: [
      { send: get('/a', { 'x-in': '1', 'x-gone': '1', 'x-drop-1': '1', 'X-Drop-2': '2', 'x-kept': '1' }) },
      { send: get('/b') },
    ],
  },
]
