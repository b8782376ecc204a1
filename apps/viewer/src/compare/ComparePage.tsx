import '../styles/mesh.css'
import '../styles/compare.css'
import { useEffect, useState } from 'react'
import { QueryBox } from '../search/QueryBox.tsx'
import { useKnownNames } from '../search/use-known-names.ts'
import { Notice } from '../shared/Notice.tsx'
import { navigate } from '../shared/navigation.ts'
import { TimeRangeFields } from '../shared/TimeRangeFields.tsx'
import { useFetch } from '../shared/use-fetch.ts'
import { CohortTable } from './CohortTable.tsx'
import { CompareStart } from './CompareStart.tsx'
import { type CompareRoute, isTraceId } from './compare-url.ts'
import { failureOf, loadSide, type Side } from './load-side.ts'
import { TracePair } from './TracePair.tsx'

/** Two traces call by call, or two sets of traces way by way. Each side is what its box says: an id, or a query. */
export function ComparePage({ route }: { route: CompareRoute }) {
  const isAsked = route.a !== '' && route.b !== ''
  const key = (side: string) => (isAsked ? `${side} ${JSON.stringify(route.time)}` : undefined)
  const [a] = useFetch(key(route.a), signal => loadSide(route.a, route.time, signal))
  const [b] = useFetch(key(route.b), signal => loadSide(route.b, route.time, signal))
  const failures = [a, b].map((side, i) =>
    side.state === 'failed' ? failureOf(i === 0 ? route.a : route.b, side.error) : undefined,
  )
  return (
    <>
      <h1 className="sr-only">Compare</h1>
      <Sides key={`${route.a}\n${route.b}`} route={route} />
      {!isAsked && <CompareStart route={route} />}
      {isAsked &&
        failures.map((failure, i) =>
          failure === undefined ? null : (
            <Notice key={i === 0 ? 'a' : 'b'} kind="error" title={`${i === 0 ? 'A' : 'B'} cannot be loaded`}>
              <p>{failure}</p>
            </Notice>
          ),
        )}
      {isAsked && (a.state === 'loading' || b.state === 'loading') && failures.every(failure => !failure) && (
        <p className="opening" role="status">
          Loading both sides …
        </p>
      )}
      {isAsked && a.state === 'done' && b.state === 'done' && <Result a={a.data} b={b.data} route={route} />}
    </>
  )
}

function Result({ a, b, route }: { a: Side; b: Side; route: CompareRoute }) {
  if (a.kind === 'trace' && b.kind === 'trace') return <TracePair a={a.trace} b={b.trace} route={route} />
  // A trace among cohorts is a cohort of one.
  return <CohortTable a={cohortOf(a)} b={cohortOf(b)} route={route} />
}

function cohortOf(side: Side): Side & { kind: 'cohort' } {
  return side.kind === 'cohort' ? side : { kind: 'cohort', traces: [side.trace], isCut: false }
}

function Sides({ route }: { route: CompareRoute }) {
  const [a, setA] = useState(route.a)
  const [b, setB] = useState(route.b)
  const namesA = useKnownNames(a)
  const namesB = useKnownNames(b)
  useEffect(() => {
    setA(route.a)
    setB(route.b)
  }, [route.a, route.b])
  const submit = (next: Partial<CompareRoute>) => navigate({ ...route, a: a.trim(), b: b.trim(), runs: '', ...next })
  const isTraces = isTraceId(route.a) && isTraceId(route.b)
  return (
    <form
      className="compare-sides"
      onSubmit={event => {
        event.preventDefault()
        submit({})
      }}
    >
      <div className="side">
        <span className="side-mark a" aria-hidden="true">
          A
        </span>
        <QueryBox
          label="Side A"
          text={a}
          names={namesA}
          placeholder="a trace id, or a query: -error"
          onType={setA}
          onSubmit={text => submit({ a: text.trim() })}
        />
      </div>
      <button
        type="button"
        className="quiet swap"
        title="A becomes B"
        onClick={() => navigate({ ...route, a: b.trim(), b: a.trim() }, 'replace')}
      >
        ⇄<span className="sr-only"> Swap the sides</span>
      </button>
      <div className="side">
        <span className="side-mark b" aria-hidden="true">
          B
        </span>
        <QueryBox
          label="Side B"
          text={b}
          names={namesB}
          placeholder="another one: attempt>1"
          onType={setB}
          onSubmit={text => submit({ b: text.trim() })}
        />
      </div>
      {!isTraces && <TimeRangeFields time={route.time} onChange={time => submit({ time })} />}
      <button type="submit" className="primary">
        Compare
      </button>
    </form>
  )
}
