/** A moment, in the time zone in which it is to be written. */
export interface Moment {
  /** Its fields in UTC are those of the time zone. */
  date: Date
  /** Of the epoch. */
  seconds: number
  /** Nine digits. */
  fraction: string
  /** East of UTC. */
  offsetMinutes: number
  zone: string
}

type Writer = (moment: Moment) => string

/**
 * Compiles a format of `absl::FormatTime` (Envoy's): strftime with the flags, widths and modifiers of glibc in the C locale, `%E3S`
 * and its kin, `%Ez`. What it does not know stays as it is.
 */
export function compileStrftime(format: string): Writer {
  const parts: (string | Writer)[] = []
  for (const [text, absl, flags, width, modifier, letter] of format.matchAll(DIRECTIVE)) {
    parts.push((absl === undefined ? compileLetter(flags!, width!, modifier!, letter!) : compileAbsl(absl)) ?? text)
  }
  return moment => {
    let text = ''
    for (const part of parts) text += typeof part === 'string' ? part : part(moment)
    return text
  }
}

const DIRECTIVE = /%(%|:{1,3}z|E(?:\*|\d+)[Sf]|E4Y|ET|E\*?z)|%([-_0^#]*)(\d*)([EO]?)([a-zA-Z])|[^%]+|%/g

function compileAbsl(directive: string): Writer | undefined {
  switch (directive) {
    case undefined:
      return undefined
    case '%':
      return () => '%'
    case 'ET':
      return () => 'T'
    case 'E4Y':
      return moment => pad(moment.date.getUTCFullYear(), 4)
    case ':z':
    case 'Ez':
      return moment => offset(moment, ':')
    case '::z':
    case 'E*z':
      return moment => `${offset(moment, ':')}:00`
    case ':::z':
      return moment => offset(moment, ':').replace(/:00$/, '')
  }
  const digits = directive.slice(1, -1)
  const fraction: Writer =
    digits === '*'
      ? ({ fraction }) => fraction.replace(/0+$/, '')
      : ({ fraction }) => fraction.padEnd(15, '0').slice(0, Number(digits))
  if (directive.endsWith('f')) return digits === '*' ? moment => fraction(moment) || '0' : fraction
  return moment => {
    const after = fraction(moment)
    return pad(moment.date.getUTCSeconds()) + (after === '' ? '' : `.${after}`)
  }
}

/** Letters that these may stand before; they change nothing here. */
const MODIFIED: Readonly<Record<string, string>> = {
  '': 'aAbBcCdDeFgGhHIjklmMpPrRsStTuUVwWxXyYzZ',
  E: 'CPRXYZcprstuxy',
  O: 'BCGHIMPRSTUVWZbdeghjklmprstuwyz',
}

function compileLetter(flags: string, width: string, modifier: string, letter: string): Writer | undefined {
  if (letter === undefined || !MODIFIED[modifier]!.includes(letter)) return undefined
  const number = numbers[letter]
  const length = Number(width)
  const upper = flags.includes('^') || (flags.includes('#') && /[aAbBh]/.test(letter))
  const lower = flags.includes('#') && /[pZ]/.test(letter)
  const fill = /[-_0](?=[^-_0]*$)/.exec(flags)?.[0]
  if (number !== undefined) {
    const least = fill === '-' ? 0 : number.width
    const space = fill === '_' || fill === '-' || (fill === undefined && number.fill === ' ')
    return moment => pad(number.of(moment), Math.max(length, least), space ? ' ' : '0')
  }
  const text = texts[letter]!
  return moment => {
    const written = text(moment)
    const cased = upper ? written.toUpperCase() : lower ? written.toLowerCase() : written
    return cased.padStart(length, fill === '0' ? '0' : ' ')
  }
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

const pad = (n: number, width = 2, fill = '0'): string => String(n).padStart(width, fill)

const DAY = 86_400_000

/** 1 on the first of January. */
function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY) + 1
}

/** Weeks begin on `first` (0: Sunday); days before the first one are in week 0. */
function weekOfYear(date: Date, first: number): number {
  return Math.floor((dayOfYear(date) + 6 - ((date.getUTCDay() - first + 7) % 7)) / 7)
}

/** ISO 8601: the week belongs to the year in which its Thursday is. */
function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * DAY)
  return { year: thursday.getUTCFullYear(), week: Math.ceil(dayOfYear(thursday) / 7) }
}

function offset({ offsetMinutes }: Moment, between: string): string {
  const minutes = Math.abs(offsetMinutes)
  return `${offsetMinutes < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}${between}${pad(minutes % 60)}`
}

const hour12 = (date: Date): number => date.getUTCHours() % 12 || 12

const numbers: Readonly<Record<string, { of(moment: Moment): number; width: number; fill?: ' ' }>> = {
  C: { of: ({ date }) => Math.floor(date.getUTCFullYear() / 100), width: 2 },
  d: { of: ({ date }) => date.getUTCDate(), width: 2 },
  e: { of: ({ date }) => date.getUTCDate(), width: 2, fill: ' ' },
  g: { of: ({ date }) => isoWeek(date).year % 100, width: 2 },
  G: { of: ({ date }) => isoWeek(date).year, width: 4 },
  H: { of: ({ date }) => date.getUTCHours(), width: 2 },
  I: { of: ({ date }) => hour12(date), width: 2 },
  j: { of: ({ date }) => dayOfYear(date), width: 3 },
  k: { of: ({ date }) => date.getUTCHours(), width: 2, fill: ' ' },
  l: { of: ({ date }) => hour12(date), width: 2, fill: ' ' },
  m: { of: ({ date }) => date.getUTCMonth() + 1, width: 2 },
  M: { of: ({ date }) => date.getUTCMinutes(), width: 2 },
  s: { of: ({ seconds }) => seconds, width: 1 },
  S: { of: ({ date }) => date.getUTCSeconds(), width: 2 },
  u: { of: ({ date }) => date.getUTCDay() || 7, width: 1 },
  U: { of: ({ date }) => weekOfYear(date, 0), width: 2 },
  V: { of: ({ date }) => isoWeek(date).week, width: 2 },
  w: { of: ({ date }) => date.getUTCDay(), width: 1 },
  W: { of: ({ date }) => weekOfYear(date, 1), width: 2 },
  y: { of: ({ date }) => date.getUTCFullYear() % 100, width: 2 },
  Y: { of: ({ date }) => date.getUTCFullYear(), width: 4 },
}

const iso = (date: Date): string => date.toISOString()
const dayAndMonth = ({ date }: Moment): string =>
  `${pad(date.getUTCMonth() + 1)}/${pad(date.getUTCDate())}/${pad(date.getUTCFullYear() % 100)}`
const amPm = ({ date }: Moment): string => (date.getUTCHours() < 12 ? 'AM' : 'PM')
const time = ({ date }: Moment): string => iso(date).slice(11, 19)
const shortMonth = ({ date }: Moment): string => MONTHS[date.getUTCMonth()]!.slice(0, 3)
const shortDay = ({ date }: Moment): string => DAYS[date.getUTCDay()]!.slice(0, 3)

const texts: Readonly<Record<string, Writer>> = {
  a: shortDay,
  A: ({ date }) => DAYS[date.getUTCDay()]!,
  b: shortMonth,
  B: ({ date }) => MONTHS[date.getUTCMonth()]!,
  c: moment =>
    `${shortDay(moment)} ${shortMonth(moment)} ${pad(moment.date.getUTCDate(), 2, ' ')} ${time(moment)} ${moment.date.getUTCFullYear()}`,
  D: dayAndMonth,
  F: ({ date }) => iso(date).slice(0, 10),
  h: shortMonth,
  p: amPm,
  P: moment => amPm(moment).toLowerCase(),
  r: moment => `${pad(hour12(moment.date))}${time(moment).slice(2)} ${amPm(moment)}`,
  R: ({ date }) => iso(date).slice(11, 16),
  t: () => '\t',
  T: time,
  x: dayAndMonth,
  X: time,
  z: moment => offset(moment, ''),
  Z: ({ zone }) => zone,
}
