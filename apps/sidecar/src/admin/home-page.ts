import type { AdminPage } from './admin-server.ts'

const STYLE =
  'body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em;color:#222}' +
  'table{border-collapse:collapse}td{padding:.2em 1em .2em 0;vertical-align:top}td:first-child{white-space:nowrap}' +
  'button{font:inherit}pre{white-space:pre-wrap;overflow-wrap:anywhere}input{font:inherit;width:24em}'

/** `/`: what there is, as links, and as buttons where it changes something. */
export function homePage(name: string, pages: () => readonly AdminPage[]): AdminPage {
  return {
    path: '/',
    help: 'Admin home page',
    handle: () => ({
      type: 'html',
      body: htmlPage(`${name} admin`, `<table>${pages().map(row).join('')}</table>`),
    }),
  }
}

function row({ path, help, mutates }: AdminPage): string {
  const [first, ...parameters] = help.split('\n').map(escapeHtml)
  const what =
    mutates === true
      ? `<form method="post" action="${path.slice(1)}"><button>${path}</button></form>`
      : `<a href="${path.slice(1)}">${path}</a>`
  return `<tr><td>${what}</td><td>${[first, ...parameters.map(text => `<small>${text}</small>`)].join('<br>')}</td></tr>`
}

/** `/stats?format=html`: the text, and its filter to be changed. */
export function statsHtml(text: string, query: URLSearchParams): string {
  const filter = escapeHtml(query.get('filter') ?? '')
  const form =
    `<form><input type="hidden" name="format" value="html"><label>filter <input name="filter" value="${filter}"></label> ` +
    `<label><input type="checkbox" style="width:auto" name="usedonly"${query.has('usedonly') ? ' checked' : ''}> used only</label> ` +
    '<button>show</button></form>'
  return htmlPage('stats', `<p><a href=".">admin</a></p>${form}<pre>${escapeHtml(text)}</pre>`)
}

function htmlPage(title: string, body: string): string {
  const heading = escapeHtml(title)
  return `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>${heading}</title><style>${STYLE}</style></head><body><h1>${heading}</h1>${body}</body></html>\n`
}

/** No name that a mesh brings can become markup. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`)
}
