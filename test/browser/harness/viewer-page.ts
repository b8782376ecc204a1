import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Collector } from './collector.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface ViewerPage {
  page: Page
  context: BrowserContext
  /** What must never happen: script errors, policy violations, dialogs, requests to elsewhere. */
  problems: string[]
  /** Goes to a path below /zipkin/. */
  open(path: string): Promise<unknown>
}

/** A page of its own, with nothing kept from another one. */
export async function openViewer(
  browser: Browser,
  collector: Pick<Collector, 'origin'>,
  options: { colorScheme?: 'light' | 'dark'; viewport?: { width: number; height: number } } = {},
): Promise<ViewerPage> {
  const { colorScheme = 'light', viewport = { width: 1280, height: 800 } } = options
  const context = await browser.newContext({ colorScheme, viewport })
  context.setDefaultTimeout(60_000)
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', error => problems.push(error.message))
  page.on('dialog', dialog => problems.push(`dialog ${dialog.message()}`))
  page.on('console', message => {
    if (/Content Security Policy/.test(message.text())) problems.push(message.text())
  })
  page.on('request', request => {
    const url = new URL(request.url())
    if (url.origin !== collector.origin && url.protocol !== 'blob:') problems.push(`request to ${request.url()}`)
  })
  return { page, context, problems, open: path => page.goto(`${collector.origin}/zipkin/${path}`) }
}

/** What axe complains about on the page as it is now, one line a rule. */
export async function axeViolations(page: Page): Promise<string[]> {
  // As a debugger would: the page's policy forbids scripts that are added to it.
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    // biome-ignore lint/suspicious/noExplicitAny: axe puts itself on the window, untyped
    const result = await (window as any).axe.run()
    return result.violations.map((v: Violation) => `${v.id}: ${v.nodes.map(n => n.html.slice(0, 120)).join(' | ')}`)
  })
}

type Violation = { id: string; nodes: { html: string }[] }
