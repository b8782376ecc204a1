import { type Case, get } from '../harness/case.ts'

const LETTERS = 'abcdefghijklmopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('')
/** What strftime and absl know, and what they do not: all letters bare, after a modifier, a flag, a width. */
const FORMATS = [
  ...['%', '%E', '%O', '%3', '%-', '%_', '%:'].flatMap(begin => LETTERS.map(letter => begin + letter)),
  ...[
    '%%',
    '%1f',
    '%9f',
    '%0f',
    '%%f',
    '%S%3f',
    '%f %S',
    '%s%f',
    '%3f%6f%9f',
    '%s.%3f',
    '%t|',
    'grün %Y',
    '%',
    'x%',
    '%+',
  ],
  ...['%E3S', '%E*S', '%E0S', '%E15S', '%E3f', '%E*f', '%E4Y', '%ET', '%E1z', '%::z', '%:::z', '%Ez', '%E*z', '%E 5'],
  ...['%02d', '%^a', '%^b', '%#b', '%1S', '%12D', '%-12d', '%_12d', '%012B', '%12c'],
]
/** Here glibc has no zone; and to have one written with a sign and without zeros is nobody's wish. */
const WITHOUT_ZONE = /^%([EO3_-])[zZ]$/

/** How many digits these have is a matter of when, too: hours, minutes and seconds without zeros, fractions without those at the end. */
const OF_ANY_LENGTH = /("%(?:[-_][HIklMS]|O?[kl]|E\*[Sf]) ":)"[ 9.]*"/g

/** Every digit is one: which they are is a matter of when. */
const digits = (text: string): string => text.replace(/\d/g, '9').replace(OF_ANY_LENGTH, '$1"<number>"')

function times(operator: string, environment: Record<string, string>, formats = FORMATS): Case {
  return {
    name: `log: ${operator} in ${environment.TZ}`,
    covers: `what strftime, absl::FormatTime and Envoy make of a format; ${operator}`,
    environment,
    config: {
      accessLogFormat: {
        json_format: Object.fromEntries(
          [...formats.filter(one => !WITHOUT_ZONE.test(one)), ''].map(one => [`${one} `, `%${operator}(${one})%`]),
        ),
      },
    },
    steps: [{ send: get('/') }],
    except: {
      why: 'the time of day',
      drop(observation) {
        observation.accessLog = observation.accessLog.map(digits)
      },
    },
  }
}

export const accessLogTimeCases: Case[] = [
  times('START_TIME', { TZ: 'UTC' }),
  times('EMIT_TIME', { TZ: 'Asia/Kolkata' }),
  // Names of time zones are the system's.
  times(
    'START_TIME_LOCAL',
    { TZ: 'Asia/Kolkata' },
    FORMATS.filter(one => one !== '%Z'),
  ),
  times(
    'EMIT_TIME_LOCAL',
    { TZ: 'America/St_Johns' },
    FORMATS.filter(one => one !== '%Z'),
  ),
]
