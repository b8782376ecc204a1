import { type Case, get, request } from '../harness/case.ts'
import { ok } from '../harness/upstream.ts'

export const accessLogCases: Case[] = [
  {
    name: 'the default line',
    covers: 'fields and dashes',
    config: {
      accessLogFormat: {
        text_format_source: {
          inline_string:
            '"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n',
        },
      },
    },
    steps: [{ send: get('/a?b', { 'user-agent': 'quote " here' }) }, { send: request('POST', '/', {}, 'hello') }],
  },
  {
    name: 'operators',
    covers: 'REQ, RESP, lengths, addresses, protocol of both sides, flags long, path operators',
    config: {
      accessLog:
        '%REQ(x-a):3% %RESP(x-b)% %RESP(x-c?x-b)% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% ' +
        '%UPSTREAM_PROTOCOL% %UPSTREAM_CLUSTER% %UPSTREAM_HOST_NAME% %RESPONSE_FLAGS_LONG% %ROUTE_NAME% %VIRTUAL_CLUSTER_NAME% %HOSTNAME% %REQUESTED_SERVER_NAME% %PATH% %REQ(none)% 100%%\n',
    },
    upstreams: { app: ok('hi', 'x-b: from-app\r\n') },
    steps: [{ send: get('/a?b', { 'x-a': 'abcdef' }) }],
  },
  {
    name: 'JSON',
    covers: 'sorted keys, numbers stay numbers, absent is null, escapes',
    config: {
      accessLogFormat: {
        json_format: {
          z: '%RESPONSE_CODE%',
          a: '%REQ(x-a)%',
          none: '%REQ(none)%',
          mixed: 'code %RESPONSE_CODE% %REQ(none)%',
          bytes: '%BYTES_SENT%',
          nested: { method: '%REQ(:METHOD)%', flags: '%RESPONSE_FLAGS%' },
        },
      },
    },
    steps: [{ send: get('/', { 'x-a': 'quote " back \\ slash' }) }],
  },
  {
    name: 'the moments of a request that was refused',
    covers: 'a codec refusal is logged with dashes',
    config: {
      accessLog:
        '%REQ(:METHOD)% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_HOST%\n',
    },
    steps: [{ send: 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n', patience: 1500 }],
  },
]
