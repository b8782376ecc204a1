import { type DependencyLink, type Span, traceFromText } from '@hopscope/model'
import { expect, test } from 'vitest'
import type { Answer } from './call.ts'
import { checkExpectations, type StepEvidence } from './check-expectations.ts'
import type { Expectations } from './scenario.ts'

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
    earlierP99: new Map([['before', 10]]),
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
  ['headers, present and absent', { headers: { server: 'envoy', 'x-b3-traceid': '/^[a-f]+$/', via: null } }],
  ['a part of the body, with the id of the answer', { body: { saw: { id: '$traceId' } } }],
  ['what counters grew by', { stats: { edge: { rq: 2 } } }],
  ['a bound of a counter', { stats: { edge: { rq: '>= 1' } } }],
  ['the trace of the call', { trace: 'edge  *  ..  server  error=*\n  shop  *  ..  client\n' }],
  ['all traces', { traces: ['edge  *  ..  server\n  …\n'] }],
  ['no trace', { traces: [] }, { traces: [] }],
  ['a part of a span', { spans: [{ kind: 'CLIENT', localEndpoint: { serviceName: 'shop' } }] }],
  ['links', { links: { 'a -> b': 2 } }, { links: [{ parent: 'a', child: 'b', callCount: 2 }] }],
  ['a latency', { p99: { of: 'before', factor: 2, plusMs: 20 } }],
  ['a line of output', { output: { edge: ['another', '/^one/'] } }],
]

test.each(holds)('%s', async (_name, expectations, overrides) => {
  expect(await checkExpectations(expectations, evidence(overrides))).toBeUndefined()
})

const fails: [string, Expectations, RegExp, Parameters<typeof evidence>[0]?][] = [
  ['status counts', { status: { 200: 2 } }, /^status: expected 2 × 200, got 1 × 200$/],
  ['no answer', { status: { 200: 1 } }, /got 1 × 0 \(no answer: refused\)/, { answers: [answer(0, 1, 'refused')] }],
  ['a header', { headers: { server: 'nginx' } }, /^header server: expected nginx, got envoy$/],
  ['a header too many', { headers: { server: null } }, /^header server: expected none, got envoy$/],
  ['the body', { body: { saw: { id: 'other' } } }, /^body: saw\.id: expected other, got "abc"$/],
  [
    'a body that is no JSON',
    { body: { saw: 1 } },
    /^body: expected JSON, got "oops"$/,
    { answers: [answer(200, 1, 'oops')] },
  ],
  [
    'a latency',
    { p99: { of: 'before', factor: 1, plusMs: 1 } },
    /^p99: expected at most 11\.0 ms .*, got 50\.0 ms$/,
    { answers: [answer(200, 50)] },
  ],
]

test.each(fails)('fails on %s', async (_name, expectations, message, overrides) => {
  expect((await checkExpectations(expectations, evidence(overrides)))?.message).toMatch(message)
})

test('a trace that is not as expected is shown as text, with its id, after five seconds of patience', async () => {
  const failure = await checkExpectations({ trace: 'edge  *  ..  client\n' }, evidence())
  expect(failure?.message).toContain('kind is server')
  expect(failure?.message).toContain('edge  get /  0..10  server  error=x')
  expect(failure?.traceId).toBe('abc')
})
