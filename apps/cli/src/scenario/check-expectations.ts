import { buildTree, matchTraceText, type Span, textFromTrace } from '@hopscope/model'
import type { Mesh } from '../mesh/mesh.ts'
import { holds } from './bound.ts'
import { type Answer, percentile } from './call.ts'
import type { CollectorClient } from './collector-client.ts'
import { partialMismatch, textMatches } from './partial-match.ts'
import type { ProxyAdmin } from './proxy-admin.ts'
import type { Bound, Expectations } from './scenario.ts'

/** What a step did, and where to look for what came of it. */
export interface StepEvidence {
  answers: readonly Answer[]
  /** Start of the step, ms since the epoch. */
  since: number
  statsBefore: ReadonlyMap<string, ReadonlyMap<string, number>>
  outputBefore: ReadonlyMap<string, number>
  /** Answers of the steps before it, by name. */
  earlier: ReadonlyMap<string, readonly Answer[]>
  mesh: Mesh
  collector: CollectorClient
  admins: ReadonlyMap<string, ProxyAdmin>
}

export interface Failure {
  message: string
  /** The trace to look at. */
  traceId?: string
}

/** Spans, counters and log lines arrive a moment after the answer; this is how long they have, ms. */
const PATIENCE = 10_000
const LOOK_AGAIN = 25
/**
 * What should not come gets this long to come, from the last answer on, ms: more than twice the proxies' flush interval. And once
 * more that interval from the moment when everything that should come was there, however late that is.
 */
const ABSENCE = 250
const FLUSH_INTERVAL = 100

/**
 * A span may end this long after its parent (`nested`), ms: a proxy notes the end after its peer has read the answer, and on a busy
 * machine the peer, and others, run in between. Units mixed up, or a time of another process, are further off.
 */
const LATE_END = 250
/** ... and seem to begin this long before it, ms: two processes never read quite the same time off one clock. */
const EARLY_START = 5

/** The real Envoy notes the end of a call so long after its peer has read the answer, ms. */
const ABOUT_TO_END = 2

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

/** What is known as soon as the calls are answered. */
function checkAnswers(expect: Expectations, { answers, earlier }: StepEvidence): Failure | undefined {
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
  for (const percent of [95, 99] as const) {
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
  if (expect.trace !== undefined || expect.nested || expect.overlap !== undefined) {
    const traceId = last?.headers['x-b3-traceid']
    if (traceId === undefined) return { message: 'trace: the answer has no x-b3-traceid, so its trace cannot be found' }
    const spans = await collector.trace(traceId)
    const match = expect.trace === undefined ? undefined : matchTraceText(fillIn(expect.trace, last), spans)
    if (match?.ok === false) return { message: `trace: ${match.message}`, traceId }
    const outside = expect.nested ? nestingMismatch(spans) : undefined
    if (outside !== undefined)
      return { message: `nested: ${outside} in\n${textFromTrace(spans) || '(no spans)'}`, traceId }
    for (const { spans: part, most } of expect.overlap ?? []) {
      const width = mostOpen(spans.filter(span => partialMismatch(part, span) === undefined))
      if (!holds(most, width))
        return {
          message: `overlap: expected ${most} spans like ${JSON.stringify(part)} to be open at once at most, there were ${width} in\n${textFromTrace(spans) || '(no spans)'}`,
          traceId,
        }
    }
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

function nestingMismatch(spans: readonly Span[]): string | undefined {
  if (!spans.some(({ parentId, shared }) => parentId !== undefined || shared)) return 'no span has a parent'
  const nodes = [buildTree(spans)]
  for (const { span: parent, children } of nodes) {
    nodes.push(...children)
    if (parent === undefined) continue
    const [parentStart, parentEnd] = timesOf(parent)
    for (const { span } of children) {
      const [start, end] = timesOf(span!)
      const name = `${span!.localEndpoint?.serviceName} ${span!.name}`
      if (!(start >= parentStart - EARLY_START * 1000))
        return `${name} begins more than ${EARLY_START} ms before its parent`
      if (!(start <= parentEnd)) return `${name} begins after its parent's end`
      if (!(end <= parentEnd + LATE_END * 1000)) return `${name} ends more than ${LATE_END} ms after its parent`
    }
  }
  return undefined
}

/** How many of these spans were open at the same time, at most; one that is about to end no longer counts. */
function mostOpen(spans: readonly Span[]): number {
  const times = spans.map(timesOf)
  const openAt = (at: number) =>
    times.filter(([start, end]) => start === at || (start < at && at < end - ABOUT_TO_END * 1000))
  return Math.max(0, ...times.map(([start]) => openAt(start).length))
}

/** Start and end, µs; NaN where not known, which lies within nothing. */
function timesOf({ timestamp = Number.NaN, duration = Number.NaN }: Span): [number, number] {
  return [timestamp, timestamp + duration]
}

/** Each expected text stands for one trace, and no trace is left. */
function tracesMismatch(texts: readonly string[], traces: readonly Span[][] | undefined): Failure | undefined {
  if (traces === undefined) return undefined
  const left = [...traces]
  for (const text of texts) {
    const found = left.findIndex(spans => matchTraceText(text, spans).ok)
    if (found >= 0) {
      left.splice(found, 1)
      continue
    }
    // The one that is most likely meant: of the service that the text begins with.
    const service = text.trim().split(/\s/)[0]
    const nearest = left.find(spans => textFromTrace(spans).startsWith(`${service}  `)) ?? left[0]
    if (nearest === undefined)
      return { message: `traces: expected one more\n${text}\nthere are ${traces.length}:\n${tracesText(traces)}` }
    const match = matchTraceText(text, nearest)
    const message = match.ok ? '' : match.message
    return {
      message: `traces: none of ${left.length} is as expected; the nearest: ${message}`,
      traceId: nearest[0]!.traceId,
    }
  }
  if (left.length === 0) return undefined
  return {
    message: `traces: expected ${texts.length}, there are ${traces.length}; not expected:\n${tracesText(left)}`,
    traceId: left[0]![0]!.traceId,
  }
}

function spansMismatch(expected: readonly unknown[], traces: readonly Span[][]): Failure | undefined {
  const spans = traces.flat()
  for (const part of expected) {
    if (spans.some(span => partialMismatch(part, span) === undefined)) continue
    return {
      message: `spans: none is like ${JSON.stringify(part)} in\n${tracesText(traces)}`,
      ...(spans[0] ? { traceId: spans[0].traceId } : {}),
    }
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

function fillIn(text: string, answer: Answer | undefined): string {
  return text
    .replaceAll('$traceId', answer?.headers['x-b3-traceid'] ?? '$traceId')
    .replaceAll('$requestId', answer?.headers['x-request-id'] ?? '$requestId')
}

function fillInAll(value: unknown, answer: Answer | undefined): unknown {
  if (typeof value === 'string') return fillIn(value, answer)
  if (Array.isArray(value)) return value.map(item => fillInAll(item, answer))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillInAll(item, answer)]))
}

function tracesText(traces: readonly (readonly Span[])[]): string {
  return traces.map(spans => textFromTrace(spans)).join('\n') || '(no traces)'
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return (
    Object.entries(counts)
      .map(([name, count]) => `${count} × ${name}`)
      .join(', ') || 'none'
  )
}

function sorted(counts: Readonly<Record<string, number>>): string {
  return JSON.stringify(Object.entries(counts).sort(([a], [b]) => a.localeCompare(b)))
}
