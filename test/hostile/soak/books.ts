import type { Outcome } from './client.ts'
import { KIND_NAMES, KINDS, UPSTREAM_KINDS } from './kinds.ts'
import { BREAKERS, LOG_FIELDS, TIGHT_BREAKERS } from './mesh-file.ts'
import type { SeenSpan } from './span-collector.ts'

type Shout = (problem: string) => void
export type Stats = ReadonlyMap<string, number>

const NAMES = Object.keys(LOG_FIELDS) as (keyof typeof LOG_FIELDS)[]
type LogLine = Record<keyof typeof LOG_FIELDS, string>

/** Each request has its line, or one for each of its legs, and all of a line is of one request. */
export function auditLog(text: string, outcomes: ReadonlyMap<number, Outcome>, stats: Stats, shout: Shout): void {
  const lines = new Map<number, LogLine[]>()
  const counted = ['zipkin', 'otlp'].reduce((total, name) => total + stats.get(`http.${name}.downstream_rq_total`)!, 0)
  const rows = text.split('\n').length - 1
  if (rows !== counted) shout(`log: ${rows} lines, ${counted} requests`)
  let floods = 0
  for (const row of text.split('\n').slice(0, -1)) {
    const values = row.split('\t')
    const line = Object.fromEntries(NAMES.map((name, i) => [name, values[i]])) as LogLine
    if (line.details === 'codec_error:Too_many_responses_queued.') {
      floods++
      continue
    }
    const id = Number(line.id)
    const outcome = outcomes.get(id)
    if (values.length !== NAMES.length || outcome === undefined) {
      shout(`log: ${JSON.stringify(row)}`)
      continue
    }
    lines.set(id, [...(lines.get(id) ?? []), line])
    const wrong = wrongLine(line, outcome)
    if (wrong !== undefined) shout(`log: ${wrong}: ${JSON.stringify(row)}`)
  }
  const told = stats.get('http1.response_flood') ?? 0
  const cut = [...outcomes.values()].filter(({ isFlood }) => isFlood).length
  if (floods !== told || cut > told) shout(`log: ${floods} floods of ${told}, ${cut} clients were cut off`)
  for (const [id, { plan, status }] of outcomes) {
    const own = lines.get(id) ?? []
    const legs = plan.kind.legs ?? 1
    if (status !== 0 ? own.length !== legs : own.length > legs) {
      shout(`log: ${own.length} lines for ${plan.name} ${id} (${status})`)
    } else if (status !== 0 && own.at(-1)!.status !== String(status)) {
      shout(`log: ${own.at(-1)!.status} for ${plan.name} ${id}, whose client was answered ${status}`)
    }
  }
}

function wrongLine(line: LogLine, { plan, status, bytes }: Outcome): string | undefined {
  const id = String(plan.id)
  const [, route = '', inPath] = /^\/([a-z]+)\/(\d+)\?/.exec(line.path) ?? []
  const isThere = plan.name === 'moved' && route === 'there'
  if (inPath !== id || !(route === plan.name || isThere)) return 'the path of another'
  if (line.method !== plan.method) return 'the method of another'
  if (line.answered !== '-' && line.answered !== id) return 'the answer of another'
  if (line.mutated !== '-' && line.mutated !== id) return 'the header of another'
  if (line.trailer !== '-' && line.trailer !== id) return 'the trailer of another'
  if (!`asked.${id}.`.repeat(24).startsWith(line.text)) return 'the text of another'
  if (line.route !== route) return 'the route of another'
  if (status === 0 || plan.name === 'moved') return undefined
  if (line.sent !== String(bytes)) return `the client got ${bytes} bytes`
  if (plan.kind.once === true && line.received !== String(plan.size)) return `the client sent ${plan.size} bytes`
  return undefined
}

/** As the log. `copied`: requests to mirrors, which have spans of their own; so many as the tracer `dropped` may be missing. */
export function auditSpans(
  spans: readonly SeenSpan[],
  outcomes: ReadonlyMap<number, Outcome>,
  copied: number,
  dropped: number,
  shout: Shout,
): void {
  const counts = new Map<number, number>()
  let copies = 0
  for (const { id, status, path, cluster } of spans) {
    if (Number.isNaN(id) && cluster === 'copy') {
      copies++
      continue
    }
    const outcome = outcomes.get(id)
    if (outcome === undefined) {
      shout(`span: of nobody: ${id} ${path}`)
      continue
    }
    const { plan } = outcome
    counts.set(id, (counts.get(id) ?? 0) + 1)
    // A span ends with the path that an internal redirect led to; where that leads is traced or not.
    if (path !== `/${plan.name}/${id}` && !(plan.name === 'moved' && path === `/there/${id}`))
      shout(`span: ${path} of ${plan.name} ${id}`)
    if (outcome.status !== 0 && plan.name !== 'moved' && status !== String(outcome.status)) {
      shout(`span: ${status} of ${plan.name} ${id}, whose client was answered ${outcome.status}`)
    }
  }
  const missing: string[] = []
  for (const [id, { plan, status }] of outcomes) {
    const count = counts.get(id) ?? 0
    if (count > (plan.kind.legs ?? 1)) shout(`span: ${count} of ${plan.name} ${id}`)
    else if (status !== 0 && count === 0) missing.push(`${plan.name} ${id} (${status})`)
  }
  if (copied < copies || copied - copies > dropped) shout(`span: ${copies} of ${copied} copies`)
  if (missing.length > dropped) shout(`span: ${missing.length} are missing: ${missing.slice(0, 20).join(', ')}`)
}

/** Nothing is under way any more, and what was counted in two ways comes to the same. */
export function auditStats(
  stats: Stats,
  seen: ReadonlyMap<string, ReadonlyMap<number, number>>,
  outcomes: ReadonlyMap<number, Outcome>,
  shout: Shout,
): void {
  const value = (name: string) => stats.get(name) ?? Number.NaN
  const sum = (pattern: RegExp) => {
    let total = 0
    for (const [name, one] of stats) if (pattern.test(name)) total += one
    return total
  }
  const same = (what: string, a: number, b: number) => {
    if (a !== b) shout(`stats: ${what}: ${a} and ${b}`)
  }
  for (const name of [...UPSTREAM_KINDS, 'copy', 'dead']) {
    const of = `cluster.${name}.`
    for (const [left, most] of Object.entries(name === 'tight' ? TIGHT_BREAKERS : BREAKERS)) {
      if (left === 'max_connections') continue
      const short = { max_pending_requests: 'pending', max_requests: 'rq', max_retries: 'retries' }[left]
      same(`${of} remaining_${short}`, value(`${of}circuit_breakers.default.remaining_${short}`), most)
    }
    // A host's first connection is made whatever the breaker says, so that there may be more than it lets through.
    const { max_connections } = name === 'tight' ? TIGHT_BREAKERS : BREAKERS
    same(
      `${of} remaining_cx`,
      value(`${of}circuit_breakers.default.remaining_cx`),
      Math.max(0, max_connections - value(`${of}upstream_cx_active`)),
    )
    same(
      `${of} cx_total`,
      value(`${of}upstream_cx_total`),
      value(`${of}upstream_cx_destroy`) + value(`${of}upstream_cx_active`),
    )
    same(
      `${of} cx_destroy`,
      value(`${of}upstream_cx_destroy`),
      value(`${of}upstream_cx_destroy_local`) + value(`${of}upstream_cx_destroy_remote`),
    )
    const prefix = `^cluster\\.${name}\\.upstream_rq_`
    same(`${of} completed`, value(`${of}upstream_rq_completed`), sum(new RegExp(`${prefix}[1-5]\\d\\d$`)))
    same(`${of} classes`, value(`${of}upstream_rq_completed`), sum(new RegExp(`${prefix}[1-5]xx$`)))
    const sent = value(`${of}upstream_rq_total`)
    const came = [...(seen.get(name)?.values() ?? [])].reduce((total, count) => total + count, 0)
    if (came > sent) shout(`stats: ${of} sent ${sent}, ${came} came`)
  }
  for (const listener of ['zipkin', 'otlp']) {
    const of = `http.${listener}.`
    const completed = value(`${of}downstream_rq_completed`)
    same(`${of} classes`, completed, sum(new RegExp(`^http\\.${listener}\\.downstream_rq_[1-5]xx$`)))
    same(`${of} cx_total`, value(`${of}downstream_cx_total`), value(`${of}downstream_cx_destroy`))
    same(`${of} protocol errors`, value(`${of}downstream_cx_protocol_error`), 0)
  }
  for (const [name, one] of stats) {
    if (/_active$/.test(name) && !/upstream_cx_active$/.test(name) && one !== 0) {
      if (!/^(http\.admin|listener\.admin|listener_manager|cluster\.zipkin)\./.test(name))
        shout(`stats: ${name} is ${one}`)
    }
    if (/upstream_cx_protocol_error$/.test(name) && one !== 0 && !/cluster\.rude\./.test(name))
      shout(`stats: ${name} is ${one}`)
  }
  auditAttempts(seen, outcomes, shout)
}

/** Who is asked once is asked once, and copies are of those that are to be copied. */
function auditAttempts(
  seen: ReadonlyMap<string, ReadonlyMap<number, number>>,
  outcomes: ReadonlyMap<number, Outcome>,
  shout: Shout,
): void {
  for (const [cluster, ids] of seen) {
    for (const [id, count] of ids) {
      const plan = outcomes.get(id)?.plan
      const name = cluster === 'copy' ? 'mirrored' : cluster
      if (plan === undefined || (plan.name !== name && !(plan.name === 'moved' && cluster === 'plain'))) {
        shout(`upstream ${cluster} was asked for ${plan?.name} ${id}`)
      } else if ((plan.kind.once === true || cluster === 'copy') && count !== 1) {
        shout(`upstream ${cluster} was asked ${count} times for ${plan.name} ${id}`)
      }
    }
  }
  for (const name of KIND_NAMES) {
    if (KINDS[name].once !== true) continue
    for (const { plan, status } of outcomes.values()) {
      if (plan.name === name && status !== 0 && !seen.get(name)!.has(plan.id))
        shout(`nobody was asked for ${name} ${plan.id}`)
    }
  }
}
