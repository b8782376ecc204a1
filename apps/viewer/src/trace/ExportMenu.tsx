import { useRef, useState } from 'react'
import { apiUrl } from '../shared/navigation.ts'
import type { TraceColumns } from './columns.ts'
import { pageWithTrace } from './page-file.ts'
import { rawTraceUrl } from './start-trace.ts'
import type { TraceClient } from './trace-client.ts'

type Format = 'zipkin' | 'otlp' | 'page'

const FORMATS: readonly (readonly [format: Format, name: string, text: string])[] = [
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
  const take = async (format: Format) => {
    try {
      await download(client, trace.traceId, format)
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

async function download(client: TraceClient, traceId: string, format: Format): Promise<void> {
  const json = await client.export(format === 'page' ? 'zipkin' : format)
  const text = format === 'page' ? pageWithTrace(await fetchPage(), json, `Trace ${traceId}`) : json
  const type = format === 'page' ? 'text/html' : 'application/json'
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = url
  const name = traceId.replace(/[^0-9a-z-]/gi, '_')
  link.download = `${name}${format === 'page' ? '.html' : format === 'otlp' ? '.otlp.json' : '.json'}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

async function fetchPage(): Promise<string> {
  const response = await fetch(apiUrl('exported.html'), { cache: 'no-cache' })
  if (!response.ok) throw new Error(`The page to export into is missing: ${response.status} ${response.statusText}`)
  return response.text()
}
