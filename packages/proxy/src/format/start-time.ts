import type { StreamInfo } from '../stream-info.ts'
import type { Formatter } from './formatter.ts'

/**
 * `%START_TIME%` and `%START_TIME(FORMAT)%`: strftime in UTC, with `%f` (nanoseconds) and `%Nf` (so many digits of the second's
 * fraction). Without a format `2026-01-31T08:00:00.123Z`.
 */
export function compileStartTime(format: string | undefined): Formatter {
  return compileTime(format, info => info.startTime)
}

/** `%EMIT_TIME%`: when the line is written. */
export function compileEmitTime(format: string | undefined): Formatter {
  return compileTime(format, info => info.startTime + Math.max(0, info.endInstant - info.startInstant || 0) * 1000)
}

function compileTime(format: string | undefined, of: (info: StreamInfo) => number): Formatter {
  if (format === undefined || format === '') return info => isoMillis(of(info))
  const parts: ((time: Time) => string)[] = []
  for (const [text, width, letter] of format.matchAll(/%([1-9])?([a-zA-Z%])|[^%]+|%/g)) {
    if (width !== undefined && letter === 'f') {
      const digits = Number(width)
      parts.push(time => time.fraction.slice(0, digits))
    } else if (letter !== undefined && letter in specifiers) {
      const specifier = specifiers[letter]!
      parts.push(width === undefined ? specifier : time => width + specifier(time))
    } else parts.push(() => text)
  }
  return info => {
    const time = timeOf(of(info))
    let text = ''
    for (const part of parts) text += part(time)
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

interface Time {
  date: Date
  seconds: number
  /** Nine digits. */
  fraction: string
}

function timeOf(micros: number): Time {
  const seconds = Math.floor(micros / 1e6)
  const fraction = `${String(Math.floor(micros) % 1_000_000).padStart(6, '0')}000`
  return { date: new Date(Math.floor(micros / 1000)), seconds, fraction }
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] // prettier-ignore
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

const pad = (n: number, width = 2, fill = '0') => String(n).padStart(width, fill)
const hour12 = (date: Date) => date.getUTCHours() % 12 || 12
const dayOfYear = (date: Date) =>
  Math.floor(
    (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0, 1)) /
      86_400_000,
  ) + 1

const specifiers: Readonly<Record<string, (time: Time) => string>> = {
  Y: t => String(t.date.getUTCFullYear()),
  C: t => pad(Math.floor(t.date.getUTCFullYear() / 100)),
  y: t => pad(t.date.getUTCFullYear() % 100),
  m: t => pad(t.date.getUTCMonth() + 1),
  d: t => pad(t.date.getUTCDate()),
  e: t => pad(t.date.getUTCDate(), 2, ' '),
  j: t => pad(dayOfYear(t.date), 3),
  H: t => pad(t.date.getUTCHours()),
  I: t => pad(hour12(t.date)),
  M: t => pad(t.date.getUTCMinutes()),
  S: t => pad(t.date.getUTCSeconds()),
  p: t => (t.date.getUTCHours() < 12 ? 'AM' : 'PM'),
  a: t => DAYS[t.date.getUTCDay()]!.slice(0, 3),
  A: t => DAYS[t.date.getUTCDay()]!,
  b: t => MONTHS[t.date.getUTCMonth()]!.slice(0, 3),
  B: t => MONTHS[t.date.getUTCMonth()]!,
  h: t => MONTHS[t.date.getUTCMonth()]!.slice(0, 3),
  u: t => String(t.date.getUTCDay() || 7),
  w: t => String(t.date.getUTCDay()),
  D: t => `${pad(t.date.getUTCMonth() + 1)}/${pad(t.date.getUTCDate())}/${pad(t.date.getUTCFullYear() % 100)}`,
  F: t => t.date.toISOString().slice(0, 10),
  T: t => t.date.toISOString().slice(11, 19),
  R: t => t.date.toISOString().slice(11, 16),
  s: t => String(t.seconds),
  f: t => t.fraction,
  z: () => '+0000',
  Z: () => 'UTC',
  n: () => '\n',
  t: () => '\t',
  '%': () => '%',
}
