import { useRef, useState } from 'react'
import type { TraceColumns } from './columns.ts'
import type { ExportFormat } from './download-trace.ts'
import { rawTraceUrl } from './start-trace.ts'
import type { TraceClient } from './trace-client.ts'

const FORMATS: readonly (readonly [format: ExportFormat, name: string, text: string])[] = [
  ['zipkin', 'Zipkin JSON', 'as it was reported'],
  ['otlp', 'OTLP JSON', 'for OpenTelemetry'],
  ['page', 'HTML page', 'this view in one file, without a server'],
]

/** Ways to take the trace along. */
export function ExportMenu(props: { client: TraceClient; trace: TraceColumns; isStored: boolean }) {
  const { client, trace } = props
  const menu = useRef<HTMLDetailsElement>(null)
  const [problem, setProblem] = useState<string>()
  // A page that was exported is one already.
  const formats = document.documentElement.dataset.exported === undefined ? FORMATS : FORMATS.slice(0, 2)
  const take = async (format: ExportFormat) => {
    try {
      const { downloadTrace } = await import('./download-trace.ts')
      await downloadTrace(client, trace.traceId, format)
      setProblem(undefined)
      menu.current!.open = false
    } catch (error) {
      setProblem((error as { message: string }).message)
    }
  }
  return (
    <details
      ref={menu}
      className="menu"
      onKeyDown={event => {
        if (event.key !== 'Escape' || !menu.current!.open) return
        menu.current!.open = false
        menu.current!.querySelector('summary')!.focus()
      }}
      onBlur={event => {
        if (!event.currentTarget.contains(event.relatedTarget)) menu.current!.open = false
      }}
    >
      <summary className="button quiet">↓ Export</summary>
      <div className="menu-items">
        {formats.map(([format, name, text]) => (
          <button key={format} type="button" className="quiet" onClick={() => void take(format)}>
            {name} <span className="muted">{text}</span>
          </button>
        ))}
        {props.isStored && (
          <a className="button quiet" href={rawTraceUrl(trace.traceId)} target="_blank" rel="noreferrer">
            The API’s answer <span className="muted">in a new tab</span>
          </a>
        )}
        {problem !== undefined && <p role="alert">{problem}</p>}
      </div>
    </details>
  )
}
