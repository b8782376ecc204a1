import type { ReactNode } from 'react'
import { formatDuration } from '../shared/duration.ts'
import { formatMoment } from '../shared/moment.ts'
import { FLAG, type TraceColumns } from './columns.ts'
import { Reasons } from './Reasons.tsx'

/** What the trace is, in one glance, and what is wrong with it, in words. */
export function TraceHead(props: {
  trace: TraceColumns
  isFile: boolean
  onShow: (span: number) => void
  children: ReactNode
}) {
  const { trace, isFile, onShow } = props
  const { counts, spans, strings } = trace
  const first = trace.hops && trace.hops.flags[0]! & FLAG.hop ? trace.hops : spans
  const root = strings[first.service[0]!] ?? 'unknown'
  const peer = first === trace.hops && first.peer[0]! >= 0 ? strings[first.peer[0]!] : undefined
  const name = strings[first.name[0]!] ?? 'unknown'
  const start = trace.start / 1_000
  return (
    <header className="trace-head">
      <h1>
        <strong>{peer === undefined ? root : `${root} → ${peer}`}</strong> <span className="trace-name">{name}</span>
      </h1>
      <dl className="counts">
        <Fact label="duration" value={formatDuration(trace.duration)} isMain />
        <Fact label={counts.spans === 1 ? 'span' : 'spans'} value={counts.spans} />
        {trace.hops && <Fact label={counts.hops === 1 ? 'hop' : 'hops'} value={counts.hops} />}
        <Fact label={counts.services === 1 ? 'service' : 'services'} value={counts.services} />
        <Fact label="depth" value={counts.depth} />
        {counts.errors > 0 && <Fact label="failing" value={`✕ ${counts.errors}`} isBad />}
        {trace.start > 0 && <Fact label="start" value={formatMoment(start)} title={new Date(start).toISOString()} />}
        <Fact label={isFile ? 'trace id, from a file' : 'trace id'} value={trace.traceId} isId />
      </dl>
      <Reasons reasons={trace.reasons} usualUntil={isFile ? undefined : trace.start} onShow={onShow} />
      {props.children}
      <Remarks trace={trace} />
    </header>
  )
}

function Fact(props: {
  label: string
  value: string | number
  title?: string
  isMain?: boolean
  isBad?: boolean
  isId?: boolean
}) {
  const className = props.isMain ? 'main-fact' : props.isBad ? 'bad' : props.isId ? 'id' : undefined
  return (
    <div className={className} title={props.title}>
      <dt>{props.label}</dt>
      <dd>{typeof props.value === 'number' ? props.value.toLocaleString('en') : props.value}</dd>
    </div>
  )
}

/** Why a parent may be missing, the likeliest first: by how long ago the trace ended, and by what is missing of it. */
function likelyCause({ start, duration, spans }: TraceColumns): string {
  const age = Date.now() - (start + duration) / 1_000
  if (start > 0 && age < 30_000)
    return 'most likely still on its way, the trace ended only just now. It is put in when it comes.'
  const isHeadless = spans.flags[0]! & FLAG.missingParent
  if (isHeadless) {
    return 'most likely whoever made the first call passes trace headers on, but sends no spans itself, or samples otherwise.'
  }
  return 'most likely a service between passes headers on without sending spans; or a report was dropped.'
}

function Remarks({ trace }: { trace: TraceColumns }) {
  const { counts, missingParents } = trace
  const remarks: string[] = []
  if (counts.missingParents > 0) {
    const shown = missingParents.slice(0, 3).join(', ')
    const more = counts.missingParents > 3 ? ` and ${counts.missingParents - 3} more` : ''
    remarks.push(
      `${counts.missingParents === 1 ? 'A parent is' : `${counts.missingParents} parents are`} missing (${shown}${more}): ${likelyCause(trace)}`,
    )
  }
  if (counts.moved > 0) {
    remarks.push(
      `${counts.moved} ${counts.moved === 1 ? 'span was' : 'spans were'} moved (⇄), since the clock of its host disagrees with its caller’s. “Raw times” shows them as reported.`,
    )
  }
  if (counts.cycles > 0) {
    remarks.push(
      `${counts.cycles} ${counts.cycles === 1 ? 'span is' : 'spans are'} above themselves: circles are cut (⟲).`,
    )
  }
  if (counts.untraced > 0) {
    remarks.push(
      `${counts.untraced} ${counts.untraced === 1 ? 'call goes to a service' : 'calls go to services'} that sent no span (hatched).`,
    )
  }
  if (counts.late > 0) {
    remarks.push(`${counts.late} ${counts.late === 1 ? 'span works' : 'spans work'} on when nobody waits any more (◷).`)
  }
  if (counts.merged > 0) {
    remarks.push(
      `${counts.merged} ${counts.merged === 1 ? 'report was' : 'reports were'} of a span that is here already: merged.`,
    )
  }
  if (counts.unreadable > 0) {
    remarks.push(
      `${counts.unreadable} ${counts.unreadable === 1 ? 'entry has' : 'entries have'} no ids and cannot be shown.`,
    )
  }
  if (counts.otherTraces > 0) {
    remarks.push(
      `The file has ${counts.otherTraces} ${counts.otherTraces === 1 ? 'other trace' : 'other traces'}: the largest is shown.`,
    )
  }
  if (remarks.length === 0) return null
  return (
    <ul className="remarks">
      {remarks.map(remark => (
        <li key={remark}>{remark}</li>
      ))}
    </ul>
  )
}
