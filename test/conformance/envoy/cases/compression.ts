import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { type Case, get, request } from '../harness/case.ts'
import { type Behaviour, echo, ok, raw } from '../harness/upstream.ts'
import { config, filter, perFilter, routes } from './filter-configs.ts'

type Fields = Record<string, unknown>

const library = (name: string, type: string, fields: Fields = {}) => ({
  name,
  typed_config: { '@type': `type.googleapis.com/envoy.extensions.compression.${type}`, ...fields },
})
const gzip = library('text', 'gzip.compressor.v3.Gzip', { window_bits: 10, memory_level: 3 })
const brotli = library('text', 'brotli.compressor.v3.Brotli', { window_bits: 10 })
const zstd = library('text', 'zstd.compressor.v3.Zstd', { compression_level: 3 })

const compressor = (compressor_library: Fields, fields: Fields = {}, name = 'compressor') =>
  filter(name, 'compressor.v3.Compressor', { compressor_library, ...fields })
const response = (fields: Fields) => ({ response_direction_config: fields })
const decompressor = (decompressor_library: Fields, fields: Fields = {}, name = 'decompressor') =>
  filter(name, 'decompressor.v3.Decompressor', { decompressor_library, ...fields })

const TEXT = 'all work and no play makes jack a dull boy. '.repeat(40)
const text = (headers = '', body = TEXT): Behaviour => ok(body, `content-type: text/plain\r\n${headers}`)
const accepts = (value: string, path = '/') => ({ send: get(path, { 'accept-encoding': value }) })

/** A body as the upstream sends it, whose bytes are no text. */
const encoded = (bytes: Buffer, encoding: string, more = ''): Behaviour =>
  raw(
    `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-encoding: ${encoding}\r\n${more}content-length: ${bytes.length}\r\n\r\n${bytes.toString('latin1')}`,
  )

export const compressionCases: Case[] = [
  ...[
    { what: 'gzip', one: gzip, token: 'gzip' },
    { what: 'brotli', one: brotli, token: 'br' },
    { what: 'zstd', one: zstd, token: 'zstd' },
  ].map(
    ({ what, one, token }): Case => ({
      name: `compressor: ${what}`,
      covers: 'content-encoding, vary, no length, the text; etag; for HEAD and for a chunked body; stats',
      compressed: true,
      upstreams: { app: text('etag: "a"\r\n') },
      config: { filters: [compressor(one)] },
      steps: [
        accepts(token),
        { send: request('HEAD', '/', { 'accept-encoding': token }) },
        accepts(`x, ${token};q=0.5, *;q=0.1`),
        accepts('*'),
        { send: get('/') },
      ],
    }),
  ),
  ...[
    { what: 'gzip', one: gzip },
    { what: 'brotli', one: brotli },
    { what: 'zstd', one: zstd },
  ].map(
    ({ what, one }): Case => ({
      name: `compressor: requests with ${what}`,
      covers:
        'request_direction_config: content-encoding, no length, stats; too short, of another type, encoded already, chunked, without a body',
      compressed: true,
      upstreams: { app: ok('yes') },
      config: {
        filters: [
          compressor(one, {
            request_direction_config: {
              common_config: { min_content_length: 100, content_type: ['text/plain', 'application/x'] },
            },
          }),
        ],
      },
      steps: [
        { send: request('POST', '/', { 'content-type': 'text/plain; charset=utf-8' }, TEXT) },
        { send: request('POST', '/', { 'content-type': 'text/plain' }, 'x'.repeat(99)) },
        { send: request('POST', '/', { 'content-type': 'text/html' }, TEXT) },
        { send: request('POST', '/', {}, TEXT) },
        { send: request('POST', '/', { 'content-type': 'application/x', 'content-encoding': 'x' }, TEXT) },
        { send: request('POST', '/', { 'content-type': 'text/plain', 'cache-control': 'no-transform' }, TEXT) },
        {
          send: request(
            'PUT',
            '/',
            { 'transfer-encoding': 'chunked', 'content-type': 'text/plain' },
            '5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n',
          ),
        },
        { send: get('/', { 'content-type': 'text/plain' }) },
      ],
    }),
  ),
  {
    name: 'compressor: requests by the runtime and the route',
    covers:
      'request_direction_config: enabled, CompressorPerRoute.disabled; both directions; a request that is answered here',
    compressed: true,
    upstreams: { app: text() },
    config: {
      filters: [
        compressor(gzip, {
          request_direction_config: {
            common_config: { enabled: { default_value: false, runtime_key: 'compress.requests' } },
          },
          response_direction_config: {},
        }),
      ],
      routes: [
        { match: { path: '/direct' }, direct_response: { status: 200 } },
        ...routes({ '/off': perFilter('compressor', config('compressor.v3.CompressorPerRoute', { disabled: true })) }),
      ],
    },
    steps: [
      { send: request('POST', '/1', { 'accept-encoding': 'gzip' }, TEXT) },
      { admin: '/runtime_modify?compress.requests=true', method: 'POST' },
      { send: request('POST', '/2', { 'accept-encoding': 'gzip' }, TEXT) },
      { send: request('POST', '/off', { 'accept-encoding': 'gzip' }, TEXT) },
      { send: request('POST', '/direct', {}, TEXT) },
    ],
  },
  {
    name: 'compressor: what clients say',
    covers: 'q-values, identity, wildcard, nonsense; header_* counters',
    compressed: true,
    upstreams: { app: text() },
    config: { filters: [compressor(gzip)] },
    steps: [
      'gzip;q=0',
      'identity',
      'br',
      '',
      ';',
      'identity, gzip',
      'identity;q=0.5, gzip',
      'gzip;q=0.2, identity;q=0.9',
      '*;q=0',
      'GZIP',
      'deflate, *',
    ].map(value => accepts(value)),
  },
  {
    name: 'compressor: what is not compressed',
    covers:
      'too short, another type, already encoded, no-transform, chosen codes, no length; vary where it could have been',
    compressed: true,
    upstreams: {
      app: (message, socket, index) => {
        const path = message.head[0]!.split(' ')[1]!
        const answers: Record<string, Behaviour> = {
          '/short': text('', 'x'.repeat(29)),
          '/enough': text('', 'x'.repeat(30)),
          '/image': ok(TEXT, 'content-type: image/png\r\n'),
          '/charset': ok(TEXT, 'content-type: text/html; charset=utf-8\r\n'),
          '/untyped': ok(TEXT),
          '/encoded': text('content-encoding: br\r\n'),
          '/no-transform': text('cache-control: public, no-transform\r\n'),
          '/vary': text('vary: origin\r\n'),
          '/varied': text('vary: accept-encoding\r\n'),
          '/206': raw(
            `HTTP/1.1 206 Partial\r\ncontent-type: text/plain\r\ncontent-length: ${TEXT.length}\r\n\r\n${TEXT}`,
          ),
          '/chunked': raw(
            `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`,
          ),
          '/until-close': raw(`HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n${TEXT}`, true),
          '/weak': text('etag: W/"a"\r\n'),
        }
        answers[path]!(message, socket, index)
      },
    },
    config: { filters: [compressor(gzip, response({ uncompressible_response_codes: [206] }))] },
    steps: [
      'short',
      'enough',
      'image',
      'charset',
      'untyped',
      'encoded',
      'no-transform',
      'vary',
      'varied',
      '206',
      'chunked',
      'weak',
      'until-close',
    ].map(path => accepts('gzip', `/${path}`)),
  },
  {
    name: 'compressor: settings',
    covers:
      'content_type, min_content_length, disable_on_etag_header, remove_accept_encoding_header; of routes; switched off',
    compressed: true,
    upstreams: { app: text('etag: "a"\r\n') },
    config: {
      filters: [
        compressor(
          gzip,
          response({
            common_config: {
              content_type: ['text/plain'],
              min_content_length: 100,
              enabled: { default_value: true, runtime_key: 'gzip.on' },
            },
            disable_on_etag_header: true,
            remove_accept_encoding_header: true,
          }),
        ),
      ],
      routes: routes({
        '/off': perFilter('compressor', config('compressor.v3.CompressorPerRoute', { disabled: true })),
        '/keep': perFilter(
          'compressor',
          config('compressor.v3.CompressorPerRoute', {
            overrides: { response_direction_config: { remove_accept_encoding_header: false } },
          }),
        ),
      }),
    },
    steps: [
      accepts('gzip'),
      accepts('gzip', '/off'),
      accepts('gzip', '/keep'),
      { admin: '/runtime_modify?gzip.on=false', method: 'POST' },
      accepts('gzip'),
    ],
  },
  {
    name: 'compressor: a weak etag',
    covers: 'weaken_etag_on_compress',
    compressed: true,
    upstreams: { app: text('etag: "a"\r\n') },
    config: { filters: [compressor(gzip, response({ weaken_etag_on_compress: true }))] },
    steps: [accepts('gzip')],
  },
  {
    name: 'compressor: three of them',
    covers:
      'the client’s choice; of equal ones the nearest to the upstream or the one that is to be first; overshadowed',
    compressed: true,
    upstreams: { app: text() },
    config: {
      filters: [
        compressor(gzip, {}, 'gzip'),
        compressor(brotli, { choose_first: true }, 'brotli'),
        compressor(zstd, {}, 'zstd'),
      ],
    },
    steps: ['gzip, br, zstd', 'gzip;q=0.9, br;q=0.5', 'gzip, zstd', 'zstd', '*', 'identity'].map(value =>
      accepts(value),
    ),
  },
  {
    name: 'compressor: local answers',
    covers: 'a direct response is compressed as well',
    compressed: true,
    config: {
      filters: [compressor(gzip)],
      routes: [{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: TEXT } } }],
    },
    steps: [accepts('gzip')],
  },
  ...[
    { what: 'gzip', bytes: gzipSync(TEXT), token: 'gzip', one: library('plain', 'gzip.decompressor.v3.Gzip') },
    {
      what: 'brotli',
      bytes: brotliCompressSync(TEXT),
      token: 'br',
      one: library('plain', 'brotli.decompressor.v3.Brotli'),
    },
    { what: 'zstd', bytes: zstdCompressSync(TEXT), token: 'zstd', one: library('plain', 'zstd.decompressor.v3.Zstd') },
  ].flatMap(({ what, bytes, token, one }): Case[] => [
    {
      name: `decompressor: a ${what} response`,
      covers: 'accept-encoding is advertised, the text comes without content-encoding and length; no-transform; HEAD',
      upstreams: {
        app: (message, socket, index) =>
          encoded(bytes, token, message.head[0]!.includes('/kept') ? 'cache-control: no-transform\r\n' : '')(
            message,
            socket,
            index,
          ),
      },
      config: { filters: [decompressor(one)] },
      steps: [{ send: get('/') }, { send: get('/', { 'accept-encoding': 'x' }) }, { send: get('/kept') }],
    },
    {
      name: `decompressor: a ${what} request`,
      covers: 'the upstream gets the text; another encoding stays',
      upstreams: { app: echo },
      config: { filters: [decompressor(one)] },
      steps: [
        { send: request('POST', '/', { 'content-encoding': token }, bytes.toString('latin1')) },
        { send: request('POST', '/', { 'content-encoding': 'x' }, 'abc') },
        { send: request('POST', '/', { 'content-encoding': `${token}, x` }, bytes.toString('latin1')) },
        { send: get('/', { 'content-encoding': token }) },
      ],
    },
  ]),
  {
    name: 'decompressor: switched off',
    covers: 'enabled of both directions, advertise_accept_encoding',
    upstreams: { app: encoded(gzipSync(TEXT), 'gzip') },
    config: {
      filters: [
        decompressor(library('plain', 'gzip.decompressor.v3.Gzip'), {
          request_direction_config: {
            advertise_accept_encoding: false,
            common_config: { enabled: { default_value: false, runtime_key: 'in' } },
          },
          response_direction_config: { common_config: { enabled: { default_value: false, runtime_key: 'out' } } },
        }),
      ],
    },
    steps: [
      { send: request('POST', '/', { 'content-encoding': 'gzip' }, gzipSync('a').toString('latin1')) },
      { admin: '/runtime_modify?out=true', method: 'POST' },
      { send: get('/') },
    ],
  },
]
