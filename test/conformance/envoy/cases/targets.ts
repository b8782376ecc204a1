import { type Case, get } from '../harness/case.ts'
import { echo } from '../harness/upstream.ts'

const line = (start: string, fields = 'host: example.test\r\n', body = '') => ({
  send: `${start} HTTP/1.1\r\n${fields}\r\n${body}`,
})

/** Users, ports, addresses and characters that are none of these. */
const AUTHORITIES = [
  ...['a_b', 'a~b', 'a%41', 'a,b', 'a;b', 'a(b)', 'a\\b', 'a"b', 'a|b', 'caf\xe9', 'A.B-c.', '-', '.'],
  ...['u@a', 'u:p@a:1', '@a', 'u@b@a', 'u@@a', 'u_%;:&=+$,@a', 'u@a_b', 'a@'],
  ...['a:0', 'a:00080', 'a:65535', 'a:65536', 'a:', 'a:b', 'a:1:2', ':80', ''],
  ...['[::1]', '[::1]:', '[::1]:8', '[::1%eth0]', '[::g]', '[]', '[1.2.3.4]', '[::ffff:1.2.3.4]:80', '[::1]x', '[::1'],
  ...['1.2.3.4:5', '::1', 'a[b', 'a]'],
]

/** What a request line may name, where it is no plain path. */
export const targetCases: Case[] = [
  {
    name: 'authorities of absolute URLs',
    covers: 'absolute form: a name, an address in brackets, a port; anything else http1.invalid_url or codec_error',
    upstreams: { app: echo },
    steps: AUTHORITIES.map(authority => line(`GET http://${authority}/x`)),
  },
  {
    name: 'authorities of CONNECT',
    covers: 'host and port, nothing else',
    upstreams: { app: echo },
    steps: [
      ...AUTHORITIES.filter(one => one !== ''),
      'a:80/x',
      'a:80?x',
      'a:80?@@',
      'a?b',
      'http://a',
      'a:80#',
      '/x',
      '*',
    ].map(authority => line(`CONNECT ${authority}`)),
  },
  {
    name: 'targets that are no path',
    covers: 'schemes, fragments, queries without a path, stars',
    upstreams: { app: echo },
    steps: [
      ...['http:', 'http:/a', 'http:a', 'urn:a', 'a', 'a:b', 'a/b', 'a?b', '://a', '+://a', '1http://a', 'htt:p://a'],
      ...[
        'http://',
        'http:///',
        'http://?',
        'h+t-t.p://a',
        'ftp://a_b/',
        'ftp://',
        'ws://a/',
        'HTTP://A',
        'http://a?x/y',
      ],
      ...['http://a/x#f', 'http://a#f', 'http://a//b', 'http://a/"<>', 'http://a/\\b', '*', '**', '*a', '/*'],
    ].map(target => line(`GET ${target}`)),
  },
  {
    name: 'an absolute URL beside a bad Host',
    covers: 'absolute form: Host is not looked at',
    upstreams: { app: echo },
    steps: [line('GET http://a/', 'host: /\r\n'), line('GET http://a/', ''), line('GET http:///', 'host: /\r\n')],
  },
  {
    name: 'https in a URL on a connection without TLS',
    covers: 'absolute form with use_remote_address: 403 http1.https_url_on_plaintext_connection',
    upstreams: { app: echo },
    config: { hcm: { use_remote_address: true } },
    steps: [
      line('GET https://a/x'),
      line('GET HTTPS://a/x'),
      line('OPTIONS https://a'),
      line('GET https://a_b/'),
      line('GET http://a/x'),
    ],
  },
  {
    name: 'https in a URL behind a trusted proxy',
    covers: 'absolute form with xff_num_trusted_hops: taken',
    upstreams: { app: echo },
    config: { hcm: { use_remote_address: true, xff_num_trusted_hops: 1 } },
    steps: [
      line('GET https://a/x', 'x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: https\r\n'),
      line('GET https://a/'),
    ],
  },
  {
    name: 'https in a URL, addresses not from here',
    covers: 'absolute form without use_remote_address: taken; not as a URL where allow_absolute_url is false',
    upstreams: { app: echo },
    steps: [line('GET https://a/x')],
  },
  {
    name: 'QUERY',
    covers: 'without a content-type 400 query_missing_content_type, before its path is looked at, after its Host',
    upstreams: { app: echo },
    config: { hcm: { normalize_path: true }, tracing: {} },
    steps: [
      line('QUERY /'),
      line('QUERY /', 'host: a\r\ncontent-type:\r\n'),
      line('QUERY /', 'host: a\r\ncontent-length: 2\r\n', 'ab'),
      line('QUERY /', 'host: a\r\ncontent-type: a/b\r\ncontent-length: 2\r\n', 'ab'),
      line('QUERY /', ''),
      line('QUERY /%00'),
      line('QUERY /#a'),
      line('QUERY /', 'host: a\r\nconnection: host\r\n'),
      { send: get('/', { connection: 'host' }) },
    ],
    spans: 1,
  },
  {
    name: 'QUERY where streams fail by themselves',
    covers: 'the connection goes on',
    upstreams: { app: echo },
    config: {
      hcm: {
        stream_error_on_invalid_http_message: true,
        http_protocol_options: { override_stream_error_on_invalid_http_message: true },
      },
    },
    steps: [
      { ...line('QUERY /'), on: 'a' },
      { send: get('/'), on: 'a' },
    ],
  },
]
