/** Node's timers, HTTP timeouts. */
export type Milliseconds = number

const UNITS: Record<string, Milliseconds> = { us: 0.001, µs: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Go's notation, which fake-service reads: `250ms`, `1.5s`, `1m30s`, `0`; undefined for anything else. */
export function parseDuration(text: string): Milliseconds | undefined {
  if (text === '0') return 0
  if (!/^(\d+(\.\d+)?(us|µs|ms|s|m|h))+$/.test(text)) return undefined
  let total = 0
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(us|µs|ms|s|m|h)/g))
    total += Number(number) * UNITS[unit!]!
  return total
}
