import { setTimeout as sleep } from 'node:timers/promises'
import type { Milliseconds } from './histogram.ts'
import type { SteadyOptions } from './options.ts'
import type { Sender } from './send.ts'
import { createTally, formatSummary, type Summary } from './summary.ts'

/** Every so often a run without end says how it goes. */
const REPORT_EVERY: Milliseconds = 10_000
/** More unanswered requests than this are a server that is gone: sending more would only fill this process' memory. */
const MAX_IN_FLIGHT = 10_000

/**
 * Requests at their own times, `rate` a second, until the duration is over or a signal comes. A late start counts into the
 * latency (it is measured from when the request was due), so a stalled server cannot hide its stall by stalling us too.
 */
export async function runSteady(
  { rate, duration }: SteadyOptions,
  send: Sender,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Summary> {
  const whole = createTally()
  let recent = createTally()
  const report = setInterval(() => {
    say(formatSummary(recent.summary()))
    recent = createTally()
  }, REPORT_EVERY)

  const inFlight = new Set<Promise<void>>()
  const started = performance.now()
  for (let number = 0; !signal.aborted; number++) {
    const due = (number * 1000) / rate
    if (due >= duration) break
    const early = started + due - performance.now()
    if (early > 0) await sleep(early, undefined, { signal }).catch(() => {})
    if (signal.aborted || inFlight.size >= MAX_IN_FLIGHT) continue

    const late = Math.max(0, performance.now() - started - due)
    const request = send().then(outcome => {
      inFlight.delete(request)
      const counted = { ...outcome, latency: outcome.latency + late }
      whole.add(counted)
      recent.add(counted)
    })
    inFlight.add(request)
  }
  await Promise.all(inFlight)
  clearInterval(report)
  return whole.summary()
}
