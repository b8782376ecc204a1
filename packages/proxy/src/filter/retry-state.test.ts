import type { RetryPolicy } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import type { ActiveCluster } from '../cluster/active-cluster.ts'
import { createCircuitBreaker } from '../cluster/circuit-breaker.ts'
import { createClusterStats } from '../cluster/cluster-stats.ts'
import type { Host } from '../cluster/host.ts'
import { RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import { Runtime } from '../runtime.ts'
import { Stats } from '../stats/stats.ts'
import type { ResetReason } from '../upstream/reset-reason.ts'
import { RetryState } from './retry-state.ts'

const policyOf = (retryOn: string, numRetries = 1, fields: Partial<RetryPolicy> = {}): RetryPolicy => ({
  retryOn: retryOn.split(','),
  numRetries,
  perTryTimeout: 0,
  baseInterval: 25,
  maxInterval: 250,
  retriableStatusCodes: [],
  perTryIdleTimeout: 0,
  retriableHeaders: [],
  retriableRequestHeaders: [],
  avoidPreviousHosts: false,
  omitCanaryHosts: false,
  omitHosts: [],
  hostSelectionRetryMaxAttempts: 1,
  ...fields,
})

/** 1000 s after the epoch. */
const clock = { now: () => 0, epochMicros: () => 1_000_000_000 }

interface Options {
  headers?: string[]
  random?: () => number
  maxRetries?: number
  runtime?: Record<string, number>
}

function create(
  policy: RetryPolicy | undefined,
  { headers = [], random = () => 0, maxRetries = 3, runtime }: Options = {},
) {
  const stats = new Stats()
  const limits = new Runtime([{ name: 'static', kind: 'static', values: new Map(Object.entries(runtime ?? {})) }])
  const thresholds = { maxConnections: 1, maxPendingRequests: 1, maxRequests: 1, maxRetries, trackRemaining: false }
  const breaker = createCircuitBreaker({ name: 'a', observabilityName: 'a' }, 'default', thresholds, stats, limits)
  // The two things that a retry state needs of a cluster.
  const cluster = { stats: createClusterStats(stats, 'a'), breakers: { default: breaker } } as unknown as ActiveCluster
  const request = new RequestHeaders(headers)
  const state = RetryState.create(policy, request, cluster, 'default', { runtime: limits, random, clock })
  const count = (name: string) => stats.counters.get(`cluster.a.${name}`)?.value
  return { state, request, breaker, count, cluster, limits }
}

const RESETS: ResetReason[] = [
  'connection termination',
  'remote connection failure',
  'local connection failure',
  'connection timeout',
  'protocol error',
  'overflow',
]
const CONNECT: ResetReason[] = ['remote connection failure', 'local connection failure', 'connection timeout']

test.each<[on: string, statuses: number[], resets: ResetReason[], perTryTimeout: boolean]>([
  ['5xx', [500, 501, 502, 503, 504, 505, 599], RESETS.filter(reason => reason !== 'overflow'), true],
  ['gateway-error', [502, 503, 504], RESETS.filter(reason => reason !== 'overflow'), true],
  ['reset', [], RESETS.filter(reason => reason !== 'overflow'), true],
  ['connect-failure', [], CONNECT, false],
  ['retriable-4xx', [409], [], false],
  ['retriable-status-codes', [418, 503], [], false],
  ['connect-failure,retriable-4xx', [409], CONNECT, false],
])('%s is for these outcomes, and no others', (on, statuses, resets, perTryTimeout) => {
  const policy = policyOf(on, 1, { retriableStatusCodes: [418, 503] })
  const candidates = [200, 302, 404, 409, 418, 429, 499, 500, 501, 502, 503, 504, 505, 599, 600]
  const retries = (outcome: (state: RetryState) => { retry: boolean }) => outcome(create(policy).state!).retry
  expect(candidates.filter(status => retries(state => state.onStatus(status)))).toEqual(statuses)
  expect(RESETS.filter(reason => retries(state => state.onReset(reason)))).toEqual(resets)
  expect(retries(state => state.onPerTryTimeout())).toBe(perTryTimeout)
})

test('no policy and no header, or only tokens that say nothing: no retries', () => {
  expect(create(undefined).state).toBeUndefined()
  expect(create(policyOf('nonsense')).state).toBeUndefined()
  expect(create(undefined, { headers: ['x-envoy-max-retries', '3'] }).state).toBeUndefined()
})

test('headers add to the policy, and are taken out whether or not they say something', () => {
  const headers = [
    'x-envoy-retry-on', 'retriable-4xx, nonsense',
    'x-envoy-retriable-status-codes', '418, 419',
    'x-envoy-max-retries', '2',
    'x-envoy-retry-grpc-on', 'cancelled',
    'x-envoy-retriable-header-names', 'x',
    'other', '1',
  ] // biome-ignore format: pairs
  const { state, request } = create(policyOf('retriable-status-codes', 1), { headers })
  expect([...request]).toEqual([['other', '1']])
  expect([409, 419, 418].map(status => state!.onStatus(status).retry)).toEqual([true, true, false])
})

test.each([
  ['1', 1],
  ['0', 0],
  ['5', 5],
  ['x', 3],
  ['-1', 3],
])('x-envoy-max-retries: %s beats the policy, where it is a number', (value, expected) => {
  const { state } = create(policyOf('5xx', 3), { headers: ['x-envoy-max-retries', value] })
  let made = 0
  while (state!.onStatus(500).retry) made++
  expect(made).toBe(expected)
})

test('the header alone: one retry', () => {
  const { state } = create(undefined, { headers: ['x-envoy-retry-on', '5xx'] })
  expect(state!.onStatus(500)).toEqual({ retry: true, after: 0 })
  expect(state!.onStatus(500)).toEqual({ retry: false, limit: 'attempts' })
})

test('back-off: anywhere in [0, interval), which doubles up to the maximum (Envoy 1.40: 24, 49, 99, 199, 249, 249 ms)', () => {
  const delays = (random: number, fields: Partial<RetryPolicy> = {}) => {
    // The first draw of each retry is for the runtime's share.
    const { state } = create(policyOf('5xx', 6, fields), { random: () => random })
    return Array.from({ length: 6 }, () => {
      const decision = state!.onStatus(503)
      return decision.retry ? decision.after : Number.NaN
    })
  }
  expect(delays(0)).toEqual([0, 0, 0, 0, 0, 0])
  expect(delays(0.5)).toEqual([12, 25, 50, 100, 125, 125])
  expect(delays(0.999999)).toEqual([24, 49, 99, 199, 249, 249])
  expect(delays(0.999999, { baseInterval: 10, maxInterval: 15 })).toEqual([9, 14, 14, 14, 14, 14])
})

test('numbers of a retry that helped, and of one that did not', () => {
  const helped = create(policyOf('5xx', 2))
  helped.state!.onStatus(503)
  helped.state!.onStatus(200)
  expect(['upstream_rq_retry', 'upstream_rq_retry_success', 'upstream_rq_retry_limit_exceeded'].map(helped.count)).toEqual([1, 1, 0]) // biome-ignore format: one line
  const failed = create(policyOf('5xx', 1))
  failed.state!.onStatus(503)
  failed.state!.onStatus(503)
  expect(['upstream_rq_retry', 'upstream_rq_retry_success', 'upstream_rq_retry_limit_exceeded'].map(failed.count)).toEqual([1, 0, 1]) // biome-ignore format: one line
})

test('the breaker of retries: a place is held from the decision to the next outcome or the end', () => {
  const { state, breaker, count, cluster, limits } = create(policyOf('5xx', 5), { maxRetries: 1 })
  const second = RetryState.create(policyOf('5xx', 5), new RequestHeaders(), cluster, 'default', {
    runtime: limits,
    clock,
    random: () => 0,
  })!
  expect(state!.onStatus(503).retry).toBe(true)
  expect(second.onStatus(503)).toEqual({ retry: false, limit: 'breaker' })
  expect(count('upstream_rq_retry_overflow')).toBe(1)
  // Its own place is free for its own next retry.
  expect(state!.onStatus(503).retry).toBe(true)
  state!.onStatus(200)
  expect([breaker.retries.current, second.onStatus(503).retry]).toEqual([0, true])
  second.close()
  second.close()
  expect(breaker.retries.current).toBe(0)
})

test('upstream.use_retry in the runtime turns retries off', () => {
  const { state, breaker, count } = create(policyOf('5xx', 1), { runtime: { 'upstream.use_retry': 0 } })
  expect(state!.onStatus(503)).toEqual({ retry: false })
  expect([breaker.retries.current, count('upstream_rq_retry')]).toEqual([0, 0])
})

const answer = (fields: string[]) => new ResponseHeaders(fields)

test.each<[retryOn: string, headers: string[], retried: boolean]>([
  ['5xx', ['x-envoy-ratelimited', 'true'], false],
  ['5xx,envoy-ratelimited', ['x-envoy-ratelimited', 'true'], true],
  ['unavailable', ['grpc-status', '14'], true],
  ['unavailable', ['grpc-status', '13'], false],
  ['cancelled,deadline-exceeded,resource-exhausted,internal', ['grpc-status', '8'], true],
  ['retriable-headers', ['x-again', 'yes'], true],
  ['retriable-headers', ['x-again', 'no'], false],
  ['5xx', [], true],
])('%s and a response 503 with %j: %s', (retryOn, fields, retried) => {
  const again = { name: 'x-again', match: { type: 'string', matcher: { type: 'exact', value: 'yes', ignoreCase: false } }, invertMatch: false, treatMissingHeaderAsEmpty: false } as const // biome-ignore format: one line
  const { state } = create(policyOf(retryOn, 1, { retriableHeaders: [again] }))
  expect(state!.onStatus(503, answer(fields)).retry).toBe(retried)
})

test('a response says how long to wait, within what is allowed', () => {
  const rateLimitedBackOff = {
    resetHeaders: [
      { name: 'retry-after', format: 'SECONDS' },
      { name: 'x-reset', format: 'UNIX_TIMESTAMP' },
    ],
    maxInterval: 10_000,
  } as const
  const after = (fields: string[], random: number) => {
    const { state, count } = create(policyOf('5xx', 1, { rateLimitedBackOff }), { random: () => random })
    const decision = state!.onStatus(503, answer(fields))
    return [decision.retry ? decision.after : undefined, count('upstream_rq_retry_backoff_ratelimited')]
  }
  expect(after(['retry-after', '4'], 0)).toEqual([4000, 1])
  expect(after(['retry-after', '4'], 0.999)).toEqual([5998, 1])
  expect(after(['x-reset', '1003'], 0)).toEqual([3000, 1])
  // Too long, no number, in the past: as without.
  expect(after(['retry-after', '11', 'x-reset', '1002'], 0)).toEqual([2000, 1])
  expect(after(['retry-after', 'soon'], 0)).toEqual([0, 0])
  expect(after(['x-reset', '999'], 0)).toEqual([0, 0])
})

test('reset-before-request fires only before the request was sent', () => {
  expect(create(policyOf('reset-before-request')).state!.onReset('connection termination', true).retry).toBe(false)
  expect(create(policyOf('reset-before-request')).state!.onReset('remote connection failure', false).retry).toBe(true)
})

test('hosts that were tried are avoided, as often as is allowed', () => {
  const { state } = create(policyOf('5xx', 2, { avoidPreviousHosts: true, hostSelectionRetryMaxAttempts: 3 }))
  const [a, b] = [{}, {}] as Host[]
  state!.onHost(a!)
  const { avoid, attempts } = state!.pickContext
  expect([avoid!(a!), avoid!(b!), attempts]).toEqual([true, false, 4])
  expect(create(policyOf('5xx')).state!.pickContext).toEqual({})
})
