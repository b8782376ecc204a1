import { type Case, get } from '../harness/case.ts'
import { echo } from '../harness/upstream.ts'

type Fields = Record<string, unknown>

const PACKAGE = 'type.googleapis.com/envoy.extensions.http.original_ip_detection.'
const header = (fields: Fields = {}) => ({
  name: 'custom',
  typed_config: {
    '@type': `${PACKAGE}custom_header.v3.CustomHeaderConfig`,
    header_name: 'x-client-ip',
    ...fields,
  },
})
const xff = (fields: Fields = {}) => ({
  name: 'xff',
  typed_config: { '@type': `${PACKAGE}xff.v3.XffConfig`, ...fields },
})
const LOG = '%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%\n'
const hcm = (...original_ip_detection_extensions: Fields[]) => ({
  original_ip_detection_extensions,
  internal_address_config: { cidr_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] },
})
const cidrs = (...prefixes: string[]) => ({
  xff_trusted_cidrs: { cidrs: prefixes.map(address_prefix => ({ address_prefix, prefix_len: 8 })) },
})

const forwarded = [
  '10.1.1.1',
  '1.1.1.1',
  '1.1.1.1, 10.1.1.1',
  '10.2.2.2, 10.1.1.1',
  '1.1.1.1,2.2.2.2,10.1.1.1',
  'x, 10.1.1.1',
  '1.1.1.1, x',
  '',
].map(value => ({ send: get('/', { 'x-forwarded-for': value, 'x-envoy-retry-on': '5xx' }) }))
const named = ['10.1.1.1', '1.1.1.1', '::1', 'x', '10.1.1.1:80', ''].map(value => ({
  send: get('/', { 'x-client-ip': value, 'x-envoy-retry-on': '5xx' }),
}))
const none = { send: get('/none', { 'x-envoy-retry-on': '5xx' }) }
const twice = {
  send: 'GET /twice HTTP/1.1\r\nhost: a\r\nx-client-ip: 10.1.1.1\r\nx-client-ip: 1.1.1.1\r\n\r\n',
}

const one = (name: string, covers: string, extensions: Fields[], steps: Case['steps']): Case => ({
  name,
  covers,
  upstreams: { app: echo },
  config: { accessLog: LOG, hcm: hcm(...extensions), tracing: {} },
  steps,
})

export const originalIpCases: Case[] = [
  one('the last of x-forwarded-for', 'XffConfig: as without it', [xff()], [...forwarded, none]),
  one('the last but one', 'XffConfig.xff_num_trusted_hops', [xff({ xff_num_trusted_hops: 1 })], [...forwarded, none]),
  one(
    'the last that no one vouches for',
    'XffConfig.xff_trusted_cidrs, and the peer is one of them; more than twenty',
    [xff(cidrs('10.0.0.0', '127.0.0.0'))],
    [
      ...forwarded,
      none,
      ...[19, 20, 21, 22].map(count => ({
        send: get(`/${count}`, { 'x-forwarded-for': `1.1.1.1,${'10.1.1.1,'.repeat(count - 1)}10.2.2.2` }),
      })),
    ],
  ),
  one(
    'a peer that no one vouches for',
    'XffConfig.xff_trusted_cidrs without the peer: it is the client, and goes into x-forwarded-for',
    [xff({ ...cidrs('10.0.0.0'), skip_xff_append: false })],
    [...forwarded, none],
  ),
  one(
    'a peer that no one vouches for, and no more',
    'XffConfig.xff_trusted_cidrs without the peer, and skip_xff_append as it is by itself',
    [xff(cidrs('10.0.0.0'))],
    [...forwarded.slice(0, 3), none],
  ),
  one(
    'the proxy adds itself, the next would not',
    'the peer goes into x-forwarded-for if one of those that were asked says so',
    [xff({ skip_xff_append: false }), header()],
    [...forwarded.slice(0, 2), ...named.slice(0, 1), none],
  ),
  one(
    'the proxy adds itself',
    'XffConfig.skip_xff_append false: the peer goes into x-forwarded-for',
    [xff({ skip_xff_append: false })],
    [...forwarded, none],
  ),
  one(
    'a header of its own',
    'CustomHeaderConfig: the first value, if it is an address',
    [header()],
    [...named, none, twice],
  ),
  one(
    'a header that is trusted',
    'CustomHeaderConfig.allow_extension_to_set_address_as_trusted',
    [header({ allow_extension_to_set_address_as_trusted: true })],
    [...named, none, twice],
  ),
  one(
    'no header, no answer',
    'CustomHeaderConfig.reject_with_status: of what is no address, too',
    [header({ reject_with_status: { code: 'BadRequest' } })],
    [...named, none],
  ),
  one(
    'a refusal that is none',
    'CustomHeaderConfig.reject_with_status below 400 is 403',
    [header({ reject_with_status: { code: 'Found' } })],
    [none],
  ),
  one(
    'one after the other',
    'the first of original_ip_detection_extensions that knows',
    [header(), xff({ skip_xff_append: false })],
    [
      none,
      { send: get('/header', { 'x-client-ip': '2.2.2.2', 'x-forwarded-for': '1.1.1.1' }) },
      { send: get('/xff', { 'x-forwarded-for': '1.1.1.1' }) },
    ],
  ),
]
