import type { Microseconds } from '@hopscope/model'
import { FORM, groupByParent } from '@hopscope/model/columns'
import { formatDuration } from '../shared/duration.ts'
import { calledName } from './called-name.ts'
import type { ReadTrace } from './read-trace.ts'

/** A sentence about the trace's time, and the span that is its evidence. */
export interface Reason {
  /** What is told first: `89ms of 182ms`. */
  lead: string
  text: string
  span: number
  /** Of the trace's time that somebody waited for; sentences are in this order. */
  amount: Microseconds
  /** The call that is the evidence, where it is one. */
  call?: { caller: string; callee: string; duration: Microseconds }
}

/** Less of the whole is no reason. */
const MIN_SHARE = 0.1
const MAX_REASONS = 4
/** A call to the same service, made so often one after another, is a loop. */
const MIN_SERIES = 3

/**
 * Why a trace took as long as it did: sums over its critical path, said in words. Deterministic, and silent where the
 * evidence is weak: without one root that spans the trace there is no critical path worth the name.
 */
export function findReasons(trace: ReadTrace): Reason[] {
  const { critical, start, end } = trace
  let total = 0
  for (let i = 0; i < critical.count; i++) total += critical.to[i]! - critical.from[i]!
  if (total === 0 || total < (end - start) * 0.5) return []
  const reasons = [
    ...ownTimes(trace, total),
    ...retries(trace, total),
    ...series(trace, total),
    ...abandoned(trace),
  ].filter(({ amount }) => amount >= total * MIN_SHARE)
  reasons.sort((a, b) => b.amount - a.amount || a.span - b.span)
  return reasons.slice(0, MAX_REASONS).map(reason => {
    const call = callOf(trace, reason.span)
    return call ? { ...reason, call } : reason
  })
}

function callOf({ table, hops }: ReadTrace, span: number): Reason['call'] {
  const hop = hops.hopOf[span]!
  if (hop < 0 || hops.form[hop] === FORM.ambiguous || hops.call[hop]! < 0) return undefined
  const [caller, callee] = [table.strings[hops.caller[hop]!], table.strings[hops.callee[hop]!]]
  const duration = table.duration[hops.call[hop]!]!
  return caller === undefined || callee === undefined || Number.isNaN(duration)
    ? undefined
    : { caller, callee, duration }
}

const of = (amount: number, total: number) => `${formatDuration(amount)} of ${formatDuration(total)}`

/** Who had the word, by service and part. */
function ownTimes(trace: ReadTrace, total: number): Reason[] {
  const { table, hops, critical } = trace
  const { attempts } = hops
  type Sum = { amount: number; most: number; span: number; calls: Set<number>; say: (sum: Sum) => string }
  const sums = new Map<string, Sum>()
  const add = (key: string, amount: number, span: number, say: Sum['say']) => {
    if (!(amount > 0)) return
    const sum = sums.get(key) ?? { amount: 0, most: 0, span, calls: new Set(), say }
    sum.amount += amount
    // Spans of one call count once, attempts each.
    const hop = hops.hopOf[span]!
    sum.calls.add(hop < 0 || attemptOf[span]! >= 0 ? span : table.count + hop)
    if (amount > sum.most) {
      sum.most = amount
      sum.span = span
    }
    sums.set(key, sum)
  }
  /** By span: what of its time the path has. */
  const own = new Float64Array(table.count)
  for (let i = 0; i < critical.count; i++) own[critical.span[i]!]! += critical.to[i]! - critical.from[i]!
  /** By span: its attempt, counted over all hops. */
  const attemptOf = new Int32Array(table.count).fill(-1)
  for (let i = 0; i < attempts.count; i++) if (attempts.server[i]! >= 0) attemptOf[attempts.server[i]!] = i
  const nameOf = (text: number) => (text < 0 ? 'an unnamed service' : table.strings[text]!)
  const inCalls = ({ calls }: Sum) => (calls.size === 1 ? '' : `, in ${calls.size} calls`)

  for (let span = 0; span < table.count; span++) {
    const time = own[span]!
    if (time === 0) continue
    const hop = hops.hopOf[span]!
    if (hop < 0 || hops.form[hop] === FORM.ambiguous) {
      const service = nameOf(table.service[span]!)
      add(
        `local ${service}`,
        time,
        span,
        ({ calls }) => `is ${service}’s own${calls.size === 1 ? '' : `, in ${calls.size} spans`}.`,
      )
      continue
    }
    const caller = nameOf(hops.caller[hop]!)
    const callee = nameOf(hops.callee[hop]!)
    const attempt = attemptOf[span]!
    if (attempt >= 0) {
      const ingress = Math.min(time, Math.max(0, attempts.ingressProxy[attempt]! || 0))
      add(`app ${callee}`, time - ingress, span, sum => `is ${callee} itself at work${inCalls(sum)}.`)
      add(`ingress ${callee}`, ingress, span, sum => `is the proxy in front of ${callee}${inCalls(sum)}.`)
      continue
    }
    const isCallee = table.service[span] === hops.callee[hop] && hops.caller[hop] !== hops.callee[hop]
    if (isCallee) {
      add(`app ${callee}`, time, span, sum => `is ${callee} itself at work${inCalls(sum)}.`)
    } else if (hops.form[hop] === FORM.phantom) {
      add(`unknown ${callee}`, time, span, sum => `is inside ${callee}, which sent no span${inCalls(sum)}.`)
    } else if (hops.attemptAt[hop + 1]! - hops.attemptAt[hop]! === 1) {
      const egress = hops.egressProxy[hop]!
      if (Number.isNaN(egress)) {
        add(
          `between ${caller} ${callee}`,
          time,
          span,
          sum => `is between ${caller} and ${callee}, proxies and wire undivided${inCalls(sum)}.`,
        )
        continue
      }
      const named = calledName(table, hops, hop)
      const proxy = Math.min(time, Math.max(0, egress))
      add(`egress ${caller}`, proxy, span, sum => `is ${caller}’s proxy on the way out${inCalls(sum)}.`)
      add(`wire ${caller} ${callee}`, time - proxy, span, sum =>
        named < 0
          ? `is the wire from ${caller} to ${callee}: connect and queues included${inCalls(sum)}.`
          : `is the wire from ${caller} to ${callee}, and whoever is between: ${caller} called ${table.strings[named]}${inCalls(sum)}.`,
      )
    }
  }
  return [...sums.values()].map(sum => ({
    lead: of(sum.amount, total),
    text: sum.say(sum),
    span: sum.span,
    amount: sum.amount,
  }))
}

/** Attempts that were thrown away while the trace waited for them. */
function retries(trace: ReadTrace, total: number): Reason[] {
  const { table, hops, critical, shifts } = trace
  const { attempts } = hops
  const spanOf = (i: number) => (attempts.client[i]! >= 0 ? attempts.client[i]! : attempts.server[i]!)
  const startOf = (span: number) => table.start[span]! + shifts[span]!
  const isWaitedFor = new Uint8Array(hops.count)
  for (const span of critical.span) if (hops.hopOf[span]! >= 0) isWaitedFor[hops.hopOf[span]!] = 1
  const reasons: Reason[] = []
  for (let hop = 0; hop < hops.count; hop++) {
    const first = hops.attemptAt[hop]!
    const last = hops.attemptAt[hop + 1]! - 1
    if (last <= first || hops.form[hop] === FORM.ambiguous) continue
    if (isWaitedFor[hop] === 0) continue
    const amount = startOf(spanOf(last)) - startOf(spanOf(first))
    let gaps = 0
    const statuses = new Map<string, number>()
    for (let i = first; i < last; i++) {
      gaps += attempts.gapBefore[i + 1]! || 0
      const status = table.status[spanOf(i)]!
      const flags = table.responseFlags[spanOf(i)]!
      // Envoy's 0 is no status: nobody answered, or nobody waited for it.
      const told = status >= 0 && table.strings[status] !== '0' ? status : flags
      const text = told >= 0 ? table.strings[told]! : 'no answer'
      statuses.set(text, (statuses.get(text) ?? 0) + 1)
    }
    const what = [...statuses].map(([status, n]) => (n === 1 ? status : `${n} × ${status}`)).join(', ')
    const pair = `${table.strings[hops.caller[hop]!] ?? 'the caller'} → ${table.strings[hops.callee[hop]!] ?? 'unknown'}`
    const count = last - first
    reasons.push({
      lead: of(amount, total),
      text: `went into ${count === 1 ? 'an attempt' : `${count} attempts`} of ${pair} that failed (${what})${gaps > 0 ? `, ${formatDuration(gaps)} of it back-off` : ''}.`,
      span: hops.call[hop]! >= 0 ? hops.call[hop]! : spanOf(first),
      amount,
    })
  }
  return reasons
}

/** The same call again and again, one after another. */
function series(trace: ReadTrace, total: number): Reason[] {
  const { table, hops, critical } = trace
  /** By hop: how much of the path is its own or below it. */
  const below = new Float64Array(hops.count)
  for (let i = 0; i < critical.count; i++) {
    const hop = hops.hopOf[critical.span[i]!]!
    if (hop >= 0) below[hop]! += critical.to[i]! - critical.from[i]!
  }
  // Parents come before their children.
  for (let hop = hops.count - 1; hop >= 0; hop--) if (hops.parent[hop]! >= 0) below[hops.parent[hop]!]! += below[hop]!
  const { childAt, children } = groupByParent(hops.parent)
  const reasons: Reason[] = []
  for (let parent = 0; parent < hops.count; parent++) {
    if (below[parent]! < total * MIN_SHARE) continue
    const groups = new Map<number, { amount: number; count: number; most: number; hop: number }>()
    for (let i = childAt[parent]!; i < childAt[parent + 1]!; i++) {
      const hop = children[i]!
      if (below[hop]! === 0 || hops.callee[hop]! < 0) continue
      const group = groups.get(hops.callee[hop]!) ?? { amount: 0, count: 0, most: 0, hop }
      group.amount += below[hop]!
      group.count++
      if (below[hop]! > group.most) {
        group.most = below[hop]!
        group.hop = hop
      }
      groups.set(hops.callee[hop]!, group)
    }
    for (const [callee, { amount, count, most, hop }] of groups) {
      if (count < MIN_SERIES) continue
      const pair = `${table.strings[hops.caller[hop]!] ?? 'the caller'} → ${table.strings[callee]!}`
      reasons.push({
        lead: of(amount, total),
        text: `are ${count} calls ${pair} one after another; the longest takes ${formatDuration(most)}.`,
        span: hops.call[hop]! >= 0 ? hops.call[hop]! : hops.server[hop]!,
        amount,
      })
    }
  }
  return reasons
}

/** Who gave up, and how long the other side worked on. */
function abandoned(trace: ReadTrace): Reason[] {
  const { table, hops, deadlines, shifts } = trace
  const reasons: Reason[] = []
  for (let hop = 0; hop < hops.count; hop++) {
    const call = hops.call[hop]!
    const server = hops.server[hop]!
    if (call < 0 || server < 0 || hops.form[hop] === FORM.ambiguous) continue
    const end = table.start[call]! + shifts[call]! + table.duration[call]!
    const done = table.start[server]! + shifts[server]! + table.duration[server]!
    const until = deadlines.until[call]!
    const above = hops.parent[hop]! < 0 ? -1 : hops.call[hops.parent[hop]!]!
    // What the call above has run out of is told there.
    if (until === Number.POSITIVE_INFINITY || (above >= 0 && deadlines.until[above] === until)) continue
    const late = done - Math.min(end, until)
    const waited = Math.min(end, until) - table.start[call]! - shifts[call]!
    if (!(late > 1_000)) continue
    const caller = table.strings[hops.caller[hop]!] ?? 'the caller'
    const callee = table.strings[hops.callee[hop]!] ?? 'the callee'
    reasons.push({
      lead: formatDuration(waited),
      text: `is all that ${caller} waits for ${callee}; ${callee} works on for ${formatDuration(late)}, for nobody.`,
      span: call,
      amount: waited,
    })
  }
  return reasons
}
