import { setTimeout as sleep } from 'node:timers/promises'
import type { ThreadsOptions } from './options.ts'
import type { Sender } from './send.ts'
import { createTally, type Summary } from './summary.ts'

/** What one thread did, in the words of Posta's client. */
export interface ThreadResult {
  name: string
  successes: number
  failures: number
  duration: number
}

/** All threads start at once; each says its line when it is done. */
export async function runThreads(
  options: ThreadsOptions,
  send: Sender,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Summary & { threads: ThreadResult[] }> {
  const tally = createTally()
  const numbers = Array.from({ length: options.threads }, (_, index) => index + 1)
  const threads = await Promise.all(
    numbers.map(async number => {
      const result = await runThread(`pool-1-thread-${number}`)
      say(formatThread(result))
      return result
    }),
  )
  return { ...tally.summary(), threads }

  async function runThread(name: string): Promise<ThreadResult> {
    const started = performance.now()
    const result = { name, successes: 0, failures: 0, duration: 0 }
    const call = async () => {
      const outcome = await send(options.mix ? `/delay/${Math.floor(Math.random() * 5)}` : undefined)
      tally.add(outcome)
      if (outcome.ok) result.successes++
      else result.failures++
    }
    for (let sent = 0; sent < options.calls && !signal.aborted; sent += options.batch) {
      if (sent > 0 && options.delay > 0) await sleep(options.delay, undefined, { signal }).catch(() => {})
      const batch = Math.min(options.batch, options.calls - sent)
      await Promise.all(Array.from({ length: batch }, call))
    }
    result.duration = Math.round(performance.now() - started)
    return result
  }
}

/** `pool-1-thread-1: successes=[5], failures=[0], duration=[545ms]` */
export function formatThread({ name, successes, failures, duration }: ThreadResult): string {
  return `${name}: successes=[${successes}], failures=[${failures}], duration=[${duration}ms]`
}
