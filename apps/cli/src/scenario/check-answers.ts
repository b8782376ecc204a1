import { holds } from './bound.ts'
import { type Answer, percentile } from './call.ts'
import { countsText } from './counts-text.ts'
import { fillIn, fillInAll } from './fill-in.ts'
import { partialMismatch, textMatches } from './partial-match.ts'
import { type Bound, type Expectations, PERCENTILES } from './scenario.ts'
import type { Failure, StepEvidence } from './step-evidence.ts'

/** What is known as soon as the calls are answered. */
export function checkAnswers(expect: Expectations, { answers, earlier }: StepEvidence): Failure | undefined {
  const last = answers.at(-1)
  const fail = (message: string): Failure => ({ message })
  if (expect.status !== undefined) {
    const counts: Record<string, number> = {}
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
    if (JSON.stringify(counts) !== JSON.stringify(expect.status)) {
      const unanswered = answers.find(({ status }) => status === 0)
      const why = unanswered === undefined ? '' : ` (no answer: ${unanswered.body})`
      return fail(`status: expected ${countsText(expect.status)}, got ${countsText(counts)}${why}`)
    }
  }
  if (expect.statuses !== undefined) {
    const got = answers.map(({ status }) => status)
    if (got.join() !== expect.statuses.join())
      return fail(`statuses: expected ${expect.statuses.join(', ')}, got ${got.join(', ')}`)
  }
  if (expect.took !== undefined) {
    const { minMs, maxMs } = expect.took
    const wrong = answers.find(({ duration }) => !(duration >= minMs && duration <= maxMs))
    if (wrong !== undefined)
      return fail(
        `took: expected ${minMs} to ${maxMs} ms, call ${answers.indexOf(wrong) + 1} took ${wrong.duration.toFixed(1)} ms`,
      )
  }
  for (const [place, wanted] of Object.entries(expect.counts ?? {})) {
    const mismatch = countMismatch(place, wanted, answers)
    if (mismatch !== undefined) return fail(`counts of ${place}: ${mismatch}`)
  }
  for (const [place, wanted] of Object.entries(expect.spread ?? {})) {
    const counts = Object.entries(countsAt(place, answers)).sort(([, a], [, b]) => b - a)
    if (counts.map(([, count]) => count).join() !== wanted.join())
      return fail(`spread of ${place}: expected ${wanted.join(', ')}, got ${countsText(Object.fromEntries(counts))}`)
  }
  for (const [name, value] of Object.entries(expect.headers ?? {})) {
    const wrong = answers.find(({ headers }) =>
      value === null ? headers[name] !== undefined : !textMatches(fillIn(value, last), headers[name]),
    )
    if (wrong !== undefined)
      return fail(`header ${name}: expected ${value ?? 'none'}, got ${wrong.headers[name] ?? 'none'}`)
  }
  if (expect.body !== undefined) {
    const mismatch = bodyMismatch(fillInAll(expect.body, last), last?.body ?? '')
    if (mismatch !== undefined) return fail(`body: ${mismatch}`)
  }
  for (const percent of PERCENTILES) {
    const wanted = expect[`p${percent}`]
    if (wanted === undefined) continue
    const { of, factor, plusMs } = wanted
    const then = earlier.get(of)
    if (then === undefined) return fail(`p${percent}: no earlier step is called ${of}`)
    const before = percentile(then, percent)
    const bound = before * factor + plusMs
    const now = percentile(answers, percent)
    if (now > bound)
      return fail(
        `p${percent}: expected at most ${bound.toFixed(1)} ms (${factor} × ${before.toFixed(1)} + ${plusMs}), got ${now.toFixed(1)} ms`,
      )
  }
  return undefined
}

/** A value that is not named must not occur. */
function countMismatch(
  place: string,
  wanted: Readonly<Record<string, Bound>>,
  answers: readonly Answer[],
): string | undefined {
  const counts = { ...Object.fromEntries(Object.keys(wanted).map(value => [value, 0])), ...countsAt(place, answers) }
  const wrong = Object.keys(counts).some(value => !holds(wanted[value] ?? 0, counts[value]!))
  if (!wrong) return undefined
  const expected = Object.entries(wanted).map(([value, bound]) => `${bound} × ${value}`)
  return `expected ${expected.join(', ')}, got ${countsText(counts)}`
}

function countsAt(place: string, answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const answer of answers) {
    const value = valueAt(place, answer)
    counts[value] = (counts[value] ?? 0) + 1
  }
  return counts
}

/** `body.name`: a field of the JSON body; `header.x-served-by`: a header; `(none)` where there is none. */
function valueAt(place: string, { headers, body }: Answer): string {
  const dot = place.indexOf('.')
  const name = place.slice(dot + 1)
  if (place.startsWith('header.')) return headers[name.toLowerCase()] ?? '(none)'
  try {
    return String((JSON.parse(body) as Record<string, unknown> | null)?.[name] ?? '(none)')
  } catch {
    return '(none)'
  }
}

function bodyMismatch(expected: unknown, body: string): string | undefined {
  if (typeof expected === 'string')
    return textMatches(expected, body) ? undefined : `expected ${expected}, got ${JSON.stringify(body)}`
  try {
    return partialMismatch(expected, JSON.parse(body))
  } catch {
    return `expected JSON, got ${JSON.stringify(body.slice(0, 200))}`
  }
}
