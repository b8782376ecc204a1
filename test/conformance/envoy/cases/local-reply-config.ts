import { type Case, get, request } from '../harness/case.ts'
import { ok } from '../harness/upstream.ts'

const status = (value: number) => ({
  status_code_filter: { comparison: { op: 'EQ', value: { default_value: value, runtime_key: 'unset' } } },
})
const flag = (...flags: string[]) => ({ response_flag_filter: { flags } })
const routes = [
  { match: { prefix: '/app' }, route: { cluster: 'app' } },
  { match: { prefix: '/dead' }, route: { cluster: 'nowhere' } },
  { match: { prefix: '/direct' }, direct_response: { status: 200, body: { inline_string: 'direct' } } },
  { match: { prefix: '/empty' }, direct_response: { status: 202 } },
  { match: { prefix: '/move' }, redirect: { path_redirect: '/there' } },
]
const steps = ['/app', '/dead', '/direct', '/empty', '/move', '/none'].map(path => ({ send: get(path) }))
const config = (local_reply_config: object, more: object = {}) => ({
  routes,
  routeConfig: { validate_clusters: false },
  hcm: { local_reply_config, ...more },
})

export const localReplyConfigCases: Case[] = [
  {
    name: 'mapped local replies',
    covers: 'the first mapper that fits; another status, body and headers; answers of an upstream are left alone',
    upstreams: { app: ok('404 of the app', 'x-app: 1\r\n') },
    config: config({
      mappers: [
        {
          filter: status(404),
          status_code: 410,
          body: { inline_string: 'gone' },
          headers_to_add: [
            { header: { key: 'x-mapped', value: '%RESPONSE_CODE% %RESPONSE_FLAGS% %LOCAL_REPLY_BODY%' } },
            { header: { key: 'x-mapped', value: 'twice' } },
          ],
        },
        { filter: flag('NR', 'NC'), status_code: 599, body: { inline_string: 'never for 404' } },
        {
          filter: status(301),
          headers_to_add: [
            { header: { key: 'location', value: '/elsewhere' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
          ],
        },
        { filter: status(202), body: { inline_string: 'no longer empty' } },
      ],
    }),
    steps,
  },
  {
    name: 'a format for all local replies',
    covers: 'body_format of text: operators of request, response and body, for empty bodies too; content-type',
    config: config({
      body_format: {
        text_format_source: {
          inline_string:
            '<%LOCAL_REPLY_BODY%> %RESPONSE_CODE% %RESPONSE_FLAGS% %REQ(:PATH)% %REQ(none)% %RESP(location)%',
        },
        content_type: 'text/x-mine; charset=UTF-8',
      },
    }),
    steps,
  },
  {
    name: 'local replies in JSON',
    covers: 'body_format json_format: types, content-type, line end; body_format_override of a mapper beats it',
    config: config({
      body_format: {
        json_format: {
          status: '%RESPONSE_CODE%',
          message: '%LOCAL_REPLY_BODY%',
          path: '%REQ(:path)%',
          none: '%REQ(x)%',
        },
      },
      mappers: [
        {
          filter: status(503),
          body_format_override: { text_format_source: { inline_string: 'sorry: %LOCAL_REPLY_BODY%\n' } },
        },
        { filter: status(301), body_format_override: { text_format_source: { inline_string: '' } } },
      ],
    }),
    steps,
  },
  {
    name: 'local replies before there is a request',
    covers: 'codec refusals and missing hosts are mapped and formatted; HEAD; what empties a body',
    config: config({
      mappers: [
        { filter: flag('DPE'), status_code: 418, body: { inline_string: 'teapot' } },
        { filter: status(400), body: { inline_string: 'host, please' } },
      ],
      body_format: { text_format_source: { inline_string: '%LOCAL_REPLY_BODY% (%RESPONSE_CODE_DETAILS%)' } },
    }),
    steps: [
      { send: 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n' },
      { send: 'GET / HTTP/1.1\r\n\r\n' },
      { send: 'HEAD /none HTTP/1.1\r\nhost: a\r\n\r\n' },
      { send: 'GET / HTTP/1.0\r\n\r\n' },
    ],
  },
  {
    name: 'local replies to gRPC',
    covers: 'the mapped body is the message, the mapped status gives the gRPC status',
    config: config({
      mappers: [{ filter: status(404), status_code: 401, body: { inline_string: 'who are you? ü' } }],
      body_format: { json_format: { text: '%LOCAL_REPLY_BODY%' } },
    }),
    steps: ['/none', '/dead'].map(path => ({ send: get(path, { 'content-type': 'application/grpc' }) })),
  },
  {
    name: 'mapped replies and the headers of a route',
    covers: 'response_headers_to_add of the route are there before the mapper; a log sees what was sent',
    config: {
      accessLog:
        '%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% tx=%BYTES_SENT% %RESP(x-route)% %RESP(x-mapped)% %LOCAL_REPLY_BODY%|\n',
      virtualHosts: [
        {
          name: 'v',
          domains: ['*'],
          response_headers_to_add: [{ header: { key: 'x-route', value: '%RESPONSE_CODE%' } }],
          routes: [{ match: { prefix: '/' }, direct_response: { status: 403, body: { inline_string: 'no' } } }],
        },
      ],
      hcm: {
        local_reply_config: {
          mappers: [
            {
              filter: { header_filter: { header: { name: ':method', string_match: { exact: 'POST' } } } },
              status_code: 200,
              body: { inline_string: 'yes' },
              headers_to_add: [{ header: { key: 'x-mapped', value: '%RESP(x-route)%' } }],
            },
          ],
        },
      },
    },
    steps: [{ send: get('/') }, { send: request('POST', '/', {}, 'body') }],
  },
  {
    name: 'a direct response by a format',
    covers:
      'direct_response.body_format: text and JSON, content type, with and without a body; the local reply format on top',
    config: {
      routes: [
        {
          match: { prefix: '/text' },
          direct_response: {
            status: 200,
            body: { inline_string: 'body' },
            body_format: {
              text_format_source: { inline_string: '%LOCAL_REPLY_BODY% of %REQ(:PATH)% %REQ(x)%' },
              content_type: 'text/x-mine',
            },
          },
        },
        {
          match: { prefix: '/json' },
          direct_response: {
            status: 404,
            body_format: { json_format: { path: '%REQ(:PATH)%', code: '%RESPONSE_CODE%', body: '%LOCAL_REPLY_BODY%' } },
          },
          response_headers_to_add: [{ header: { key: 'x-type', value: '%RESP(content-type)%' } }],
        },
      ],
    },
    steps: [{ send: get('/text') }, { send: get('/json') }],
  },
]
