import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { type Case, get, request } from '../harness/case.ts'
import { inOrder } from '../harness/in-order.ts'
import { type Behaviour, ok, raw } from '../harness/upstream.ts'
import { ALWAYS, config, filter, NEVER, perFilter, routes } from './filter-configs.ts'

type Fields = Record<string, unknown>

const library = (type: string, fields: Fields = {}) => ({
  name: 'text',
  typed_config: { '@type': `type.googleapis.com/envoy.extensions.compression.${type}`, ...fields },
})
const compressed = (compressor_library: Fields, response_direction_config: Fields = {}) => [
  filter('compressor', 'compressor.v3.Compressor', { compressor_library, response_direction_config }),
]
const decompressed = (decompressor_library: Fields, response_direction_config: Fields = {}) => [
  filter('decompressor', 'decompressor.v3.Decompressor', { decompressor_library, response_direction_config }),
]
const GUNZIP = 'gzip.decompressor.v3.Gzip'
/** No part of it comes twice in less than 2,000 bytes. */
const FAR_APART = Array.from({ length: 500 }, (_, i) => ((i * 7919) % 9973).toString(36).padStart(4, '-'))
  .join('')
  .repeat(4)
const encode = { gzip: gzipSync, br: brotliCompressSync, zstd: zstdCompressSync }
/** Answers with a body in a coding. */
const encoded = (coding: keyof typeof encode, body: string): Behaviour => {
  const bytes = encode[coding](body)
  return raw(
    `HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\ncontent-length: ${bytes.length}\r\n\r\n${bytes.toString('latin1')}`,
  )
}

const PIECES: NonNullable<Case['except']> = {
  why: 'Envoy asks brotli once more after a mistake: how often that is, and what comes of it, depends on the pieces of the body',
  drop(observation) {
    const mistakes = observation.admin[0]!
    mistakes.body = mistakes.body.replace(/: [1-9]\d*$/gm, ': some')
    observation.accessLog = []
    observation.stats = {}
    for (const answer of observation.answers.flat())
      answer.body = /^x{8192,65536}$/.test(answer.body) ? 'cut off' : answer.body
  },
}

/** What files that others publish have in them, and no other case shows by itself. */
export const publishedFileCases: Case[] = [
  {
    name: 'a limit of connections in the runtime',
    covers: 'envoy.resource_limits.listener.NAME.connection_limit, downstream_cx_overflow',
    config: { runtime: { envoy: { resource_limits: { listener: { listener: { connection_limit: 1 } } } } } },
    steps: [
      { send: get('/'), on: 'a' },
      { send: get('/over') },
      { send: get('/'), on: 'a', after: 'close' },
      { until: 'http.in.downstream_cx_active: 0' },
      { send: get('/') },
    ],
    logLines: 3,
  },
  {
    name: 'values of a directory',
    covers: 'disk_layer: symlink_root, subdirectory; names of layers on /runtime',
    files: { 'values/fault/fault/http/abort/abort_percent': '100\n' },
    config: ({ folder }) => ({
      layers: [{ name: 'disk', disk_layer: { symlink_root: `${folder}/values`, subdirectory: 'fault' } }],
      filters: [filter('fault', 'fault.v3.HTTPFault', { abort: { http_status: 503, percentage: { numerator: 0 } } })],
    }),
    steps: [{ send: get('/') }, { admin: '/runtime' }],
    except: {
      why: 'protobuf has no order of fields',
      drop(observation) {
        observation.admin[0]!.body = inOrder(observation.admin[0]!.body)
      },
    },
  },
  {
    name: 'HTTP/1 and nothing else',
    covers: 'codec_type HTTP1: the preface of HTTP/2 is no request',
    config: { hcm: { codec_type: 'HTTP1' } },
    steps: [{ send: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' }, { send: get('/') }],
    logLines: 1,
  },
  {
    name: 'a cluster that a request names',
    covers: 'names of clusters',
    config: { routes: [{ match: { prefix: '/' }, route: { cluster_header: 'x-cluster' } }] },
    steps: [{ send: get('/', { 'x-cluster': 'app' }) }, { send: get('/', { 'x-cluster': 'other' }) }],
  },
  {
    name: 'names',
    covers: 'labels of filters, logs, tracers and listeners are what /config_dump and /listeners show, and no more',
    config: {
      tracing: {},
      filters: [
        filter('rbac', 'rbac.v3.RBAC', {
          matcher: {
            on_no_match: {
              action: {
                name: 'label',
                typed_config: {
                  '@type': 'type.googleapis.com/envoy.config.rbac.v3.Action',
                  name: 'allow-all',
                  action: 'ALLOW',
                },
              },
            },
          },
        }),
      ],
    },
    steps: [{ send: get('/') }, { admin: '/config_dump?resource=static_listeners' }, { admin: '/listeners' }],
    spans: 1,
    except: {
      why: 'protobuf has no order of fields; the file of the log and times of loading are those of the run',
      drop(observation) {
        observation.admin[0]!.body = inOrder(
          observation.admin[0]!.body.replaceAll(/"(path|last_updated)": "[^"]*"/g, '"$1": "<…>"'),
        )
      },
    },
  },
  {
    name: 'bodies of some types',
    covers: 'content_type of a compressor',
    compressed: true,
    upstreams: { app: ok(FAR_APART, 'content-type: application/xml\r\n') },
    config: {
      filters: compressed(library('gzip.compressor.v3.Gzip'), {
        common_config: { content_type: ['text/html', 'application/json'] },
      }),
    },
    steps: [{ send: get('/', { 'accept-encoding': 'gzip' }) }],
  },
  ...['gzip', 'br', 'zstd'].map((coding): Case => {
    const libraries: Record<string, Fields> = {
      gzip: library('gzip.compressor.v3.Gzip', { window_bits: 9, memory_level: 9 }),
      br: library('brotli.compressor.v3.Brotli', { window_bits: 10 }),
      zstd: library('zstd.compressor.v3.Zstd', { compression_level: 19 }),
    }
    return {
      name: `what ${coding} may remember`,
      covers: 'a window that is smaller than what comes again; levels',
      compressed: true,
      upstreams: { app: ok(FAR_APART, 'content-type: text/plain\r\n') },
      config: { filters: compressed(libraries[coding]!) },
      steps: [{ send: get('/', { 'accept-encoding': coding }) }],
    }
  }),
  {
    name: 'more than the window of a decompressor',
    covers: 'window_bits: an end in the middle',
    upstreams: { app: encoded('gzip', FAR_APART) },
    config: { filters: decompressed(library(GUNZIP, { window_bits: 9 })) },
    steps: [{ send: get('/') }],
  },
  ...(['gzip', 'br', 'zstd'] as const).flatMap((coding): Case[] => {
    const libraries = {
      gzip: library(GUNZIP, { max_inflate_ratio: 10, chunk_size: 8192 }),
      br: library('brotli.decompressor.v3.Brotli', { chunk_size: 8192 }),
      zstd: library('zstd.decompressor.v3.Zstd', { chunk_size: 8192 }),
    }
    const filters = decompressed(libraries[coding])
    const numbers = { admin: '/stats?filter=decompressor_library' }
    return [
      {
        name: `more than may come of ${coding}`,
        covers: 'max_inflate_ratio, chunk_size; a bomb is cut off, and counted',
        upstreams: { app: encoded(coding, 'x'.repeat(200_000)) },
        config: { filters },
        steps: [{ send: get('/') }, numbers],
        ...(coding === 'br' ? { except: PIECES } : {}),
      },
      {
        name: `what is no ${coding}`,
        covers: 'the body ends, the mistake is counted',
        upstreams: {
          app: raw(`HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\ncontent-length: 16\r\n\r\nthis is not that`),
        },
        config: { filters },
        steps: [{ send: get('/') }, numbers],
        ...(coding === 'br' ? { except: PIECES } : {}),
      },
    ]
  }),
  {
    name: 'a decompressor that is on',
    covers: 'enabled: default_value, runtime_key',
    upstreams: { app: encoded('gzip', 'hello') },
    config: {
      filters: decompressed(library(GUNZIP), {
        common_config: { enabled: { default_value: true, runtime_key: 'decompress' } },
      }),
    },
    steps: [{ send: get('/') }, { admin: '/runtime_modify?decompress=false', method: 'POST' }, { send: get('/') }],
  },
  {
    name: 'csrf in the shadow by the runtime',
    covers: 'shadow_enabled.runtime_key',
    config: {
      filters: [
        filter('csrf', 'csrf.v3.CsrfPolicy', {
          filter_enabled: { default_value: NEVER },
          shadow_enabled: { default_value: { numerator: 100, denominator: 'HUNDRED' }, runtime_key: 'csrf.shadow' },
        }),
      ],
    },
    steps: [
      { send: request('POST', '/', { origin: 'http://bad.test' }) },
      { admin: '/runtime_modify?csrf.shadow=0', method: 'POST' },
      { send: request('POST', '/', { origin: 'http://bad.test' }) },
    ],
  },
  {
    name: 'a header of a limited answer, once',
    covers: 'response_headers_to_add.append_action',
    config: {
      filters: [
        filter('local_ratelimit', 'local_ratelimit.v3.LocalRateLimit', {
          stat_prefix: 'limiter',
          token_bucket: { max_tokens: 1, tokens_per_fill: 1, fill_interval: '6000s' },
          filter_enabled: { default_value: ALWAYS },
          filter_enforced: { default_value: ALWAYS },
          response_headers_to_add: ['first', 'second'].map(value => ({
            append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
            header: { key: 'x-local-rate-limit', value },
          })),
        }),
      ],
    },
    steps: [{ send: get('/') }, { send: get('/') }],
  },
  {
    name: 'filters by name',
    covers: 'http_filters.name is what typed_per_filter_config means',
    config: {
      filters: [filter('abort', 'fault.v3.HTTPFault')],
      routes: routes({
        '/abort': perFilter('abort', config('fault.v3.HTTPFault', { abort: { http_status: 418, percentage: ALWAYS } })),
      }),
    },
    steps: [{ send: get('/abort') }, { send: get('/') }],
  },
  {
    name: 'tokens that come back by the pair',
    covers: 'tokens_per_fill, fill_interval',
    config: {
      filters: [
        filter('local_ratelimit', 'local_ratelimit.v3.LocalRateLimit', {
          stat_prefix: 'limiter',
          token_bucket: { max_tokens: 2, tokens_per_fill: 2, fill_interval: '1s' },
          filter_enabled: { default_value: ALWAYS },
          filter_enforced: { default_value: ALWAYS },
        }),
      ],
    },
    steps: [{ send: get('/') }, { send: get('/') }, { wait: 1300 }, { send: get('/') }, { send: get('/') }],
  },
  {
    name: 'a prefix of a listener’s stats',
    covers: 'Listener.stat_prefix; http2_protocol_options and a backlog change nothing for HTTP/1',
    config: {
      listener: { stat_prefix: 'front', tcp_backlog_size: 16, listener_filters_timeout: '5s' },
      hcm: { http2_protocol_options: { max_concurrent_streams: 100, initial_stream_window_size: 65_536 } },
    },
    steps: [{ send: get('/') }, { admin: '/stats?filter=^listener.front.*(total|_2xx)$' }],
  },
  {
    name: 'IPv4 over IPv6',
    covers: 'ipv4_compat: addresses of both kinds at `::`, IPv4 as such',
    config: ({ listener }) => ({
      listener: {
        stat_prefix: 'both',
        address: { socket_address: { address: '::', port_value: listener, ipv4_compat: true } },
      },
      hcm: { use_remote_address: true, internal_address_config: {} },
      accessLog: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_LOCAL_ADDRESS%\n',
    }),
    steps: [{ send: get('/') }],
  },
]
