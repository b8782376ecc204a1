import type { Milliseconds } from '@hopscope/model'

/** A moving window that ends now (or at `endTs`), or a fixed one. */
export type TimeRange =
  | { kind: 'last'; lookback: Milliseconds; endTs?: Milliseconds }
  | { kind: 'between'; startTs: Milliseconds; endTs: Milliseconds }

export const DEFAULT_LOOKBACK: Milliseconds = 15 * 60_000
export const DEFAULT_TIME: TimeRange = { kind: 'last', lookback: DEFAULT_LOOKBACK }

const LOOKBACK_UNITS: Record<string, Milliseconds> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** What the API calls a window: its end and its length. */
export function windowOf(time: TimeRange, now: Milliseconds = Date.now()): { endTs: number; lookback: number } {
  if (time.kind === 'between') return { endTs: time.endTs, lookback: time.endTs - time.startTs }
  return { endTs: time.endTs ?? now, lookback: time.lookback }
}

/** `900_000 → 15m`; a value that no unit divides is milliseconds. */
export function formatLookback(lookback: Milliseconds): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = LOOKBACK_UNITS[unit]!
    if (lookback % size === 0) return `${lookback / size}${unit}`
  }
  return String(lookback)
}

/** Also as Zipkin's links have it: `lookback=millis&millis=900000`, `lookback=custom&startTs=…&endTs=…`. */
export function parseTime(parameters: URLSearchParams): TimeRange {
  const lookback = parameters.get('lookback') ?? ''
  const endTs = positive(parameters.get('endTs') ?? '')
  const startTs = positive(parameters.get('startTs') ?? '')
  if (startTs !== undefined && endTs !== undefined && startTs < endTs) return { kind: 'between', startTs, endTs }
  const length =
    lookback === 'millis' ? positive(parameters.get('millis') ?? '') : (positive(lookback) ?? parseLookback(lookback))
  const last = { kind: 'last' as const, lookback: length ?? DEFAULT_LOOKBACK }
  return endTs === undefined ? last : { ...last, endTs }
}

export function formatTime(time: TimeRange, put: (name: string, value: string) => void): void {
  if (time.kind === 'between') {
    put('lookback', 'custom')
    put('startTs', String(time.startTs))
    put('endTs', String(time.endTs))
    return
  }
  if (time.lookback !== DEFAULT_LOOKBACK || time.endTs !== undefined) put('lookback', formatLookback(time.lookback))
  if (time.endTs !== undefined) put('endTs', String(time.endTs))
}

function parseLookback(text: string): Milliseconds | undefined {
  const match = /^(\d+)([smhdw])$/.exec(text)
  return match && Number(match[1]) > 0 ? Number(match[1]) * LOOKBACK_UNITS[match[2]!]! : undefined
}

function positive(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) && Number(text) > 0 ? Number(text) : undefined
}
