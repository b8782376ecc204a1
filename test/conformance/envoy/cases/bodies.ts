import { type Case, get, request } from '../harness/case.ts'
import { early, echo, hang, ok, raw, sequence } from '../harness/upstream.ts'

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
    upstreams: { app: early('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno') },
    steps: [{ send: 'POST / HTTP/1.1\r\nhost: example.test\r\ncontent-length: 5\r\n\r\nhe' }],
  },
  {
    name: 'an early answer, and the rest of the request',
    covers: 'what the client sends after the answer is not a request',
    config: { hcm: { delayed_close_timeout: '60s' } },
    upstreams: { app: early('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno') },
    steps: [
      { send: 'POST / HTTP/1.1\r\nhost: example.test\r\ncontent-length: 5\r\n\r\nhe', on: 'a' },
      { send: `llo${get('/next')}`, on: 'a', answers: 0 },
    ],
    logLines: 1,
  },
  {
    name: 'an answer that begins before the request is whole',
    covers: 'both bodies on their way at once',
    upstreams: {
      app: early('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab', (_request, socket) => socket.write('cd')),
    },
    steps: [
      { send: 'POST / HTTP/1.1\r\nhost: example.test\r\ncontent-length: 5\r\n\r\nhe', on: 'a', answers: 0 },
      { until: 'cluster.app.upstream_rq_active: 1' },
      { settled: 'stats' },
      { send: 'llo', on: 'a' },
      { send: get('/'), on: 'a', patience: 200 },
    ],
    logLines: 1,
  },
  {
    name: 'an early answer without a body',
    covers: 'a whole head before the request is whole',
    upstreams: { app: early('HTTP/1.1 204 No Content\r\n\r\n') },
    steps: [{ send: 'POST / HTTP/1.1\r\nhost: example.test\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n' }],
  },
  {
    name: 'other interim answers',
    covers: '102 alone, 1xx with fields and without reason, then the end',
    upstreams: {
      app: sequence(
        raw('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n'),
        raw('HTTP/1.1 199\r\nx-a: b\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
        raw('HTTP/1.1 100 Continue\r\ncontent-length: 3\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
        raw('HTTP/1.1 103 Early Hints\r\n\r\n', true),
        raw('HTTP/1.1 104 Upload Resumption Supported\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
        raw(
          'HTTP/1.1 103 Early Hints\r\ncontent-length: 0\r\n\r\nHTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n',
        ),
        raw('HTTP/1.1 204 No Content\r\ncontent-length: 00\r\n\r\n'),
      ),
    },
    steps: ['/1', '/2', '/3', '/4', '/5', '/6', '/7'].map(path => ({ send: get(path) })),
  },
  {
    name: 'an upgrade that no one asked for',
    covers: '101 of the upstream',
    upstreams: {
      app: raw('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    },
    steps: [
      { send: get('/'), patience: 400 },
      { send: get('/'), patience: 400 },
    ],
  },
  {
    name: 'blanks in answers',
    covers: 'blanks about values, an empty one, no reason phrase',
    upstreams: {
      app: sequence(
        raw('HTTP/1.1 200\r\nx-blank: \t a b \t\r\nx-empty:\r\ncontent-length: 2\r\n\r\nok'),
        raw('HTTP/1.1 200 OK\r\nX-Upper: Kept\r\ncontent-length:2\r\n\r\nok'),
      ),
    },
    steps: [{ send: get('/1') }, { send: get('/2') }],
  },
  {
    name: 'odd answers',
    covers: 'control characters, no colon, blank before the colon, odd versions and codes, bad framing; some are taken',
    upstreams: {
      app: (request, socket, index) => {
        const answers: Record<string, string> = {
          '/nul': 'HTTP/1.1 200 OK\r\nx-a: a\0b\r\ncontent-length: 2\r\n\r\nok',
          '/colon': 'HTTP/1.1 200 OK\r\nno colon\r\ncontent-length: 2\r\n\r\nok',
          '/blank': 'HTTP/1.1 200 OK\r\nx-a : b\r\ncontent-length: 2\r\n\r\nok',
          '/version': 'HTTP/1.2 200 OK\r\ncontent-length: 2\r\n\r\nok',
          '/two': 'HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\nok',
          '/code': 'HTTP/1.1 099 Low\r\ncontent-length: 2\r\n\r\nok',
          '/lower': 'http/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
          '/short': 'HTTP/1 200 OK\r\ncontent-length: 2\r\n\r\nok',
          '/blanks': 'HTTP/1.1  200 OK\r\ncontent-length: 2\r\n\r\nok',
          '/tab': 'HTTP/1.1\t200 OK\r\ncontent-length: 2\r\n\r\nok',
          '/digits': 'HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\nok',
          '/letters': 'HTTP/1.1 20x OK\r\ncontent-length: 2\r\n\r\nok',
          '/kept': 'HTTP/1.2 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok',
          '/empty': 'HTTP/1.1 200 OK\r\n: empty\r\ncontent-length: 2\r\n\r\nok',
          '/cr': 'HTTP/1.1 200 OK\r\nx-a: b\u007fc\r\ncontent-length: 2\r\n\r\nok',
          '/gzip': 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok',
          '/both': 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
          '/length': 'HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\nok',
          '/204': 'HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok',
          '/high': 'HTTP/1.1 999 Highest\r\ncontent-length: 2\r\n\r\nok',
        }
        raw(answers[request.head[0]!.split(' ')[1]!]!)(request, socket, index)
      },
    },
    steps:
      'nul colon blank version two code gzip both length 204 high lower short blanks tab digits letters kept empty cr'
        .split(' ')
        .map(what => ({ send: get(`/${what}`), patience: 400 })),
  },
  {
    name: 'a status code of four digits',
    covers: 'refused here',
    upstreams: { app: raw('HTTP/1.1 2000 High\r\ncontent-length: 2\r\n\r\nok') },
    steps: [{ send: get('/') }],
    differs: {
      why: 'no client can read it: a status code has three digits',
      envoy: ['2000 via_upstream'],
      hopscope: ['502 upstream_reset_before_response_started{protocol_error}'],
    },
  },
  {
    name: 'bad chunks of an answer',
    covers: 'cut off after what was good; chunks of one read are one piece',
    upstreams: {
      app: sequence(
        raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n'),
        (_request, socket) => {
          socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n')
          setTimeout(() => socket.write('zz\r\n'), 40)
        },
      ),
    },
    steps: [{ send: get('/1') }, { send: get('/2') }],
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
    upstreams: { app: hang },
    steps: [
      { send: get('/'), on: 'a', answers: 0 },
      { until: 'cluster.app.upstream_rq_active: 1' },
      { settled: 'stats' },
      { send: '', on: 'a', answers: 0, after: 'close' },
    ],
    logLines: 1,
  },
  {
    name: 'client half-closes before the answer',
    covers: 'closed without an answer, downstream_rq_rx_reset',
    upstreams: { app: hang },
    steps: [
      { send: get('/'), on: 'a', answers: 0 },
      { until: 'cluster.app.upstream_rq_active: 1' },
      { settled: 'stats' },
      { send: '', on: 'a', after: 'half-close' },
    ],
    logLines: 1,
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
