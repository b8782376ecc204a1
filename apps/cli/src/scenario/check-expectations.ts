import { matchTraceText, type Span, textFromTrace } from '@hopscope/model'
import { holds } from './bound.ts'
import type { Answer } from './call.ts'
import { checkAnswers } from './check-answers.ts'
import { countsText } from './counts-text.ts'
import { fillIn, fillInAll } from './fill-in.ts'
import { partialMismatch, textMatches } from './partial-match.ts'
import type { Expectations } from './scenario.ts'
import { gapsBetween, mostOpen, nestingMismatch, spansOnCriticalPath } from './span-times.ts'
import type { Failure, StepEvidence } from './step-evidence.ts'
import { spansMismatch, tracesMismatch } from './trace-mismatch.ts'

/** Spans, counters and log lines arrive a moment after the answer; this is how long they have, ms. */
const PATIENCE = 30_000
const LOOK_AGAIN = 25
/**
 * What should not come gets this long to come, from the last answer on, ms: more than twice the proxies' flush interval. And once
 * more that interval from the moment when everything that should come was there, however late that is.
 */
const ABSENCE = 250
const FLUSH_INTERVAL = 100

/** Looks until everything expected is there and nothing else; the first failure that remains, or undefined. */
export async function checkExpectations(
  expect: Expectations,
  evidence: StepEvidence,
  patience = PATIENCE,
): Promise<Failure | undefined> {
  const failure = await firstFailure(expect, evidence, patience)
  return failure === undefined || failure.traceId !== undefined ? failure : withTrace(failure, evidence)
}

/** Whatever failed, the trace of the last call helps to see why. */
async function withTrace(failure: Failure, { answers, collector }: StepEvidence): Promise<Failure> {
  const traceId = answers.at(-1)?.headers['x-b3-traceid']
  if (traceId === undefined) return failure
  // A step may have stopped the collector.
  const spans = await collector.trace(traceId).catch(() => [])
  if (spans.length === 0) return failure
  return { message: `${failure.message}\nthe trace of the last call:\n${textFromTrace(spans)}`, traceId }
}

async function firstFailure(
  expect: Expectations,
  evidence: StepEvidence,
  patience: number,
): Promise<Failure | undefined> {
  const now = checkAnswers(expect, evidence)
  if (now !== undefined) return now
  const answered = Date.now()
  const deadline = answered + patience
  let failure = await checkTraces(expect, evidence)
  while (failure !== undefined && Date.now() < deadline) {
    await new Promise(resolve => setTimeout(resolve, LOOK_AGAIN))
    failure = await checkTraces(expect, evidence)
  }
  if (failure !== undefined || expect.traces === undefined) return failure
  const left = Math.max(answered + ABSENCE - Date.now(), FLUSH_INTERVAL)
  await new Promise(resolve => setTimeout(resolve, left))
  return checkTraces(expect, evidence)
}

/** What takes a moment: counters, spans, links, log lines. */
async function checkTraces(expect: Expectations, evidence: StepEvidence): Promise<Failure | undefined> {
  const { answers, since, collector, admins, mesh } = evidence
  const last = answers.at(-1)

  for (const [service, wanted] of Object.entries(expect.stats ?? {})) {
    const before = evidence.statsBefore.get(service)
    const after = await admins.get(service)!.stats()
    for (const [name, bound] of Object.entries(wanted)) {
      const grown = (after.get(name) ?? 0) - (before?.get(name) ?? 0)
      if (!holds(bound, grown))
        return { message: `stats of ${service}: expected ${name} to grow by ${bound}, it grew by ${grown}` }
    }
  }
  for (const [service, patterns] of Object.entries(expect.output ?? {})) {
    const lines = (await mesh.output(service)).slice(evidence.outputBefore.get(service) ?? 0).split('\n')
    for (const [text, bound] of Object.entries(patterns)) {
      const pattern = fillIn(text, last)
      const found = lines.filter(line => textMatches(pattern, line)).length
      if (holds(bound, found)) continue
      return {
        message: `output of ${service}: expected ${bound} lines like ${pattern}, there are ${found} in\n${lines.map(line => `  ${line}`).join('\n')}`,
      }
    }
  }
  const ofTrace = [expect.trace, expect.nested, expect.overlap, expect.gaps, expect.criticalPath]
  if (ofTrace.some(wanted => wanted !== undefined)) {
    const traceId = last?.headers['x-b3-traceid']
    if (traceId === undefined) return { message: 'trace: the answer has no x-b3-traceid, so its trace cannot be found' }
    const message = traceMismatch(expect, await collector.trace(traceId), last)
    if (message !== undefined) return { message, traceId }
  }
  if (expect.traces !== undefined || expect.spans !== undefined) {
    const traces = await collector.tracesSince(since)
    const failure =
      tracesMismatch(
        (expect.traces ?? []).map(text => fillIn(text, last)),
        expect.traces === undefined ? undefined : traces,
      ) ?? spansMismatch(fillInAll(expect.spans ?? [], last) as unknown[], traces)
    if (failure !== undefined) return failure
  }
  if (expect.links !== undefined) {
    const links: Record<string, number> = {}
    for (const { parent, child, callCount } of await collector.linksSince(since))
      links[`${parent} -> ${child}`] = callCount
    if (sorted(links) !== sorted(expect.links))
      return { message: `links: expected ${countsText(expect.links)}, got ${countsText(links)}` }
  }
  return undefined
}

function sorted(counts: Readonly<Record<string, number>>): string {
  return JSON.stringify(Object.entries(counts).sort(([a], [b]) => a.localeCompare(b)))
}

/** The trace of the last call. */
function traceMismatch(expect: Expectations, spans: readonly Span[], last: Answer | undefined): string | undefined {
  const match = expect.trace === undefined ? undefined : matchTraceText(fillIn(expect.trace, last), spans)
  if (match?.ok === false) return `trace: ${match.message}`
  const shown = () => textFromTrace(spans) || '(no spans)'
  const like = (part: unknown) => spans.filter(span => partialMismatch(part, span) === undefined)
  const outside = expect.nested ? nestingMismatch(spans) : undefined
  if (outside !== undefined) return `nested: ${outside} in\n${shown()}`
  for (const { spans: part, most } of expect.overlap ?? []) {
    const width = mostOpen(like(part))
    if (!holds(most, width))
      return `overlap: expected ${most} spans like ${JSON.stringify(part)} to be open at once at most, there were ${width} in\n${shown()}`
  }
  for (const { spans: part, ms } of expect.gaps ?? []) {
    const gaps = gapsBetween(like(part))
    if (gaps.length !== ms.length || !ms.every((bound, i) => holds(bound, gaps[i]!)))
      return `gaps: expected ${ms.join(', ')} ms between spans like ${JSON.stringify(part)}, there were ${gaps.join(', ') || 'none'} in\n${shown()}`
  }
  for (const { spans: part, count, ms } of expect.criticalPath ?? []) {
    const found = [...spansOnCriticalPath(spans)].filter(([span]) => partialMismatch(part, span) === undefined)
    const alike = `spans like ${JSON.stringify(part)}`
    if (count !== undefined && !holds(count, found.length))
      return `critical_path: expected ${count} ${alike} on it, there were ${found.length} in\n${shown()}`
    const waited = found.reduce((sum, [, time]) => sum + time, 0)
    if (ms !== undefined && !holds(ms, waited))
      return `critical_path: expected ${ms} ms of it in ${alike}, there were ${waited.toFixed(1)} in\n${shown()}`
  }
  return undefined
}
