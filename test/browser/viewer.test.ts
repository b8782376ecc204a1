import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Span } from '@hopscope/model'
import { generateTrace, seededRandom } from '@hopscope/model/testing'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findChromium, launchChromium } from './harness/chromium.ts'
import { buildViewer, type Collector, startCollector } from './harness/collector.ts'
import { shopTrace } from './harness/mesh-trace.ts'

const chromium = findChromium()
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const SHOP = '463ac35c9f6413ad'
const HOSTILE = '463ac35c9f6413ae'

const name = chromium ? 'the viewer' : 'the viewer (skipped: no Chromium; install it or set HOPSCOPE_CHROMIUM)'
describe.skipIf(!chromium)(name, () => {
  let collector: Collector
  let browser: Browser
  let context: BrowserContext
  let page: Page
  const problems: string[] = []
  let big: Span[]

  beforeAll(async () => {
    await buildViewer()
    collector = await startCollector()
    const now = Date.now() * 1_000
    await collector.send(shopTrace(SHOP, now - 5_000_000))
    await collector.send(hostileTrace(now - 4_000_000))
    big = generateTrace({ spans: 10_000, services: 24, shared: true, timestamp: now - 60_000_000 }, seededRandom(3))
    for (let i = 0; i < big.length; i += 2_000) await collector.send(big.slice(i, i + 2_000))
    browser = await launchChromium(chromium!)
  })
  afterAll(async () => {
    await browser?.close()
    await collector?.stop()
  })
  beforeEach(async () => {
    await start('light')
  })
  afterEach(async () => {
    await context.close()
    expect(problems).toEqual([])
  })

  /** A page that notes what must never happen: script errors, policy violations, requests to elsewhere. */
  async function start(colorScheme: 'light' | 'dark'): Promise<void> {
    await context?.close()
    problems.length = 0
    context = await browser.newContext({ colorScheme, viewport: { width: 1280, height: 800 } })
    page = await context.newPage()
    page.on('pageerror', error => problems.push(error.message))
    page.on('dialog', dialog => problems.push(`dialog ${dialog.message()}`))
    page.on('console', message => {
      if (/Content Security Policy/.test(message.text())) problems.push(message.text())
    })
    page.on('request', request => {
      const url = new URL(request.url())
      if (url.origin !== collector.origin && url.protocol !== 'blob:') problems.push(`request to ${request.url()}`)
    })
  }
  const open = (path: string) => page.goto(`${collector.origin}/zipkin/${path}`)
  const rows = () => page.locator('.row:visible')

  it('searches what the URL says, and opens a trace from the list', async () => {
    await open('?serviceName=stock&annotationQuery=http.status_code%3D503&lookback=15m')
    await page.locator('.result').first().waitFor()
    expect(await page.locator('.result').count()).toBe(1)
    expect(await page.getByLabel('Service', { exact: true }).inputValue()).toBe('stock')
    expect(await page.locator('.result').innerText()).toMatch(/edge[\s\S]*182ms/)
    await page.locator('.result a').click()
    await page.waitForURL(`**/zipkin/traces/${SHOP}`)
    await rows().first().waitFor()
    await page.goBack()
    await page.locator('.result').waitFor()
  })

  it('searches by the form, keeps it in the URL, and says what to do when nothing is found', async () => {
    await open('')
    await page.locator('.result').first().waitFor()
    await page.getByLabel('Service', { exact: true }).fill('nobody')
    await page.keyboard.press('Enter')
    await page.getByText('No trace matches').waitFor()
    expect(new URL(page.url()).search).toBe('?serviceName=nobody')
    expect(await page.locator('.command').first().innerText()).toBe('./hopscope up')
    await page.getByLabel('Min', { exact: true }).fill('soon')
    expect(await page.getByRole('alert').innerText()).toContain('10ms')
  })

  it('shows calls as hops, and every span beside', async () => {
    await open(`traces/${SHOP}`)
    await rows().first().waitFor()
    const hops = await rows().evaluateAll(elements => elements.map(row => row.querySelector('.label')?.textContent))
    expect(hops).toHaveLength(5)
    expect(hops[1]).toContain('shop→ stockGET /stock/42503')
    expect(hops[4]).toContain('shop→ paymentGET /chargeuntraced')
    await page.getByRole('button', { name: 'Spans' }).click()
    await expect.poll(() => rows().count()).toBe(9)
    expect(page.url()).toContain('view=spans')
    await page.reload()
    await expect.poll(() => rows().count()).toBe(9)
  })

  it('is walked by keyboard, and shows the tags of the selected row', async () => {
    await open(`traces/${SHOP}`)
    const grid = page.getByRole('treegrid')
    await rows().first().waitFor()
    await grid.focus()
    await page.keyboard.press('e')
    // the row is drawn, and named as the active one, in the frame after the key
    const active = page.locator('.row.selected')
    await expect.poll(() => active.getAttribute('aria-rowindex')).toBe('3')
    expect(await grid.getAttribute('aria-activedescendant')).toBe(await active.getAttribute('id'))
    const panel = page.locator('#panel')
    await panel.getByText('http.status_code').first().waitFor()
    expect(await panel.innerText()).toMatch(/http\.url\s+http:\/\/stock:8080\/stock\/42/)
    expect(await panel.innerText()).toContain('Where the time went')
    await page.keyboard.press('ArrowLeft')
    await expect.poll(() => rows().count()).toBe(4)
    await page.keyboard.press('+')
    await page.waitForURL(/t=/)
    await page.keyboard.press('0')
    await page.waitForURL(url => !url.search.includes('t='))
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('/')
    await page.keyboard.type('sku=42')
    await expect.poll(() => page.locator('.row.match').count()).toBe(1)
    await page.keyboard.press('Enter')
    await page.keyboard.press('n')
    await page.locator('.row.selected.match').waitFor()
  })

  it('draws who calls whom, with errors, and leads to the traces', async () => {
    await open('dependency')
    const stock = page.getByRole('button', { name: /^stock 1 call ✕ 100%/ })
    await stock.focus()
    await page.keyboard.press('Enter')
    const panel = page.getByLabel('Service stock')
    await panel.getByRole('link', { name: 'traces of shop calling stock' }).waitFor()
    await page.getByRole('button', { name: 'Table' }).click()
    await page.getByRole('row', { name: /shop stock 1/ }).waitFor()
    await panel.getByRole('link', { name: 'Traces of stock', exact: true }).click()
    await page.locator('.result').first().waitFor()
    expect(page.url()).toContain('serviceName=stock')
  })

  it("opens Zipkin's links", async () => {
    await open(`?serviceName=shop&lookback=millis&millis=900000&endTs=${Date.now()}&limit=5`)
    await page.locator('.result').first().waitFor()
    expect(await page.locator('.result').count()).toBe(1)
    await open(`dependency?startTs=${Date.now() - 900_000}&endTs=${Date.now()}`)
    await page.getByRole('button', { name: /^shop 1 call/ }).waitFor()
    await open('traces/00000000000000ff')
    await page.getByText('This trace is not here').waitFor()
  })

  it('shows hostile names as text', async () => {
    for (const path of [`traces/${HOSTILE}?view=spans&span=000000000000000a`, '?annotationQuery=evil', 'dependency']) {
      await open(path)
      await page.locator('.row, .result, .node').first().waitFor()
      expect(await page.locator('main img, main script, main iframe').count()).toBe(0)
    }
    await open(`traces/${HOSTILE}?view=spans&span=000000000000000a`)
    await page.locator('#panel').getByText('"><script>').first().waitFor()
    expect(await page.evaluate('window.pwned')).toBeUndefined()
  })

  it('opens a file, and says what is wrong with one', async () => {
    const file = (text: string) => ({ name: 'trace.json', mimeType: 'application/json', buffer: Buffer.from(text) })
    await open('traceViewer')
    await page.getByLabel('Choose a file').setInputFiles(file(JSON.stringify(shopTrace(SHOP, 1_700_000_000_000_000))))
    await expect.poll(() => rows().count()).toBe(5)
    await page.reload()
    await page.getByLabel('Choose a file').setInputFiles(file('[{"traceId":'))
    await page.getByText('This trace cannot be read').waitFor()
    expect(await page.getByRole('alert').innerText()).toContain('Not JSON')
  })

  it('opens 10,000 spans with few elements, and goes to the last one', async () => {
    await open(`traces/${big[0]!.traceId}?view=spans`)
    await rows().first().waitFor()
    expect(await page.getByRole('treegrid').getAttribute('aria-rowcount')).toBe(String(big.length + 1))
    await page.getByRole('treegrid').focus()
    await page.keyboard.press('End')
    await page.locator(`.row.selected[aria-rowindex="${big.length + 1}"]`).waitFor()
    expect(await page.locator('*').count()).toBeLessThan(1_500)
  })

  for (const scheme of ['light', 'dark'] as const) {
    it(`has nothing for axe to complain about, ${scheme}`, async () => {
      await start(scheme)
      const pages = [
        '',
        '?serviceName=nobody',
        `traces/${SHOP}?span=0000000000000002`,
        'dependency?select=stock',
        'dependency?view=table',
        'traceViewer',
        'traces/00000000000000ff',
      ]
      for (const path of pages) {
        await open(path)
        await page.locator('.row, .result, .node, .notice, .links, .drop').first().waitFor()
        if (path.includes('span=')) await page.locator('.span-card').first().waitFor()
        // As a debugger would: the page's policy forbids scripts that are added to it.
        await page.evaluate(AXE)
        const violations = await page.evaluate(async () => {
          // biome-ignore lint/suspicious/noExplicitAny: axe puts itself on the window, untyped
          const result = await (window as any).axe.run()
          return result.violations.map(
            (v: Violation) => `${v.id}: ${v.nodes.map(n => n.html.slice(0, 120)).join(' | ')}`,
          )
        })
        expect(violations, path).toEqual([])
      }
    }, 240_000)
  }
})

type Violation = { id: string; nodes: { html: string }[] }

function hostileTrace(timestamp: number): Span[] {
  const markup = '"><script>window.pwned=1</script><img src=x onerror="window.pwned=1">'
  return [
    {
      traceId: HOSTILE,
      id: '000000000000000a',
      kind: 'CLIENT',
      name: markup,
      timestamp,
      duration: 1_000,
      localEndpoint: { serviceName: `svc${markup}` },
      remoteEndpoint: { serviceName: `peer${markup}` },
      annotations: [{ timestamp, value: markup }],
      tags: { evil: markup, [markup]: 'key', 'http.url': 'javascript:window.pwned=1' },
    },
  ]
}
