import { type DragEvent, useState } from 'react'
import { TracePage } from './TracePage.tsx'
import { traceRoute } from './trace-url.ts'
import type { TraceSource } from './worker-protocol.ts'

/** A trace from a file: nothing of it leaves the browser. */
export function OpenFilePage() {
  const [file, setFile] = useState<{ name: string; source: TraceSource }>()
  const [isOver, setOver] = useState(false)
  const open = async (chosen: File | undefined) => {
    if (chosen) setFile({ name: chosen.name, source: { bytes: await chosen.arrayBuffer() } })
  }
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    void open(event.dataTransfer.files[0])
  }
  if (file) {
    return <TracePage route={traceRoute(file.name)} source={file.source} />
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the file input inside does the same by keyboard
    <div
      className={isOver ? 'drop over' : 'drop'}
      onDragOver={event => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <h1>Open a trace from a file</h1>
      <p>
        Drop Zipkin JSON (v2) here: what <code>GET /api/v2/trace/ID</code> answers, or <em>Export</em> on a trace page.
        It stays in this browser.
      </p>
      <label className="file">
        <span>Choose a file</span>
        <input type="file" accept=".json,application/json" onChange={event => void open(event.target.files?.[0])} />
      </label>
    </div>
  )
}
