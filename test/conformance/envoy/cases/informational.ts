import { type Case, get } from '../harness/case.ts'
import { early, echo, ok, raw, sequence, status } from '../harness/upstream.ts'

const expecting = 'POST / HTTP/1.1\r\nhost: example.test\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n'
const proxied = { hcm: { proxy_100_continue: true } }

export const informationalCases: Case[] = [
  {
    name: 'an upstream that is asked whether to continue',
    covers: 'proxy_100_continue: Expect goes on, and the upstream’s 100 comes back, counted',
    upstreams: { app: early('HTTP/1.1 100 Continue\r\nx-a: 1\r\n\r\n', ok('done')) },
    config: proxied,
    steps: [{ send: expecting, on: 'a', answers: 0 }, { settled: 'stats' }, { send: 'hello', on: 'a' }],
    logLines: 1,
  },
  {
    name: 'an upstream that does not want it',
    covers: 'proxy_100_continue: a final answer in place of the 100',
    upstreams: { app: early('HTTP/1.1 417 No\r\ncontent-length: 0\r\n\r\n') },
    config: proxied,
    steps: [{ send: expecting }],
  },
  {
    name: 'an upstream that says nothing of it',
    covers: 'proxy_100_continue: no 100 of the proxy; other expectations too',
    upstreams: { app: echo },
    config: proxied,
    steps: [{ send: [expecting, 'hello'] }, { send: get('/', { expect: 'something' }) }],
  },
  {
    name: 'interim answers passed on',
    covers:
      'proxy_100_continue: the first of several, with its headers but those of the connection, also when nobody asked',
    upstreams: {
      app: sequence(
        raw(
          'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nkeep-alive: 1\r\nconnection: x\r\nproxy-connection: y\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
        ),
        raw('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'),
      ),
    },
    config: proxied,
    steps: [{ send: get('/1') }, { send: get('/2') }],
  },
  {
    name: 'an interim answer, and then a failure',
    covers: 'proxy_100_continue: the answer has begun for a retry',
    upstreams: {
      app: sequence(raw('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n'), status(200)),
    },
    config: {
      ...proxied,
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', retry_policy: { retry_on: '5xx' } } }],
    },
    steps: [{ send: get('/') }],
  },
]
