import { useMemo, useState } from 'react'
import { navigate } from '../shared/navigation.ts'
import type { CompareRoute } from './compare-url.ts'
import { IntervalPlot } from './IntervalPlot.tsx'
import { decodeRuns, encodeRuns, type Measurement, parseMeasurement } from './measured-runs.ts'

const ms = (value: number) => `${value.toFixed(2)} ms`

/** The runs of `hopscope compare`, from the link that it prints or from its file, which then is in the link: nothing else leaves the browser. */
export function MeasuredRuns({ route }: { route: CompareRoute }) {
  const [problem, setProblem] = useState<string>()
  const linked = useMemo(() => readLink(route.runs), [route.runs])
  const open = async (file: File | undefined) => {
    if (!file) return
    try {
      const runs = encodeRuns(parseMeasurement(await file.text()))
      setProblem(undefined)
      navigate({ ...route, runs })
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  const shown = problem ?? linked.problem
  return (
    <>
      {shown !== undefined && (
        <p className="form-problem" role="alert">
          {shown}
        </p>
      )}
      {problem === undefined && linked.measurement && <RunTable measurement={linked.measurement} />}
      <label className="file">
        <span>Open its runs.json</span>
        <input type="file" accept=".json,application/json" onChange={event => void open(event.target.files?.[0])} />
      </label>
    </>
  )
}

function readLink(runs: string): { measurement?: Measurement; problem?: string } {
  if (runs === '') return {}
  try {
    return { measurement: decodeRuns(runs) }
  } catch (error) {
    return { problem: (error as Error).message }
  }
}

function RunTable({ measurement }: { measurement: Measurement }) {
  const { runs } = measurement
  const most = Math.max(...runs.map(({ p95 }) => p95.high))
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <section className="runs" aria-label={`Runs of ${measurement.scenario}`} tabIndex={0}>
      <table className="links">
        <caption>
          {measurement.scenario}, GET {measurement.path}, one call at a time, 95 % confidence
        </caption>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col" className="number">
              n
            </th>
            <th scope="col">median and p95</th>
            <th scope="col" className="number">
              p50
            </th>
            <th scope="col" className="number">
              p95
            </th>
            <th scope="col" className="number">
              p99
            </th>
            <th scope="col" className="number">
              costs, at p50
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map(run => (
            <tr key={run.name}>
              <th scope="row">{run.name}</th>
              <td className="number">
                {run.n}
                {run.failed > 0 && <span className="bad"> ✕ {run.failed}</span>}
              </td>
              <td>
                <IntervalPlot intervals={[run.p50, run.p95]} from={0} to={most} format={ms} />
              </td>
              <td className="number">{ms(run.p50.value)}</td>
              <td className="number">{ms(run.p95.value)}</td>
              <td className="number">{ms(run.p99.value)}</td>
              <td className="number">
                {run.costs && (
                  <>
                    <strong>
                      {run.costs.value >= 0 ? '+' : '−'}
                      {ms(Math.abs(run.costs.value))}
                    </strong>
                    <br />
                    <span className="muted">
                      {run.costs.low.toFixed(2)} … {run.costs.high.toFixed(2)}
                    </span>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
