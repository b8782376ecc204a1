import { expect, test } from 'vitest'
import { KIND_NAMES } from './kinds.ts'
import { runSoak } from './run-soak.ts'

/**
 * A real sidecar with everything turned on, among clients and upstreams that do what they may: no exchange gets what belongs to another.
 * Longer, and with the processor taken away: HOPSCOPE_FUZZ_CASES=200000 HOPSCOPE_FUZZ_SEED=7 HOPSCOPE_SOAK_BUSY=4 npm test -- process soak
 */
const REQUESTS = Number(process.env.HOPSCOPE_FUZZ_CASES ?? 3_000)
const SEED = Number(process.env.HOPSCOPE_FUZZ_SEED ?? 1)
const BUSY = Number(process.env.HOPSCOPE_SOAK_BUSY ?? 0)
const TRANSPORTS = (process.env.HOPSCOPE_TRANSPORTS ?? 'handle,socket').split(',') as ('handle' | 'socket')[]

test.each(TRANSPORTS)('no two exchanges are mixed up (%s)', { timeout: 180_000 + REQUESTS * 100 }, async transport => {
  const { problems, statuses, stats } = await runSoak({
    transport,
    seed: SEED,
    requests: REQUESTS,
    busy: BUSY,
  })
  expect(problems).toEqual([])
  // What it claims to try it has tried.
  const answered = new Set([...statuses.keys()].filter(key => !key.endsWith(' 0')).map(key => key.split(' ')[0]))
  expect([...answered].sort()).toEqual([...KIND_NAMES].sort())
  const happened = (pattern: RegExp) => [...stats].some(([name, value]) => pattern.test(name) && value > 0)
  for (const what of [
    /^cluster\.flaky\.upstream_rq_retry_success$/,
    /^cluster\.rude\.upstream_cx_protocol_error$/,
    /^cluster\.copy\.upstream_rq_200$/,
    /^cluster\.moved\.upstream_internal_redirect_succeeded_total$/,
    /\.gzip\.compressed$/,
    /\.fault\.delays_injected$/,
    /\.downstream_rq_rx_reset$/,
    /^tracing\.zipkin\.spans_sent$/,
    /^tracing\.opentelemetry\.spans_sent$/,
  ]) {
    expect(happened(what), `${what}`).toBe(true)
  }
})
