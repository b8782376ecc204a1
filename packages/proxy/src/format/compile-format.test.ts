import { formatOperators, type Route } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import { StreamInfo } from '../stream-info.ts'
import { compileFormat, compileTypedFormat } from './compile-format.ts'
import { operators } from './operators.ts'

/** `POST /y` with 6 bytes, answered by an upstream; Envoy's own line for it is in the tests below. */
function posted(): StreamInfo {
  const info = new StreamInfo()
  info.startTime = 1_795_450_263_089_396
  info.startInstant = 500
  info.connectionId = 8
  const headers = new RequestHeaders([
    'user-agent',
    'curl/7.88.1',
    'x-request-id',
    'e1a04bee-2b54-9e5c-9152-d12a24894a6d',
    'x-envoy-original-path',
    '/y?x=1&y',
  ])
  headers.method = 'POST'
  headers.path = '/x/y?x=1&y'
  headers.authority = '127.0.0.1:29902'
  info.requestHeaders = headers
  info.responseHeaders = new ResponseHeaders(['server', 'envoy', 'x-envoy-upstream-service-time', '1'])
  info.responseHeaders.status = 200
  info.responseCode = 200
  info.responseCodeDetails = 'via_upstream'
  info.bytesReceived = 6
  info.bytesSent = 435
  info.downstreamRemoteAddress = info.downstreamDirectRemoteAddress = '127.0.0.1:51830'
  info.downstreamLocalAddress = '127.0.0.1:29902'
  info.upstreamHost = '127.0.0.1:29905'
  info.upstreamLocalAddress = '127.0.0.1:35250'
  info.clusterName = info.clusterObservabilityName = 'b'
  info.upstreamAttemptCount = 1
  info.route = { name: 'all' } as Route
  info.traceId = '5fda94185fa26d15'
  info.lastDownstreamRxByte = 500.4
  info.lastUpstreamTxByte = 500.6
  info.firstUpstreamRxByte = 501.3
  info.lastDownstreamTxByte = 501.6
  info.endInstant = 501.7
  return info
}

const text = (format: string, info = posted()) => compileFormat(format, { absent: '-' })(info)

test.each([
  ['%START_TIME%', '2026-11-23T16:11:03.089Z'],
  ['%START_TIME(%s)% %START_TIME(%s.%3f)%', '1795450263 1795450263.089'],
  ['%START_TIME(%Y/%m/%dT%H:%M:%S%z %f %1f %6f %9f %ms)%', '2026/11/23T16:11:03+0000 089396000 0 089396 089396000 11s'],
  ['%PROTOCOL% %REQ(X-A?USER-AGENT):5% %RESP(server)% %RESP(nope):3%', 'HTTP/1.1 curl/ envoy -'],
  ['%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %RESPONSE_FLAGS% %RESPONSE_FLAGS_LONG%', '200 via_upstream - -'],
  ['%BYTES_RECEIVED% %BYTES_SENT% %DURATION%', '6 435 1'],
  ['%REQUEST_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION%', '0 1 0'],
  [
    '%UPSTREAM_HOST% %UPSTREAM_HOST_NAME% %UPSTREAM_CLUSTER% %UPSTREAM_CLUSTER_RAW%',
    '127.0.0.1:29905 127.0.0.1:29905 b b',
  ],
  [
    '%UPSTREAM_LOCAL_ADDRESS% %UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT% %UPSTREAM_LOCAL_PORT%',
    '127.0.0.1:35250 127.0.0.1 35250',
  ],
  [
    '%UPSTREAM_REMOTE_ADDRESS% %UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %UPSTREAM_REMOTE_PORT%',
    '127.0.0.1:29905 127.0.0.1 29905',
  ],
  ['%UPSTREAM_REQUEST_ATTEMPT_COUNT% %UPSTREAM_TRANSPORT_FAILURE_REASON% %UPSTREAM_PROTOCOL%', '1 - HTTP/1.1'],
  [
    '%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_PORT% %DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%',
    '127.0.0.1:51830 51830 127.0.0.1',
  ],
  ['%ROUTE_NAME% %VIRTUAL_CLUSTER_NAME% %CONNECTION_ID% %STREAM_ID%', 'all - 8 e1a04bee-2b54-9e5c-9152-d12a24894a6d'],
  ['%TRACE_ID% %SPAN_ID% %ENVIRONMENT(NOT_SET_ANYWHERE)%', '5fda94185fa26d15 - -'],
  ['%PATH% %PATH(WQ:PATH)% %PATH(NQ:ORIG)% %PATH(NQ)%', '/y?x=1&y /x/y?x=1&y /y /y'],
  ['q=%QUERY_PARAM(x)% y=%QUERY_PARAM(y)% z=%QUERY_PARAM(z)%', 'q=1 y= z=-'],
  ['g=%GRPC_STATUS% lb=%LOCAL_REPLY_BODY% alt=%ACCESS_LOG_TYPE% lit=%% %TRAILER(a)%', 'g=- lb= alt=NotSet lit=% -'],
])('%s', (format, expected) => {
  expect(text(format)).toBe(expected)
})

test('a refused connection: the host is known, the connection is not', () => {
  const info = posted()
  info.upstreamLocalAddress = ''
  info.firstUpstreamRxByte = Number.NaN
  info.flags.add('URX').add('UF')
  expect(
    text('%UPSTREAM_HOST% %UPSTREAM_REMOTE_ADDRESS% %RESPONSE_DURATION% %RESPONSE_FLAGS% %RESPONSE_FLAGS_LONG%', info),
  ).toBe('127.0.0.1:29905 - - URX,UF UpstreamRetryLimitExceeded,UpstreamConnectionFailure')
})

test('in headers an absent value is nothing', () => {
  expect(compileFormat('pre-%REQ(x)%-post', { absent: '' })(posted())).toBe('pre--post')
})

test('a single operator keeps its type', () => {
  expect(compileTypedFormat('%BYTES_SENT%')(posted())).toBe(435)
  expect(compileTypedFormat('%PROTOCOL%')(posted())).toBe('HTTP/1.1')
  expect(compileTypedFormat('%REQ(nope)%')(posted())).toBeNull()
  expect(compileTypedFormat('a-%REQ(nope)%-%BYTES_SENT%')(posted())).toBe('a---435')
})

test('a request that the codec refused has no headers', () => {
  const info = new StreamInfo()
  for (const operator of Object.keys(formatOperators) as (keyof typeof formatOperators)[]) {
    const argument = operator === 'COALESCE' ? '{"operators":["REQ"]}' : operator === 'METADATA' ? 'ROUTE:x' : 'x'
    expect(() => operators[operator](argument)(info), operator).not.toThrow()
  }
  expect(text('%REQ(:METHOD)% %PATH% %STREAM_ID%', info)).toBe('- - -')
})

test('IPv6 addresses lose their brackets with the port', () => {
  const info = posted()
  info.downstreamRemoteAddress = '[2001:db8::1]:80'
  expect(text('%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_REMOTE_PORT%', info)).toBe('2001:db8::1 80')
})

test('a format that cannot be read says why', () => {
  expect(() => compileFormat('%NOPE%', { absent: '-' })).toThrow('NOPE')
})
