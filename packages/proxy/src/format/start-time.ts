import type { StreamInfo } from '../stream-info.ts'
import type { Formatter } from './formatter.ts'
import { compileStrftime, type Moment } from './strftime.ts'

/** µs since the epoch. */
type TimeOf = (info: StreamInfo) => number

const startOf: TimeOf = info => info.startTime
/** When the line is written. */
const emitOf: TimeOf = info => info.startTime + Math.max(0, info.endInstant - info.startInstant || 0) * 1000

/**
 * `%START_TIME%` and `%START_TIME(FORMAT)%`: `compileStrftime` in UTC, with `%f` (nanoseconds) and `%3f` (so many digits of the
 * second's fraction). Without a format `2026-01-31T08:00:00.123Z`.
 */
export const compileStartTime = (format: string | undefined): Formatter => compileUtc(format, startOf)
export const compileEmitTime = (format: string | undefined): Formatter => compileUtc(format, emitOf)
/** In the process's time zone. Without a format `2026-01-31T09:00:00.123+0100`. */
export const compileLocalStartTime = (format: string | undefined): Formatter => compileLocal(format, startOf)
export const compileLocalEmitTime = (format: string | undefined): Formatter => compileLocal(format, emitOf)

function compileUtc(format: string | undefined, of: TimeOf): Formatter {
  if (format === undefined || format === '') return info => isoMillis(of(info))
  const write = compileParts(format)
  return info => write(momentOf(of(info), 0, 'UTC'))
}

function compileLocal(format: string | undefined, of: TimeOf): Formatter {
  const write = compileParts(format || '%Y-%m-%dT%H:%M:%E3S%z')
  return info => {
    const micros = of(info)
    const millis = Math.floor(micros / 1000)
    return write(momentOf(micros, -new Date(millis).getTimezoneOffset(), zoneName(millis)))
  }
}

/** Envoy looks for `%f` before anything else: in `%%f` too. */
function compileParts(format: string): (moment: Moment) => string {
  const bytes = Buffer.from(format, 'utf8').toString('latin1')
  const parts = bytes.split(/(%[1-9]?f)/).map((text, i) => {
    if (i % 2 === 0) return compileStrftime(text)
    const digits = text === '%f' ? 9 : Number(text[1])
    return ({ fraction }: Moment) => fraction.slice(0, digits)
  })
  return moment => {
    let text = ''
    for (const part of parts) text += part(moment)
    return text
  }
}

let lastMillis = -1
let lastIso = ''

/** Requests of one millisecond share the text. */
function isoMillis(micros: number): string {
  const millis = Math.floor(micros / 1000)
  if (millis !== lastMillis) {
    lastMillis = millis
    lastIso = new Date(millis).toISOString()
  }
  return lastIso
}

function momentOf(micros: number, offsetMinutes: number, zone: string): Moment {
  return {
    date: new Date(Math.floor(micros / 1000) + offsetMinutes * 60_000),
    seconds: Math.floor(micros / 1e6),
    fraction: `${String(Math.floor(micros) % 1_000_000).padStart(6, '0')}000`,
    offsetMinutes,
    zone,
  }
}

/** Made when first asked for: Intl's tables are several megabytes that few formats need. */
let names: Intl.DateTimeFormat | undefined

/** `CET` where the Intl tables have such a name, else what they have: `GMT+5:30`. */
function zoneName(millis: number): string {
  names ??= new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
  return names.formatToParts(millis).find(part => part.type === 'timeZoneName')?.value ?? ''
}
