import { type Case, get, request } from '../harness/case.ts'
import { echo, hang, ok, raw, sequence, status } from '../harness/upstream.ts'

const post = (bytes: number) => ({ send: request('POST', '/', {}, 'x'.repeat(bytes)) })
const retried = { cluster: 'app', retry_policy: { retry_on: '5xx', num_retries: 1 } }

export const limitCases: Case[] = [
  {
    name: 'requests of a connection',
    covers: 'max_requests_per_connection of a listener: the last answer says close, downstream_cx_max_requests_reached',
    config: { hcm: { common_http_protocol_options: { max_requests_per_connection: 2 } } },
    steps: [
      { send: get('/1'), on: 'a' },
      { send: get('/2'), on: 'a' },
      { send: get('/1'), on: 'b' },
    ],
  },
  {
    name: 'the life of a connection',
    covers: 'max_connection_duration: it drains: what is asked until it closes is answered with connection: close',
    config: {
      hcm: { drain_timeout: '20s', common_http_protocol_options: { max_connection_duration: '1.2s' } },
    },
    steps: [
      { send: get('/early'), on: 'a' },
      { until: 'http.in.downstream_cx_max_duration_reached: 1' },
      { settled: 'stats' },
      { send: get('/late'), on: 'a' },
      { send: get('/another'), on: 'b' },
    ],
  },
  {
    name: 'an idle connection that has lived long enough',
    covers: 'max_connection_duration and drain_timeout: closed when the drain is over',
    config: {
      hcm: { drain_timeout: '0.1s', common_http_protocol_options: { max_connection_duration: '1s' } },
    },
    steps: [{ send: get('/'), on: 'a' }, { until: 'http.in.downstream_cx_active: 0' }],
  },
  {
    name: 'a stream of limited length',
    covers: 'max_stream_duration of the HCM: 504, no flag, max_duration_timeout',
    config: { hcm: { common_http_protocol_options: { max_stream_duration: '0.15s' } } },
    upstreams: { app: hang },
    steps: [{ send: get('/') }],
  },
  {
    name: 'a request that takes too long to come',
    covers: 'max_stream_duration before the request is complete: 408',
    config: { hcm: { common_http_protocol_options: { max_stream_duration: '0.15s' } } },
    steps: [{ send: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf' }],
  },
  {
    name: 'a response that takes too long',
    covers: 'max_stream_duration after the response has begun: cut off',
    config: { hcm: { common_http_protocol_options: { max_stream_duration: '0.6s' } } },
    upstreams: { app: raw('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf') },
    steps: [{ send: get('/') }],
  },
  {
    name: 'streams of routes',
    covers:
      'max_stream_duration of a route beats the HCM, 0 lifts it; there is no timeout beside it, a written one neither',
    config: {
      hcm: { common_http_protocol_options: { max_stream_duration: '1s' } },
      routes: [
        {
          match: { prefix: '/short' },
          route: { cluster: 'app', max_stream_duration: { max_stream_duration: '0.1s' } },
        },
        { match: { prefix: '/none' }, route: { cluster: 'other', max_stream_duration: { max_stream_duration: '0s' } } },
        { match: { prefix: '/empty' }, route: { cluster: 'other', max_stream_duration: {} } },
        {
          match: { prefix: '/both' },
          route: { cluster: 'other', timeout: '3s', max_stream_duration: { max_stream_duration: '9s' } },
        },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
    },
    upstreams: { app: hang, other: echo },
    steps: ['/short', '/none', '/empty', '/both', '/'].map(path => ({ send: get(path) })),
  },
  {
    name: 'grpc-timeout',
    covers:
      'grpc_timeout_header_max and _offset: capped and shortened, passed on as it came; without a cap it does not count',
    config: {
      routes: [
        {
          match: { prefix: '/cap' },
          route: {
            cluster: 'other',
            max_stream_duration: { grpc_timeout_header_max: '2s', grpc_timeout_header_offset: '0.5s' },
          },
        },
        {
          match: { prefix: '/any' },
          route: { cluster: 'other', max_stream_duration: { grpc_timeout_header_max: '0s' } },
        },
        {
          match: { prefix: '/short' },
          route: { cluster: 'app', max_stream_duration: { grpc_timeout_header_max: '2s' } },
        },
        { match: { prefix: '/' }, route: { cluster: 'other', max_stream_duration: { max_stream_duration: '5s' } } },
      ],
    },
    upstreams: { app: hang, other: echo },
    steps: [
      { send: get('/cap', { 'grpc-timeout': '1S' }) },
      { send: get('/cap', { 'grpc-timeout': '1M' }) },
      { send: get('/cap', { 'grpc-timeout': 'soon' }) },
      { send: get('/any', { 'grpc-timeout': '3H' }) },
      { send: get('/any', { 'grpc-timeout': '999999u' }) },
      { send: get('/short', { 'grpc-timeout': '100m' }) },
      { send: get('/', { 'grpc-timeout': '1S' }) },
    ],
  },
  {
    name: 'a body that its route keeps',
    covers: 'per_request_buffer_limit_bytes: below it is retried, above it is not; the listener limits no further',
    config: {
      listener: { per_connection_buffer_limit_bytes: 2048 },
      virtualHosts: [
        {
          name: 'v',
          domains: ['*'],
          per_request_buffer_limit_bytes: 100,
          routes: [{ match: { prefix: '/' }, route: retried }],
        },
      ],
    },
    upstreams: { app: sequence(status(503), ok(), status(503, 'second')) },
    steps: [post(100), post(101)],
  },
  {
    name: 'a body larger than the listener would keep',
    covers: 'request_body_buffer_limit of a route above per_connection_buffer_limit_bytes, and over its virtual host',
    config: {
      listener: { per_connection_buffer_limit_bytes: 1024 },
      virtualHosts: [
        {
          name: 'v',
          domains: ['*'],
          request_body_buffer_limit: 10,
          routes: [{ match: { prefix: '/' }, route: retried, request_body_buffer_limit: 100_000 }],
        },
      ],
    },
    upstreams: { app: sequence(status(503), ok(), status(503, 'second')) },
    steps: [post(1500), post(500)],
  },
]
