import { type Case, get } from '../harness/case.ts'
import { type Behaviour, raw, sequence } from '../harness/upstream.ts'

const post = (trailers: string) =>
  `POST / HTTP/1.1\r\nhost: example.test\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n${trailers}\r\n`
const answer = (trailers: string): Behaviour =>
  raw(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${trailers}\r\n`)
const both = {
  hcm: { http_protocol_options: { enable_trailers: true } },
  app: { http_protocol_options: { enable_trailers: true } },
  accessLog:
    '%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %TRAILER(x-t)% %TRAILER(x-none?x-u):1% %RESPONSE_TRAILERS_BYTES% %GRPC_STATUS%\n',
}

export const trailerCases: Case[] = [
  {
    name: 'trailers both ways',
    covers: 'enable_trailers of listener and cluster: passed on, names in lower case; in the log',
    upstreams: { app: answer('X-T: 1\r\nx-u: two \r\nx-t: 3\r\n') },
    config: both,
    steps: [{ send: post('X-Client: a\r\nx-b:  c \r\n') }, { send: post('') }, { send: get('/') }],
  },
  {
    name: 'trailers of an answer alone',
    covers: 'enable_trailers of the cluster without the listener: in the log, not to the client',
    upstreams: { app: answer('x-t: 1\r\n') },
    config: { ...both, hcm: {} },
    steps: [{ send: post('x-client: a\r\n') }],
  },
  {
    name: 'trailers of a request alone',
    covers: 'enable_trailers of the listener without the cluster: dropped on the way',
    upstreams: { app: answer('x-t: 1\r\n') },
    config: { ...both, app: {} },
    steps: [{ send: post('x-client: a\r\n') }],
  },
  {
    name: 'a gRPC status in trailers',
    covers: 'GRPC_STATUS looks into trailers first',
    upstreams: { app: sequence(answer('grpc-status: 5\r\n'), answer('x-t: 1\r\n')) },
    config: both,
    steps: [
      { send: get('/', { 'content-type': 'application/grpc' }) },
      { send: get('/', { 'content-type': 'application/grpc' }) },
    ],
  },
  {
    name: 'trailers that are sent again',
    covers: 'a retry has the trailers, too',
    upstreams: { app: sequence(raw('HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n'), answer('')) },
    config: {
      ...both,
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', retry_policy: { retry_on: '5xx' } } }],
    },
    steps: [{ send: post('x-client: a\r\n') }],
  },
  {
    name: 'trailers of a copy',
    covers: 'a mirror’s request has the trailers, too',
    upstreams: { app: answer(''), copy: answer('x-t: 1\r\n') },
    config: {
      ...both,
      clusters: [],
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', request_mirror_policies: [{ cluster: 'copy' }] } }],
    },
    steps: [{ send: post('x-client: a\r\n') }],
  },
  {
    name: 'malformed trailers',
    covers: 'enable_trailers: no colon, a blank before it, control characters',
    upstreams: { app: answer('') },
    config: both,
    steps: ['no colon\r\n', 'a : b\r\n', 'a: \x01\r\n'].map(trailers => ({ send: post(trailers) })),
  },
  {
    name: 'malformed trailers of an answer',
    covers: 'enable_trailers of a cluster: the answer is cut off',
    upstreams: { app: answer('no colon\r\n') },
    config: both,
    steps: [{ send: get('/') }],
  },
  {
    name: 'trailers that are no trailers',
    covers: 'framing fields and the like as trailers',
    upstreams: { app: answer('content-length: 3\r\ntransfer-encoding: chunked\r\nconnection: close\r\n') },
    config: both,
    steps: [{ send: post('content-length: 3\r\nhost: other.test\r\ntransfer-encoding: chunked\r\n') }],
  },
]
