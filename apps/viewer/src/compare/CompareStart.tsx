import { CopyCommand } from '../shared/CopyCommand.tsx'
import { linkTo } from '../shared/navigation.ts'
import { COMPARE, type CompareRoute } from './compare-url.ts'
import { MeasuredRuns } from './MeasuredRuns.tsx'

const IDEAS: readonly (readonly [a: string, b: string, text: string])[] = [
  ['-attempt>1', 'attempt>1', 'What a retry costs: traces without one, and traces with one'],
  ['-error', 'error', 'What fails: traces without an error, and traces with one'],
  ['-untraced', 'untraced', 'What is hidden: traces seen whole, and traces with a silent callee'],
]

/** What can be compared, before something is chosen. */
export function CompareStart({ route }: { route: CompareRoute }) {
  const { time } = route
  const untraced = (
    <section>
      <h2>Traced and untraced</h2>
      <p>
        What do sidecars cost, and what does tracing cost on top? An untraced run leaves no trace, so the caller
        measures: the same call without sidecars, without tracing and with it, in turn. The command prints the link to
        its result.
      </p>
      <CopyCommand>{'./hopscope compare 05 --view'}</CopyCommand>
      <MeasuredRuns route={route} />
    </section>
  )
  return (
    <div className="compare-start">
      {route.runs !== '' && untraced}
      <section>
        <h2>Two traces</h2>
        <p>
          Put two trace ids above, or choose <span aria-hidden="true">⇄</span> beside a trace in any list, then beside
          another. They are laid over each other call by call.
        </p>
      </section>
      <section>
        <h2>Two sets of traces</h2>
        <p>A side may be a query. Medians are compared for each way through the mesh, with 95 % confidence:</p>
        <ul>
          {IDEAS.map(([a, b, text]) => (
            <li key={a}>
              <a {...linkTo({ ...COMPARE, time, a, b })}>{text}</a>
            </li>
          ))}
        </ul>
      </section>
      {route.runs === '' && untraced}
    </div>
  )
}
