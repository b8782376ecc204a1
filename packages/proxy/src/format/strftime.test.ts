import { expect, test } from 'vitest'
import { compileStrftime, type Moment } from './strftime.ts'

function at(text: string, fraction = '000000000', offsetMinutes = 0): Moment {
  const date = new Date(text)
  return { date, seconds: date.getTime() / 1000 - offsetMinutes * 60, fraction, offsetMinutes, zone: 'UTC' }
}

/** As `date -u -d @… +FORMAT` writes them. */
const weeks: [day: string, text: string][] = [
  ['2026-01-01T00:00:00Z', 'Thu 001 00 00 2026-W01 4 4'],
  ['2027-01-01T00:00:00Z', 'Fri 001 00 00 2026-W53 5 5'],
  ['2024-12-30T00:00:00Z', 'Mon 365 52 53 2025-W01 1 1'],
  ['2023-01-01T00:00:00Z', 'Sun 001 01 00 2022-W52 7 0'],
  ['2024-02-29T00:00:00Z', 'Thu 060 08 09 2024-W09 4 4'],
]
test.each(weeks)('weeks of %s', (day, text) => {
  expect(compileStrftime('%a %j %U %W %G-W%V %u %w')(at(day))).toBe(text)
})

const written: [format: string, text: string][] = [
  ['%Y-%m-%dT%H:%M:%E3S%z', '2026-03-04T00:05:09.012+0530'],
  ['%E*S %E0S %E*f %E4f', '09.012 09 012 0120'],
  ['[%I] [%l] [%-l] [%_I] [%p] [%P] [%#p]', '[12] [12] [12] [12] [AM] [am] [am]'],
  ['%c|%x|%X|%r|%D|%F|%R', 'Wed Mar  4 00:05:09 2026|03/04/26|00:05:09|12:05:09 AM|03/04/26|2026-03-04|00:05'],
  ['%5d|%-5d|%_5d|%05d|%-d|%_d|%e', '00004|    4|    4|00004|4| 4| 4'],
  ['%^a %^B %8b %08b', 'WED MARCH      Mar 00000Mar'],
  ['%:z %::z %:::z %Ez', '+05:30 +05:30:00 +05:30 +05:30'],
  ['%s %C %y %g', '1772562909 20 26 26'],
  ['100%% %q %Ey %Oq %', '100% %q 26 %Oq %'],
]
test.each(written)('%s', (format, text) => {
  expect(compileStrftime(format)(at('2026-03-04T00:05:09Z', '012000000', 330))).toBe(text)
})
