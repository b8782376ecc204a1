// A trace in a page of its own: what "Export" writes. No server, no router; the trace is in the page.
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { applyTheme } from '../shared/theme.ts'
import { TracePage } from '../trace/TracePage.tsx'
import { traceRoute } from '../trace/trace-url.ts'

applyTheme()
document.documentElement.dataset.exported = ''
const text = document.getElementById('trace')!.textContent!
const source = { bytes: new TextEncoder().encode(text).buffer }

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <header className="top">
      <span className="brand">Hopscope</span>
    </header>
    <main id="main" className="page-trace" tabIndex={-1}>
      <TracePage route={traceRoute(document.title.replace(/^Trace | · Hopscope$/g, ''))} source={source} />
    </main>
  </StrictMode>,
)
