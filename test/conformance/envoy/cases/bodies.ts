import { type Case, get, request } from '../harness/case.ts'
import { echo, ok, raw, sequence } from '../harness/upstream.ts'

export const bodyCases: Case[] = [
  {
    name: 'a chunked request',
    covers: 're-chunked upstream, extensions and trailers dropped',
    upstreams: { app: (message, socket, index) => ok(`${message.framing} ${message.body}`)(message, socket, index) },
    steps: [
      {
        send: 'POST / HTTP/1.1\r\nhost: example.test\r\ntransfer-encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nx-trailer: 1\r\n\r\n',
      },
    ],
  },
  {
    name: 'a chunked answer',
    covers: 'chunked kept, trailers dropped',
    upstreams: {
      app: raw(
        'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n',
      ),
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'a close-delimited answer',
    covers: 'becomes chunked, connection kept',
    upstreams: { app: raw('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nuntil the end', true) },
    steps: [
      { send: get('/'), on: 'a' },
      { send: get('/'), on: 'a' },
    ],
  },
  {
    name: 'HEAD, 204 and 304',
    covers: 'no body, which lengths are kept',
    upstreams: {
      app: sequence(
        raw('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n'),
        raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'),
        raw('HTTP/1.1 204 No Content\r\n\r\n'),
        raw('HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\netag: "x"\r\n\r\n'),
      ),
    },
    steps: [{ send: request('HEAD', '/a') }, { send: request('HEAD', '/b') }, { send: get('/c') }, { send: get('/d') }],
  },
  {
    name: 'interim answers',
    covers: '100, 102, 103 of the upstream are swallowed',
    upstreams: {
      app: raw(
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
      ),
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'an answer before the request is whole',
    covers: 'connection: close, no x-envoy-upstream-service-time',
    upstreams: { app: echo },
    // The reader of the upstream answers only whole requests: this one answers at the head.
    config: {},
    steps: [{ send: ['POST / HTTP/1.1\r\nhost: example.test\r\ncontent-length: 5\r\n\r\nhello'] }],
  },
  {
    name: 'a large body both ways',
    covers: 'byte counts, streaming',
    upstreams: { app: (message, socket, index) => ok(message.body)(message, socket, index) },
    steps: [{ send: request('POST', '/', {}, 'x'.repeat(300_000)) }],
    except: {
      why: 'the gauges of buffered bytes show what the last read brought: up to 1 MiB at once in Envoy, 64 KiB in Node',
      drop: observation => {
        for (const name of Object.keys(observation.stats)) {
          if (name.endsWith('cx_rx_bytes_buffered')) delete observation.stats[name]
        }
      },
    },
    sane: envoy => {
      if (envoy.answers[0]![0]!.body.length !== 300_000) throw new Error('the body did not arrive')
    },
  },
  {
    name: 'client leaves before the answer',
    covers: 'DC, 0, upstream request cancelled',
    upstreams: { app: () => {} },
    steps: [{ send: get('/'), answers: 1, patience: 60, after: 'close' }],
  },
  {
    name: 'client half-closes before the answer',
    covers: 'closed without an answer, downstream_rq_rx_reset',
    upstreams: { app: (request, socket, index) => void setTimeout(() => ok('late')(request, socket, index), 150) },
    steps: [{ send: get('/'), after: 'half-close' }],
  },
  {
    name: 'empty and zero-length bodies',
    covers: 'content-length: 0 kept; POST without length',
    upstreams: { app: echo },
    steps: [
      { send: request('POST', '/', { 'content-length': '0' }) },
      { send: 'POST / HTTP/1.1\r\nhost: example.test\r\n\r\n' },
      { send: request('PUT', '/', { 'content-length': '003' }, 'abc') },
    ],
  },
]
