import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { CollectorFailed } from '../shared/CollectorFailed.tsx'
import { late } from '../shared/late.tsx'
import { Command, Notice } from '../shared/Notice.tsx'
import { navigate } from '../shared/navigation.ts'
import type { TraceRoute } from '../url.ts'
import { ColumnDivider } from './ColumnDivider.tsx'
import type { RowColumns, TraceColumns } from './columns.ts'
import { Legend } from './Legend.tsx'
import { LostCalls } from './LostCalls.tsx'
import { Minimap } from './Minimap.tsx'
import { indexOfSelection, selectionOf } from './packed-ids.ts'
import { rowOfSpan, spansOf } from './rows.ts'
import { SidePanel } from './SidePanel.tsx'
import { Timeline, type TimelineHandle } from './Timeline.tsx'
import { TraceHead } from './TraceHead.tsx'
import { TraceToolbar } from './TraceToolbar.tsx'
import type { Range } from './time-axis.ts'
import type { TraceClient } from './trace-client.ts'
import type { GridData } from './trace-grid.ts'
import type { TraceView } from './trace-url.ts'
import { type TraceState, useTrace } from './use-trace.ts'
import type { ViewProps } from './view-props.ts'
import type { TraceSource } from './worker-protocol.ts'

/** ms: a reader of the page is not interrupted more often. */
const ANNOUNCE_MS = 5_000
/** In a larger trace a lost call would not be missed; and the search for it needs all its tags. */
const MAX_SEARCHED = 20_000

/** A trace from the collector, or from a file, whose page then keeps its state to itself. */
export function TracePage(props: { route: TraceRoute; source: TraceSource | undefined; onClose?: () => void }) {
  const { route: given, source, onClose } = props
  const [local, setLocal] = useState(given)
  const route = source ? local : given
  const [state, reload] = useTrace(given.traceId, source, given.joined)
  const go = useCallback(
    (next: TraceRoute, how: 'push' | 'replace') => (source ? setLocal(next) : navigate(next, how)),
    [source],
  )
  if (state.state === 'loading') {
    return (
      <p className="opening" role="status">
        Opening trace {given.traceId} …
      </p>
    )
  }
  if (state.state === 'failed') {
    return (
      <>
        <h1 className="sr-only">Trace {given.traceId}</h1>
        <TraceFailed route={route} problem={state.problem} reload={reload} onClose={onClose} />
      </>
    )
  }
  return <LoadedTracePage route={route} go={go} state={state} reload={source ? undefined : reload} onClose={onClose} />
}

function TraceFailed(props: {
  route: TraceRoute
  problem: (TraceState & { state: 'failed' })['problem']
  reload: () => void
  onClose: (() => void) | undefined
}) {
  const { problem, route, reload, onClose } = props
  if (problem.status === undefined && !problem.isDown) {
    return (
      <Notice kind="error" title="This trace cannot be read">
        <p>{problem.message}</p>
        <p>Expected Zipkin JSON v2, OTLP JSON, Jaeger JSON, or a page that “Export” wrote.</p>
        {onClose && (
          <button type="button" onClick={onClose}>
            Open another file
          </button>
        )}
      </Notice>
    )
  }
  if (problem.status !== 404) {
    return <CollectorFailed error={{ message: problem.message, status: problem.status }} onRetry={reload} />
  }
  return (
    <Notice kind="empty" title="This trace is not here">
      <p>
        The collector has no span of <code>{route.traceId}</code>. Its spans may still be on their way, it was not
        sampled, or it is older than what the collector keeps.
      </p>
      <button type="button" onClick={reload}>
        Look again
      </button>
      <p>A request that is traced for certain, with its trace’s link:</p>
      <Command>./hopscope curl /</Command>
    </Notice>
  )
}

function LoadedTracePage(props: {
  route: TraceRoute
  go: (route: TraceRoute, how: 'push' | 'replace') => void
  state: TraceState & { state: 'done' }
  reload: (() => void) | undefined
  onClose: (() => void) | undefined
}) {
  const { route, go } = props
  const { client } = props.state
  const trace = useClock(props.state, route.clock)
  const total = trace.duration
  const isHops = (route.view === 'hops' || route.view === 'sequence') && trace.hops !== undefined
  const columns = isHops ? trace.hops! : trace.spans
  const data = useMemo(
    () => ({
      columns,
      strings: trace.strings,
      spanIds: trace.spanIds,
      total,
      title: isHops ? 'Hop' : 'Span',
      key: `${isHops} ${route.clock}`,
    }),
    [columns, trace, total, isHops, route.clock],
  )
  const [isHelp, setHelp] = useState(false)
  const timeline = useRef<TimelineHandle>(null)
  const findBox = useRef<HTMLInputElement>(null)
  const latest = useRef(route)
  latest.current = route

  const selected = useMemo(() => {
    const span = route.selected === undefined ? -1 : indexOfSelection(trace.spanIds, route.selected)
    return span < 0 ? -1 : rowOfSpan(columns, span)
  }, [columns, trace, route.selected])
  const range = useMemo<Range>(() => {
    const [from, to] = route.range ?? [0, total]
    return from < total ? { from, to: Math.min(to, total) } : { from: 0, to: total }
  }, [route.range, total])

  const found = useFind(client, trace, route.find)
  const matches = useMemo(() => found && markRows(columns, found), [columns, found])

  const onRange = useCallback(
    (next: Range) => {
      const { range: _, ...rest } = latest.current
      const isAll = next.from <= 0 && next.to >= total
      go(isAll ? rest : { ...rest, range: [round(next.from), round(next.to)] }, 'replace')
    },
    [go, total],
  )
  const takeKey = useCallback((key: string) => {
    if (key === '?') setHelp(true)
    else if (key === '/') findBox.current?.focus()
    else if (key === 'Enter') requestAnimationFrame(() => document.getElementById('panel')?.focus())
    else return false
    return true
  }, [])
  // Who has just come has gone to no part of the page yet.
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.target === document.body && event.key !== 'Enter' && takeKey(event.key)) event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [takeKey])
  const deselect = () => {
    const { selected: _, ...rest } = latest.current
    go(rest, 'replace')
    timeline.current?.focus()
  }
  const show = (span: number) => go({ ...latest.current, selected: selectionOf(trace.spanIds, span) }, 'replace')
  const view: ViewProps = {
    columns,
    strings: trace.strings,
    total,
    range,
    selected,
    matches,
    isFiltered: route.onlyFound === true,
    isCriticalShown: route.critical,
    onSelect: row => {
      const span = spansOf(columns, row)[0]
      if (span !== undefined) show(span)
    },
    onRange,
    takeKey,
  }
  return (
    <>
      <TraceHead trace={trace} isFile={props.reload === undefined} onShow={show}>
        {props.reload &&
          (trace.counts.spans <= MAX_SEARCHED ? (
            <LostCalls client={client} route={route} onChange={next => go(next, 'push')} />
          ) : (
            <p className="muted not-searched">
              Calls whose headers were lost are not looked for in traces of more than{' '}
              {MAX_SEARCHED.toLocaleString('en')} spans.
            </p>
          ))}
      </TraceHead>
      <TraceToolbar
        route={route}
        trace={trace}
        client={client}
        matchCount={found ? countRows(matches) : undefined}
        findBox={findBox}
        onChange={next => go(next, 'replace')}
        onFindDone={() => timeline.current?.focus()}
        onHelp={() => setHelp(true)}
        onReload={props.reload}
        onClose={props.onClose}
      />
      {(route.view === 'hops' || route.view === 'sequence') && trace.noHops !== undefined && (
        <p className="fallback" role="status">
          {trace.hops ? '' : 'Shown as spans. '}
          {trace.noHops}
        </p>
      )}
      <div className={selected >= 0 ? 'trace-body with-panel' : 'trace-body'}>
        <div className="timeline">
          <div className={`minimap-row for-${route.view}`}>
            <div className="minimap-label">whole trace</div>
            <Minimap columns={columns} total={total} range={range} onRange={onRange} />
          </div>
          <View view={route.view} data={data} handle={timeline} {...view} />
          {(route.view === 'hops' || route.view === 'spans') && (
            <>
              <ColumnDivider />
              <Legend columns={columns} isCriticalShown={route.critical} />
            </>
          )}
        </div>
        {selected >= 0 && (
          <SidePanel
            columns={columns}
            strings={trace.strings}
            row={selected}
            client={client}
            usualUntil={props.reload && trace.start}
            onClose={deselect}
          />
        )}
      </div>
      <Arrivals count={trace.counts.spans} />
      {isHelp && <KeyboardHelp onClose={() => setHelp(false)} />}
    </>
  )
}

const KeyboardHelp = late(async () => (await import('./KeyboardHelp.tsx')).KeyboardHelp)
const FlameView = late(async () => (await import('./FlameView.tsx')).FlameView)
const SequenceView = late(async () => (await import('./SequenceView.tsx')).SequenceView)
const TableView = late(async () => (await import('./TableView.tsx')).TableView)

function View(props: ViewProps & { view: TraceView; data: GridData; handle: React.RefObject<TimelineHandle | null> }) {
  const { view, data, handle, ...rest } = props
  if (view === 'hops' || view === 'spans') return <Timeline ref={handle} data={data} {...rest} />
  return (
    <>
      {view === 'flame' && <FlameView {...rest} />}
      {view === 'sequence' && <SequenceView {...rest} />}
      {view === 'table' && <TableView {...rest} />}
    </>
  )
}

/** The trace with corrected times, or as reported: those rows come from the worker when they are first asked for. */
function useClock({ trace, client }: TraceState & { state: 'done' }, clock: TraceRoute['clock']): TraceColumns {
  const [raw, setRaw] = useState<TraceColumns>()
  const isRaw = clock === 'raw' && trace.counts.moved > 0
  useEffect(() => {
    if (!isRaw) return
    let isCurrent = true
    client.raw().then(
      columns => isCurrent && setRaw(columns),
      () => undefined,
    )
    return () => {
      isCurrent = false
    }
  }, [client, trace, isRaw])
  return isRaw && raw ? raw : trace
}

function useFind(client: TraceClient, trace: TraceColumns, text: string): readonly number[] | undefined {
  const [found, setFound] = useState<readonly number[]>()
  // a trace that has grown is looked through anew
  useEffect(() => {
    let isCurrent = true
    if (text.trim() === '') {
      setFound(undefined)
      return
    }
    let sofar: readonly number[] = []
    client
      .find(text, spans => {
        sofar = [...sofar, ...spans]
        if (isCurrent) setFound(sofar)
      })
      .catch(() => isCurrent && setFound(undefined))
    return () => {
      isCurrent = false
    }
  }, [client, trace, text])
  return found
}

/** Tells, not too often, how many spans have come since the last time. */
function Arrivals({ count }: { count: number }) {
  const [text, setText] = useState('')
  const told = useRef(count)
  const latest = useRef(count)
  latest.current = count
  useEffect(() => {
    const timer = setInterval(() => {
      const more = latest.current - told.current
      told.current = latest.current
      if (more > 0) setText(`${more} ${more === 1 ? 'span' : 'spans'} arrived`)
    }, ANNOUNCE_MS)
    return () => clearInterval(timer)
  }, [])
  return (
    <p className="sr-only" aria-live="polite">
      {text}
    </p>
  )
}

function markRows(columns: RowColumns, spans: readonly number[]): Uint8Array {
  const wanted = new Set(spans)
  const marks = new Uint8Array(columns.count)
  for (let row = 0; row < columns.count; row++) {
    for (let i = columns.spanAt[row]!; i < columns.spanAt[row + 1]!; i++) {
      if (wanted.has(columns.spanIndex[i]!)) marks[row] = 1
    }
  }
  return marks
}

function countRows(marks: Uint8Array | undefined): number {
  let count = 0
  for (const mark of marks ?? []) count += mark
  return count
}

/** A tenth of a microsecond is enough for a link. */
function round(time: number): number {
  return Math.round(time * 10) / 10
}
