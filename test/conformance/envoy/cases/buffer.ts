import { type Case, get, request } from '../harness/case.ts'
import { echo } from '../harness/upstream.ts'
import { config, filter, perFilter, routes, wrapped } from './filter-configs.ts'

const buffer = (max: number) => [filter('buffer', 'buffer.v3.Buffer', { max_request_bytes: max })]
const perRoute = (fields: Record<string, unknown>) => perFilter('buffer', config('buffer.v3.BufferPerRoute', fields))
const chunked = (...chunks: string[]) => [
  'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n',
  ...chunks.map(chunk => `${chunk.length.toString(16)}\r\n${chunk}\r\n`),
  '0\r\n\r\n',
]

export const bufferCases: Case[] = [
  {
    name: 'buffer: a body that fits',
    covers: 'goes on whole; a chunked one has its length then; none is no matter',
    upstreams: { app: echo },
    config: { filters: buffer(100) },
    steps: [
      { send: request('POST', '/', {}, 'x'.repeat(100)) },
      { send: chunked('abc', 'de'), pause: 30 },
      { send: chunked(), pause: 30 },
      { send: get('/') },
    ],
  },
  {
    name: 'buffer: a body that is too large',
    covers: '413 request_payload_too_large, downstream_rq_too_large, the connection closes, nothing upstream',
    config: { filters: buffer(10), tracing: {} },
    steps: [
      { send: request('POST', '/', {}, 'x'.repeat(11)) },
      { send: chunked('abcdef', 'ghijkl').slice(0, -1), pause: 30 },
    ],
    spans: 2,
  },
  {
    name: 'buffer: a body that waited for another filter',
    covers: 'it is here already, and passes however large it is',
    except: {
      why: 'whether a body that is here already has to wait; docs/differences.md',
      drop({ stats }) {
        for (const name of Object.keys(stats)) if (name.includes('flow_control')) delete stats[name]
      },
    },
    upstreams: { app: echo },
    config: {
      filters: [
        filter('fault', 'fault.v3.HTTPFault', { delay: { fixed_delay: '0.1s', percentage: { numerator: 100 } } }),
        ...buffer(10),
      ],
    },
    steps: [{ send: request('POST', '/', {}, 'x'.repeat(11)) }, { send: chunked('abcdef', 'ghijkl').join('') }],
  },
  {
    name: 'buffer: the client leaves before its body is whole',
    covers: 'nothing upstream',
    config: { filters: buffer(100) },
    steps: [
      { send: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc', on: 'a', answers: 0 },
      { until: 'http.in.downstream_rq_active: 1' },
      { send: '', on: 'a', answers: 0, after: 'close' },
      { until: 'http.in.downstream_rq_active: 0' },
    ],
    logLines: 1,
  },
  {
    name: 'buffer: of routes',
    covers: 'BufferPerRoute: disabled, another limit; FilterConfig: disabled',
    upstreams: { app: echo },
    config: {
      filters: buffer(10),
      routes: routes({
        '/off': perRoute({ disabled: true }),
        '/more': perRoute({ buffer: { max_request_bytes: 20 } }),
        '/wrapped': perFilter('buffer', wrapped({ disabled: true })),
      }),
    },
    steps: ['/off', '/more', '/wrapped', '/'].map(path => ({ send: request('POST', path, {}, 'x'.repeat(15)) })),
  },
]
