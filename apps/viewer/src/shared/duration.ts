import type { Microseconds } from '@hopscope/model'

const UNITS: Record<string, Microseconds> = { us: 1, µs: 1, μs: 1, ms: 1_000, s: 1_000_000, m: 60_000_000 }

/** `0 → 0ms`, `420 → 420μs`, `12_300 → 12.3ms`, `2_500_000 → 2.5s`, `90_000_000 → 1m 30s`; three digits that matter. */
export function formatDuration(us: Microseconds): string {
  if (!Number.isFinite(us)) return '?'
  if (us < 0) return `−${formatDuration(-us)}`
  if (us === 0) return '0ms'
  if (us < 1_000) return `${trim(us)}μs`
  // Compare what will be shown: 999.96 ms is one second, not `1000ms`.
  if (us < 999_500) return `${trim(us / 1_000)}ms`
  if (us < 59_950_000) return `${trim(us / 1_000_000)}s`
  const seconds = Math.round(us / 1_000_000)
  if (seconds < 3_600) return join(Math.floor(seconds / 60), 'm', seconds % 60, 's')
  const minutes = Math.round(seconds / 60)
  return join(Math.floor(minutes / 60), 'h', minutes % 60, 'm')
}

function join(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit} ${small}${smallUnit}`
}

function trim(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return String(Number(value.toFixed(digits)))
}

/** `10ms`, `1.5s`, `200us`, `2m`, bare numbers are µs (as in Zipkin's links). Undefined when it is none of these. */
export function parseDuration(text: string): Microseconds | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(us|µs|μs|ms|s|m)?\s*$/i.exec(text)
  if (!match) return undefined
  return Math.round(Number(match[1]) * UNITS[(match[2] ?? 'us').toLowerCase()]!)
}
