import { type Case, get, request } from '../harness/case.ts'
import { ok, sequence, status } from '../harness/upstream.ts'

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
    name: 'operators of names and places',
    covers:
      'route, cluster, upstream addresses, paths before and after rewriting, query, grpc-status; also without an upstream',
    config: {
      accessLog:
        'route=%ROUTE_NAME% cluster=%UPSTREAM_CLUSTER% raw=%UPSTREAM_CLUSTER_RAW% host=%UPSTREAM_HOST% %UPSTREAM_HOST_NAME% %UPSTREAM_HOST_NAME_WITHOUT_PORT% ' +
        'remote=%UPSTREAM_REMOTE_ADDRESS% %UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% local=%UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT% ' +
        'path=%PATH% %PATH(NQ)% %PATH(WQ:ORIG)% %PATH(NQ:PATH)% %PATH(WQ:ORIG_OR_PATH)% q=%QUERY_PARAM(q)% %QUERY_PARAM(long):2% ' +
        'grpc=%GRPC_STATUS% %GRPC_STATUS(NUMBER)% details=%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% type=%ACCESS_LOG_TYPE% ' +
        'trace=%TRACE_ID% stream=%STREAM_ID% attempts=%UPSTREAM_REQUEST_ATTEMPT_COUNT% protocol=%UPSTREAM_PROTOCOL%\n',
      app: { alt_stat_name: 'known_as' },
      routes: [
        { name: 'rewritten', match: { prefix: '/old' }, route: { cluster: 'app', prefix_rewrite: '/new' } },
        { name: 'nowhere', match: { prefix: '/none' }, route: { cluster: 'absent' } },
        { name: 'direct', match: { prefix: '/direct' }, direct_response: { status: 200 } },
        { match: { prefix: '/plain' }, route: { cluster: 'app' } },
      ],
      routeConfig: { validate_clusters: false },
    },
    upstreams: { app: ok('hi', 'grpc-status: 5\r\n') },
    steps: ['/old/a?q=1&long=abcdef', '/none', '/direct?q', '/plain', '/unrouted'].map(path => ({ send: get(path) })),
  },
  {
    name: 'gRPC status',
    covers: 'of gRPC requests only; from the answer, else from its HTTP status',
    config: {
      accessLog: '%GRPC_STATUS% %GRPC_STATUS(CAMEL_STRING)% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS(NUMBER)%\n',
    },
    upstreams: {
      app: sequence(
        ok('', 'grpc-status: 5\r\n'),
        ok('', 'grpc-status: 77\r\n'),
        ok(''),
        status(503),
        status(404),
        ok(''),
      ),
    },
    steps: [
      ...Array.from({ length: 5 }, () => ({ send: get('/', { 'content-type': 'application/grpc' }) })),
      { send: get('/', { 'content-type': 'application/json' }) },
    ],
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
