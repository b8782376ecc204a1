import { useMemo } from 'react'
import { searchRoute } from '../search/search-url.ts'
import { Chip } from '../shared/Chip.tsx'
import { formatDuration } from '../shared/duration.ts'
import { Notice } from '../shared/Notice.tsx'
import { linkTo } from '../shared/navigation.ts'
import { type ComparedPath, compareCohorts, type PathSample, verdictOf } from './compare-cohorts.ts'
import type { CompareRoute } from './compare-url.ts'
import { IntervalPlot } from './IntervalPlot.tsx'
import { MAX_COHORT, type Side } from './load-side.ts'
import { signed } from './signed.ts'

const VERDICTS = { slower: '▲ slower', faster: '▼ faster', same: 'no difference shown', unknown: 'too few to tell' }
const MIN_TRACES = 5
type Cohort = Side & { kind: 'cohort' }

/** Way by way: how long the calls take in either set, and whether the difference is one. */
export function CohortTable({ a, b, route }: { a: Cohort; b: Cohort; route: CompareRoute }) {
  const { total, paths } = useMemo(() => compareCohorts(a.traces, b.traces), [a, b])
  // A trace that was still growing has ways of its own; too few to compare.
  const rows = [total, ...paths.filter(path => Math.max(path.a.traces, path.b.traces) >= MIN_TRACES)]
  const rare = paths.length + 1 - rows.length
  const reach = Math.max(1, ...rows.flatMap(({ difference: d }) => (d ? [Math.abs(d.low), Math.abs(d.high)] : [])))
  if (a.traces.length === 0 || b.traces.length === 0) {
    const side = a.traces.length === 0 ? 'A' : 'B'
    return (
      <Notice kind="empty" title={`${side} finds no trace`}>
        <p>
          In this time nothing is like <code>{side === 'A' ? route.a : route.b}</code>. Widen the time, or change it.
        </p>
      </Notice>
    )
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <section className="compare-body" aria-label="Comparison" tabIndex={0}>
      <Headline total={total} a={a} b={b} />
      <table className="cohorts">
        <thead>
          <tr>
            <th scope="col">Way through the mesh</th>
            <th scope="col" className="number">
              median A
            </th>
            <th scope="col" className="number">
              median B
            </th>
            <th scope="col">B less A, 95 % confidence</th>
            <th scope="col" className="number">
              difference
            </th>
            <th scope="col" className="number">
              calls a trace
            </th>
            <th scope="col" className="number">
              attempts a call
            </th>
            <th scope="col" className="number">
              failed
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <PathRow key={row.path.join('\n')} row={row} reach={reach} route={route} />
          ))}
        </tbody>
      </table>
      <p className="muted rare">
        At 95 % one way in twenty looks different by chance.
        {rare > 0 && ` ${rare} more ${rare === 1 ? 'way' : 'ways'}, each in fewer than ${MIN_TRACES} traces.`}
      </p>
    </section>
  )
}

function Headline({ total, a, b }: { total: ComparedPath; a: Cohort; b: Cohort }) {
  const verdict = verdictOf(total)
  const d = total.difference
  return (
    <p className="headline" role="status">
      {verdict === 'slower' || verdict === 'faster' ? (
        <>
          B is{' '}
          <strong className={verdict}>
            {formatDuration(Math.abs(d!.value))} {verdict}
          </strong>{' '}
          at the median
          <span className="muted">
            {' '}
            (95 % confidence {signed(d!.low)} to {signed(d!.high)})
          </span>
          ; a trace of B takes longer than one of A in {Math.round(total.slower! * 100)} % of pairs.
        </>
      ) : verdict === 'same' ? (
        <>
          <strong>No difference shown</strong> between whole traces: {signed(d!.low)} to {signed(d!.high)}.
        </>
      ) : (
        <>
          <strong>Too few traces to tell:</strong> five on either side at least.
        </>
      )}{' '}
      <span className="muted">
        {count(a)} against {count(b)} traces.
      </span>
    </p>
  )
}

function count({ traces, isCut }: Cohort): string {
  return isCut ? `the newest ${MAX_COHORT}` : String(traces.length)
}

function PathRow({ row, reach, route }: { row: ComparedPath; reach: number; route: CompareRoute }) {
  const { a, b, difference, path } = row
  const verdict = verdictOf(row)
  const isWhole = path.length === 0
  return (
    <tr className={isWhole ? 'whole' : undefined}>
      <th scope="row" style={{ paddingLeft: 14 + Math.min(12, Math.max(0, path.length - 1)) * 18 }}>
        {isWhole ? (
          'whole trace'
        ) : (
          <a
            {...linkTo(
              searchRoute({ hop: { ...(row.caller ? { caller: row.caller } : {}), callee: row.callee } }, route.time),
            )}
          >
            {row.caller && (
              <>
                <Chip service={row.caller} /> <span aria-hidden="true">→</span>{' '}
              </>
            )}
            <Chip service={row.callee} />
          </a>
        )}
      </th>
      <td className="number">{a.traces > 0 ? formatDuration(a.median) : <span className="muted">not there</span>}</td>
      <td className="number">{b.traces > 0 ? formatDuration(b.median) : <span className="muted">not there</span>}</td>
      <td className="plot">
        {difference && (
          <IntervalPlot intervals={[difference]} from={-reach} to={reach} format={signed} tone={verdict} />
        )}
      </td>
      <td className={`number verdict ${verdict}`}>
        {difference && <strong>{signed(difference.value)}</strong>}
        <span>{VERDICTS[verdict]}</span>
      </td>
      {isWhole ? (
        <td colSpan={3} />
      ) : (
        <>
          <Pair a={a} b={b} of={side => side.calls / side.traces} />
          <Pair a={a} b={b} of={side => side.attempts / side.calls} />
          <Pair a={a} b={b} of={side => (side.failed / side.calls) * 100} unit=" %" isBad />
        </>
      )}
    </tr>
  )
}

/** A number of either side; said once where both have it. */
function Pair(props: {
  a: PathSample
  b: PathSample
  of: (side: PathSample) => number
  unit?: string
  isBad?: boolean
}) {
  const [a, b] = [props.of(props.a), props.of(props.b)]
  const text = (value: number) => (Number.isFinite(value) ? `${Number(value.toFixed(2))}${props.unit ?? ''}` : '–')
  if (text(a) === text(b)) return <td className="number muted">{text(a)}</td>
  return (
    <td className={props.isBad && b > a ? 'number bad' : 'number'}>
      {text(a)} <span aria-hidden="true">→</span>
      <span className="sr-only">in A,</span> <strong>{text(b)}</strong>
      <span className="sr-only"> in B</span>
    </td>
  )
}
