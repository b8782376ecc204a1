import { type DependencyLink, type Span, traceFromText } from '@hopscope/model'
import { expect, test } from 'vitest'
import type { Answer } from './call.ts'
import { checkExpectations } from './check-expectations.ts'
import type { Expectations } from './scenario.ts'
import type { StepEvidence } from './step-evidence.ts'

const TRACE = 'edge  get /  0..10  server  error=x\n  shop  get /  1..9  client\n'

function evidence(
  overrides: { answers?: Answer[]; traces?: Span[][]; links?: DependencyLink[]; stats?: number } = {},
): StepEvidence {
  const traces = overrides.traces ?? [traceFromText(TRACE)]
  return {
    answers: overrides.answers ?? [answer(200, 5)],
    since: 0,
    statsBefore: new Map([['edge', new Map([['rq', 10]])]]),
    outputBefore: new Map(),
    earlier: new Map([['before', [answer(200, 10)]]]),
    mesh: { output: async () => 'one line\nanother' } as unknown as StepEvidence['mesh'],
    collector: {
      trace: async () => traces[0] ?? [],
      tracesSince: async () => traces,
      linksSince: async () => overrides.links ?? [],
    } as unknown as StepEvidence['collector'],
    admins: new Map([
      ['edge', { stats: async () => new Map([['rq', overrides.stats ?? 12]]) }],
    ]) as unknown as StepEvidence['admins'],
  }
}

function answer(status: number, duration: number, body = '{"saw":{"id":"abc"}}'): Answer {
  return { status, headers: { 'x-b3-traceid': 'abc', 'x-request-id': 'r1', server: 'envoy' }, body, duration }
}

const holds: [string, Expectations, Parameters<typeof evidence>[0]?][] = [
  ['status counts', { status: { 200: 1 } }],
  ['statuses in order', { statuses: [200, 503] }, { answers: [answer(200, 1), answer(503, 1)] }],
  ['how long a call took', { took: { minMs: 5, maxMs: 5 } }],
  [
    'how many answers said what',
    { counts: { 'body.name': { a: 2, b: '>= 1' }, 'header.server': { envoy: 3 }, 'body.other': { '(none)': 3 } } },
    { answers: ['a', 'b', 'a'].map(name => answer(200, 1, JSON.stringify({ name }))) },
  ],
  [
    'how many answers came from each, whoever it was',
    { spread: { 'body.name': [2, 1] } },
    { answers: ['a', 'b', 'a'].map(name => answer(200, 1, JSON.stringify({ name }))) },
  ],
  ['headers, present and absent', { headers: { server: 'envoy', 'x-b3-traceid': '/^[a-f]+$/', via: null } }],
  ['a part of the body, with the id of the answer', { body: { saw: { id: '$traceId' } } }],
  ['what counters grew by', { stats: { edge: { rq: 2 } } }],
  ['a bound of a counter', { stats: { edge: { rq: '>= 1' } } }],
  ['the trace of the call', { trace: 'edge  *  ..  server  error=*\n  shop  *  ..  client\n' }],
  ['spans within their parents', { nested: true }],
  [
    'how many spans were open at once',
    { overlap: [{ spans: { localEndpoint: { serviceName: 'b' } }, most: 2 }] },
    {
      traces: [
        traceFromText('a  x  0..30  server\n  b  x  0..9  client\n  b  x  3..16  client\n  b  x  15..29  client\n'),
      ],
    },
  ],
  [
    'gaps between spans, in the order in which they began',
    { gaps: [{ spans: { kind: 'CLIENT' }, ms: ['0..1', 20] }] },
    {
      traces: [
        traceFromText('a  x  0..50  server\n  b  x  40..50  client\n  b  x  0..9  client\n  b  x  9..20  client\n'),
      ],
    },
  ],
  [
    'the critical path, each span once, and only those that were waited for',
    {
      criticalPath: [
        { spans: { localEndpoint: { serviceName: 'b' } }, count: 2, ms: 45 },
        { spans: { localEndpoint: { serviceName: 'a' } }, ms: '5..5' },
      ],
    },
    {
      traces: [
        traceFromText('a  x  0..50  server\n  b  x  1..20  client\n  b  x  3..15  client\n  b  x  22..48  client\n'),
      ],
    },
  ],
  ['a latency of half', { p50: { of: 'before', factor: 1, plusMs: 0 } }],
  ['all traces', { traces: ['edge  *  ..  server\n  …\n'] }],
  ['no trace', { traces: [] }, { traces: [] }],
  ['a part of a span', { spans: [{ kind: 'CLIENT', localEndpoint: { serviceName: 'shop' } }] }],
  ['links', { links: { 'a -> b': 2 } }, { links: [{ parent: 'a', child: 'b', callCount: 2 }] }],
  ['a latency', { p99: { of: 'before', factor: 2, plusMs: 20 } }],
  ['a latency of most', { p95: { of: 'before', factor: 0.5, plusMs: 0 } }],
  ['lines of output', { output: { edge: { another: 1, '/^one/': '>= 1', '/n/': 2, two: 0 } } }],
]

/** How long what is missing is waited for here, ms. */
const SHORT = 50

test.each(holds)('%s', async (_name, expectations, overrides) => {
  expect(await checkExpectations(expectations, evidence(overrides))).toBeUndefined()
})

const fails: [string, Expectations, RegExp, Parameters<typeof evidence>[0]?][] = [
  ['status counts', { status: { 200: 2 } }, /^status: expected 2 × 200, got 1 × 200$/m],
  ['no answer', { status: { 200: 1 } }, /got 1 × 0 \(no answer: refused\)/, { answers: [answer(0, 1, 'refused')] }],
  [
    'statuses in another order',
    { statuses: [503, 200] },
    /^statuses: expected 503, 200, got 200, 503$/m,
    { answers: [answer(200, 1), answer(503, 1)] },
  ],
  ['a call too quick', { took: { minMs: 6, maxMs: 9 } }, /^took: expected 6 to 9 ms, call 1 took 5\.0 ms$/m],
  ['a call too slow', { took: { minMs: 0, maxMs: 4 } }, /^took: expected 0 to 4 ms, call 1 took 5\.0 ms$/m],
  [
    'an answer from elsewhere',
    { counts: { 'body.name': { a: 1 } } },
    /^counts of body\.name: expected 1 × a, got 1 × a, 1 × c$/m,
    { answers: ['a', 'c'].map(name => answer(200, 1, JSON.stringify({ name }))) },
  ],
  [
    'nobody where somebody must be',
    { counts: { 'header.server': { nginx: '>= 1' } } },
    /^counts of header\.server: expected >= 1 × nginx, got 0 × nginx, 1 × envoy$/m,
  ],
  ['a header', { headers: { server: 'nginx' } }, /^header server: expected nginx, got envoy$/m],
  ['a header too many', { headers: { server: null } }, /^header server: expected none, got envoy$/m],
  ['the body', { body: { saw: { id: 'other' } } }, /^body: saw\.id: expected other, got "abc"$/m],
  [
    'a body that is no JSON',
    { body: { saw: 1 } },
    /^body: expected JSON, got "oops"$/m,
    { answers: [answer(200, 1, 'oops')] },
  ],
  [
    'too many at once',
    { overlap: [{ spans: { kind: 'CLIENT' }, most: 2 }] },
    /^overlap: expected 2 spans like \{"kind":"CLIENT"\} to be open at once at most, there were 1 in$/m,
  ],
  [
    'a gap too long, and one that is not there',
    { gaps: [{ spans: { kind: 'CLIENT' }, ms: ['0..5'] }] },
    /^gaps: expected 0\.\.5 ms between spans like \{"kind":"CLIENT"\}, there were .* in$/m,
  ],
  [
    'a critical path elsewhere',
    { criticalPath: [{ spans: { kind: 'PRODUCER' }, count: 1 }] },
    /^critical_path: expected 1 spans like \{"kind":"PRODUCER"\} on it, there were 0 in$/m,
  ],
  [
    'a critical path that stays too short a while',
    { criticalPath: [{ spans: { kind: 'CLIENT' }, ms: '>= 100' }] },
    /^critical_path: expected >= 100 ms of it in spans like \{"kind":"CLIENT"\}, there were [\d.]+ in$/m,
  ],
  [
    'answers from too few',
    { spread: { 'body.name': [1, 1, 1] } },
    /^spread of body\.name: expected 1, 1, 1, got 2 × b, 1 × a$/m,
    { answers: ['a', 'b', 'b'].map(name => answer(200, 1, JSON.stringify({ name }))) },
  ],
  [
    'a line too many',
    { output: { edge: { '/n/': 1 } } },
    /^output of edge: expected 1 lines like \/n\/, there are 2 in$/m,
  ],
  [
    'a latency',
    { p99: { of: 'before', factor: 1, plusMs: 1 } },
    /^p99: expected at most 11\.0 ms .*, got 50\.0 ms$/m,
    { answers: [answer(200, 50)] },
  ],
]

test.each(fails)('fails on %s', async (_name, expectations, message, overrides) => {
  expect((await checkExpectations(expectations, evidence(overrides), SHORT))?.message).toMatch(message)
})

test('a trace that is not as expected is shown as text, with its id, after five seconds of patience', async () => {
  const failure = await checkExpectations({ trace: 'edge  *  ..  client\n' }, evidence(), SHORT)
  expect(failure?.message).toContain('kind is server')
  expect(failure?.message).toContain('edge  get /  0..10  server  error=x')
  expect(failure?.traceId).toBe('abc')
})

test('whatever fails, the trace of the last call is shown, with its id', async () => {
  const failure = await checkExpectations({ status: { 200: 2 } }, evidence())
  expect(failure?.message).toContain('the trace of the last call:\nedge  get /  0..10  server  error=x\n  shop  get /')
  expect(failure?.traceId).toBe('abc')
})

test('without a collector the failure itself is still told', async () => {
  const stopped = evidence()
  stopped.collector.trace = () => Promise.reject(new Error('refused'))
  expect(await checkExpectations({ status: { 200: 2 } }, stopped)).toEqual({
    message: 'status: expected 2 × 200, got 1 × 200',
  })
})

test.concurrent.each([
  [
    'begins before its parent',
    'a  x  6..10  client\n  b  x  0..9  server\n',
    'b x begins more than 5 ms before its parent',
  ],
  ['begins after its parent', 'a  x  0..10  client\n  b  x  11..12  server\n', "b x begins after its parent's end"],
  [
    'ends long after it',
    'a  x  0..10  client\n  b  x  1..2011  server\n',
    'b x ends more than 2000 ms after its parent',
  ],
  ['has no duration', 'a  x  0..10  client\n  b  x  1..-  server\n', 'b x ends more than 2000 ms after its parent'],
  ['is alone', 'a  x  0..10  client\n', 'no span has a parent'],
])('nested: a span that %s', async (_what, text, message) => {
  const failure = await checkExpectations({ nested: true }, evidence({ traces: [traceFromText(text)] }), SHORT)
  expect(failure?.message).toContain(`nested: ${message} in\n`)
})
