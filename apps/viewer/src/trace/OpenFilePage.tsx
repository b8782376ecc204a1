import { closeFile, openFile, useOpenedFile } from './opened-file.ts'
import { TracePage } from './TracePage.tsx'
import { traceRoute } from './trace-url.ts'

/** A trace from a file: nothing of it leaves the browser. */
export function OpenFilePage() {
  const file = useOpenedFile()
  if (file) {
    return <TracePage key={file.name} route={traceRoute(file.name)} source={file.source} onClose={closeFile} />
  }
  return (
    <div className="drop">
      <h1>Open a trace from a file</h1>
      <p>
        Drop it on any page, or paste its text: Zipkin JSON (v2), OTLP JSON, Jaeger JSON; a page that <em>Export</em>{' '}
        wrote; gzipped too. It stays in this browser.
      </p>
      <label className="file">
        <span>Choose a file</span>
        <input
          type="file"
          accept=".json,.gz,.html,application/json"
          onChange={event => event.target.files?.[0] && void openFile(event.target.files[0])}
        />
      </label>
    </div>
  )
}
