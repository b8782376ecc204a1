import { apiUrl } from '../shared/navigation.ts'
import { pageWithTrace } from './page-file.ts'
import type { TraceClient } from './trace-client.ts'

export type ExportFormat = 'zipkin' | 'otlp' | 'page'

/** Has the browser save the trace as a file. Throws where it cannot be written so. */
export async function downloadTrace(client: TraceClient, traceId: string, format: ExportFormat): Promise<void> {
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
