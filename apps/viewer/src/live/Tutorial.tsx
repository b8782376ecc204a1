import { fetchServices } from '../api/queries.ts'
import { searchRoute } from '../search/search-url.ts'
import { CopyCommand } from '../shared/CopyCommand.tsx'
import { linkTo } from '../shared/navigation.ts'
import { useFetch } from '../shared/use-fetch.ts'
import type { Live } from './use-live.ts'

/** What to do while nothing comes: each step ticks itself off, and the first trace takes the page over. */
export function Tutorial({ connection }: { connection: Live['connection'] }) {
  const { origin } = location
  const isUp = connection === 'open'
  // What a collector that is away knew may not be so any more.
  const [services] = useFetch(isUp ? 'services' : undefined, fetchServices)
  const known = services.data ?? []
  return (
    <section className="tutorial" aria-labelledby="tutorial-title">
      <Ripples />
      <h1 id="tutorial-title">Waiting for the first trace</h1>
      <p className="lead">The first request through a mesh appears here by itself.</p>
      <ol>
        <li className={isUp ? 'done' : undefined}>
          <h2>{isUp ? 'The collector listens' : 'Reaching the collector …'}</h2>
          <p>
            At <code>{origin}</code>, for Zipkin and OpenTelemetry reporters.
          </p>
        </li>
        <li className={known.length > 0 ? 'done' : undefined}>
          <h2>
            {known.length > 0
              ? `It knows ${known.length} ${known.length === 1 ? 'service' : 'services'}`
              : 'Run a mesh'}
          </h2>
          {known.length > 0 ? (
            <p>
              Nothing came in the last five minutes. <a {...linkTo(searchRoute({}))}>Look further back</a>, or send
              something:
            </p>
          ) : (
            <>
              <p>The tour: a small shop behind an edge proxy, with something slow and something that fails.</p>
              <CopyCommand>npm start</CopyCommand>
            </>
          )}
        </li>
        <li>
          <h2>Send a request through it</h2>
          <p>It prints the status, and the link to its trace.</p>
          <CopyCommand>./hopscope curl /</CopyCommand>
          <p>Or report one span from anywhere:</p>
          <CopyCommand>{curlLine(origin)}</CopyCommand>
          <p>Or point an OpenTelemetry SDK at it:</p>
          <CopyCommand>{`export OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_EXPORTER_OTLP_ENDPOINT=${origin}`}</CopyCommand>
        </li>
      </ol>
    </section>
  )
}

/** A line that works when pasted: one span, now. */
function curlLine(origin: string): string {
  return `curl ${origin}/api/v2/spans -H 'content-type: application/json' -d '[{"traceId":"'$(openssl rand -hex 8)'","id":"1","name":"hello","kind":"SERVER","timestamp":'$(date +%s)'000000,"duration":12000,"localEndpoint":{"serviceName":"curl"}}]'`
}

/** A still pond, with one stone that has not been thrown yet. */
function Ripples() {
  return (
    <svg className="ripples" viewBox="0 0 320 80" aria-hidden="true">
      <path d="M30 58c0-52 80-52 80 0 0-52 80-52 80 0 0-44 76-44 100-12" />
      {[30, 110, 190].map(x => (
        <g key={x}>
          <ellipse cx={x} cy="61" rx="22" ry="6" />
          <ellipse cx={x} cy="61" rx="11" ry="3" />
        </g>
      ))}
      <circle cx="290" cy="44" r="6" />
    </svg>
  )
}
