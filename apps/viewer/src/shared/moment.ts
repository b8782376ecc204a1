import type { Milliseconds } from '@hopscope/model'

const TIME = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})
const DATE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' })

/** `16:20:05.123` today, with the date on other days. In the reader's time zone. */
export function formatMoment(time: Milliseconds, now: Milliseconds = Date.now()): string {
  const isToday = new Date(time).toDateString() === new Date(now).toDateString()
  const millis = String(Math.floor(time) % 1_000).padStart(3, '0')
  return isToday ? `${TIME.format(time)}.${millis}` : DATE_TIME.format(time)
}

/** `just now`, `12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`. */
export function formatAge(time: Milliseconds, now: Milliseconds = Date.now()): string {
  const seconds = Math.round((now - time) / 1_000)
  if (seconds < 2) return 'just now'
  if (seconds < 120) return `${seconds} s ago`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min ago`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h ago`
  return `${Math.round(seconds / 86_400)} d ago`
}
