import type { HttpConnectionManager, Node } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { StreamInfo } from '../stream-info.ts'
import { localIp } from './client-address.ts'
import { RequestHeaders } from './headers.ts'
import { createSanitiser } from './sanitise-headers.ts'

interface Options {
  peer?: string
  connection?: string
  config?: Partial<HttpConnectionManager>
  node?: Partial<Node>
  internalOnlyHeaders?: string[]
}

const INTERNAL = { internalAddressConfig: { cidrRanges: ['10.0.0.0/8', '127.0.0.0/8'] } }
const EDGE = { useRemoteAddress: true }

function sanitise(fields: string[], options: Options = {}) {
  const { peer = '203.0.113.9:1234', connection = '', config = {}, node = {}, internalOnlyHeaders = [] } = options
  const whole = {
    routeConfig: { internalOnlyHeaders },
    useRemoteAddress: false,
    xffNumTrustedHops: 0,
    skipXffAppend: false,
    originalIpDetection: [],
    addUserAgent: false,
    via: '',
    generateRequestId: false,
    preserveExternalRequestId: false,
    requestId: { packTraceReason: true, useForTraceSampling: true },
    schemeToOverwrite: '',
    ...config,
  } as unknown as HttpConnectionManager
  const headers = new RequestHeaders(fields)
  headers.authority = 'a.test'
  const info = new StreamInfo()
  info.downstreamDirectRemoteAddress = info.downstreamRemoteAddress = peer
  const outcome = createSanitiser(whole, { id: 'n', cluster: 'c', ...node } as Node)(headers, connection, info)
  return { outcome, headers, info, fields: Object.fromEntries(headers) }
}

test.each([
  ['x-foo', ['x-foo', 'connection']],
  ['close, x-foo , X-BAR'.toLowerCase(), ['x-foo', 'x-bar', 'connection']],
  ['keep-alive', ['connection', 'keep-alive']],
  ['', ['connection']],
])('Connection: %s takes out what it names, and itself', (connection, gone) => {
  const given = ['connection', connection, 'x-foo', '1', 'x-bar', '2', 'trailer', 't', 'keep-alive', 'timeout=5']
  const { fields } = sanitise(given, { connection })
  for (const name of gone) expect(fields).not.toHaveProperty(name)
  expect(fields.trailer).toBe('t')
})

test.each(['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', ':path'])(
  'Connection that names %s is refused',
  name => {
    expect(sanitise([], { connection: `close, ${name}` }).outcome).toEqual({
      status: 400,
      details: 'http1.connection_header_rejected',
    })
  },
)

test('Connection that names Host takes the authority', () => {
  expect(sanitise([], { connection: 'host' }).headers.authority).toBe('')
})

test.each([
  ['trailers', 'trailers'],
  ['gzip, trailers', 'trailers'],
  ['Trailers', 'trailers'],
  ['gzip', undefined],
])('te: %s goes on as %s', (te, expected) => {
  expect(sanitise(['te', te]).fields.te).toBe(expected)
})

const CONTROL = [
  'x-envoy-force-trace',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-retry-on',
  'x-envoy-max-retries',
  'x-envoy-expected-rq-timeout-ms',
]
const STAYS = ['x-request-id', 'x-client-trace-id', 'x-b3-traceid', 'traceparent', 'x-envoy-fault-abort-request']
const OF_THE_EDGE = ['x-envoy-decorator-operation', 'x-envoy-downstream-service-cluster', 'x-envoy-original-path']
const ALL = [...CONTROL, ...STAYS, ...OF_THE_EDGE, 'x-envoy-internal', 'x-secret']
const GIVEN = ALL.flatMap(name => [name, '1'])

test.each<[who: string, fields: string[], options: Options, internal: boolean, gone: string[]]>([
  // `{}` of internal_address_config is not the default: without it no one is internal.
  ['no internal addresses', ['x-forwarded-for', '10.0.0.1'], {}, false, [...CONTROL, 'x-secret', 'x-envoy-internal']],
  ['one internal address', ['x-forwarded-for', '10.0.0.1'], { config: INTERNAL }, true, []],
  ['two addresses', ['x-forwarded-for', '10.0.0.1,10.0.0.2'], { config: INTERNAL }, false, [...CONTROL, 'x-secret', 'x-envoy-internal']], // biome-ignore format: one line
  ['an external address', ['x-forwarded-for', '8.8.8.8'], { config: INTERNAL }, false, [...CONTROL, 'x-secret', 'x-envoy-internal']], // biome-ignore format: one line
  ['the edge', [], { config: { ...INTERNAL, ...EDGE } }, false, [...CONTROL, ...OF_THE_EDGE, 'x-secret', 'x-envoy-internal', 'x-request-id']], // biome-ignore format: one line
  ['the edge, an internal peer', [], { config: { ...INTERNAL, ...EDGE }, peer: '10.0.0.5:1' }, true, []],
  ['the edge, an internal peer with x-forwarded-for', ['x-forwarded-for', '10.0.0.1'], { config: { ...INTERNAL, ...EDGE }, peer: '10.0.0.5:1' }, false, [...CONTROL, ...OF_THE_EDGE, 'x-secret', 'x-envoy-internal', 'x-request-id']], // biome-ignore format: one line
])('who may steer the proxy: %s', (_who, fields, options, internal, gone) => {
  const result = sanitise([...GIVEN, ...fields], { ...options, internalOnlyHeaders: ['X-Secret'] })
  expect(result.outcome).toEqual({ internal })
  expect(ALL.filter(name => !(name in result.fields)).sort()).toEqual([...gone].sort())
  expect(result.fields['x-envoy-internal']).toBe(internal ? 'true' : undefined)
})

test('a sidecar does not touch x-forwarded-for, and believes its last entry', () => {
  const { fields, info } = sanitise(['x-forwarded-for', '1.1.1.1, 2.2.2.2'])
  expect(fields['x-forwarded-for']).toBe('1.1.1.1, 2.2.2.2')
  expect(info.downstreamRemoteAddress).toBe('2.2.2.2:0')
  expect(sanitise([]).fields).not.toHaveProperty('x-forwarded-for')
})

test('an edge appends its peer, with a comma and no blank; itself in place of a loopback peer', () => {
  const { fields, info } = sanitise(['x-forwarded-for', '1.1.1.1'], { config: EDGE })
  expect(fields['x-forwarded-for']).toBe('1.1.1.1,203.0.113.9')
  expect(info.downstreamRemoteAddress).toBe('203.0.113.9:1234')
  expect(fields['x-envoy-external-address']).toBe('203.0.113.9')
  expect(sanitise([], { config: EDGE, peer: '127.0.0.1:1' }).fields['x-forwarded-for']).toBe(localIp())
  expect(sanitise([], { config: { ...EDGE, skipXffAppend: true } }).fields).not.toHaveProperty('x-forwarded-for')
})

test.each([
  [EDGE, 1, '1.1.1.1,2.2.2.2', '2.2.2.2:0'],
  [EDGE, 2, '1.1.1.1,2.2.2.2', '1.1.1.1:0'],
  [EDGE, 3, '1.1.1.1,2.2.2.2', '203.0.113.9:1234'],
  [{}, 1, '1.1.1.1,2.2.2.2', '1.1.1.1:0'],
  [{}, 0, '1.1.1.1,2001:db8::1', '[2001:db8::1]:0'],
  [{}, 0, 'unknown', '203.0.113.9:1234'],
])('with %j and %d trusted hops, %s is %s', (config, xffNumTrustedHops, xff, address) => {
  const { info } = sanitise(['x-forwarded-for', xff], { config: { ...config, xffNumTrustedHops } })
  expect(info.downstreamRemoteAddress).toBe(address)
})

test.each<[config: Partial<HttpConnectionManager>, given: string | undefined, proto: string, scheme: string]>([
  [{}, undefined, 'http', 'http'],
  [{}, 'https', 'https', 'https'],
  [{}, 'HTTPS', 'HTTPS', 'https'],
  [{}, 'gopher', 'gopher', 'http'],
  [EDGE, 'https', 'http', 'http'],
  [{ ...EDGE, xffNumTrustedHops: 1 }, 'https', 'https', 'https'],
  [{ ...EDGE, xffNumTrustedHops: 1 }, undefined, 'http', 'http'],
])('%j: x-forwarded-proto %s goes on as %s, the scheme is %s', (config, given, proto, scheme) => {
  const { fields, headers } = sanitise(given === undefined ? [] : ['x-forwarded-proto', given], { config })
  expect([fields['x-forwarded-proto'], headers.scheme]).toEqual([proto, scheme])
})

test('add_user_agent says where a request comes from; one that is there stays', () => {
  const config = { addUserAgent: true }
  expect(sanitise([], { config }).fields).toMatchObject({
    'user-agent': 'c',
    'x-envoy-downstream-service-cluster': 'c',
    'x-envoy-downstream-service-node': 'n',
  })
  expect(sanitise(['user-agent', 'curl'], { config }).fields['user-agent']).toBe('curl')
})

test('via is appended with a blank; certificates of clients that showed none go', () => {
  const { fields } = sanitise(['via', '1.1 a', 'x-forwarded-client-cert', 'Hash=1'], { config: { via: 'hop' } })
  expect(fields.via).toBe('1.1 a, hop')
  expect(fields).not.toHaveProperty('x-forwarded-client-cert')
})
