/** How the trace begins in a page that holds one: the JSON up to the end of the script is Zipkin's, with `<` written `\\u003c`. */
export const TRACE_SCRIPT = '<script type="application/json" id="trace">'

/** The page without a trace, as it was built, and spans as JSON → a page that shows them without a server. */
export function pageWithTrace(page: string, json: string, title: string): string {
  const at = page.indexOf(TRACE_SCRIPT)
  if (at < 0) throw new Error('The page to export into was built without a place for the trace.')
  const end = at + TRACE_SCRIPT.length
  const head = page.slice(0, end).replace('<title>Hopscope</title>', `<title>${escapeText(title)} · Hopscope</title>`)
  return `${head}${json.replaceAll('<', '\\u003c')}${page.slice(end)}`
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
