import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Span, traceFromText } from '@hopscope/model'
import { generateTrace, seededRandom } from '@hopscope/model/testing'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { traceOfShape } from '../bench/viewer/shapes.ts'
import { findChromium, launchChromium } from './harness/chromium.ts'
import { buildViewer, type Collector, startCollector } from './harness/collector.ts'
import { shopTrace } from './harness/mesh-trace.ts'
import { axeViolations, openViewer, type ViewerPage } from './harness/viewer-page.ts'

const chromium = findChromium()
const SHOP = '463ac35c9f6413ad'
const HOSTILE = '463ac35c9f6413ae'

const name = chromium ? 'the trace page' : 'the trace page (skipped: no Chromium; install it or set HOPSCOPE_CHROMIUM)'
describe.skipIf(!chromium)(name, () => {
  let collector: Collector
  let browser: Browser
  let viewer: ViewerPage
  let page: Page
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
    await viewer.context.close()
    expect(viewer.problems).toEqual([])
  })

  async function start(colorScheme: 'light' | 'dark'): Promise<void> {
    await viewer?.context.close()
    viewer = await openViewer(browser, collector, { colorScheme })
    page = viewer.page
  }
  const open = (path: string) => viewer.open(path)
  const rows = () => page.locator('.row:visible')

  it('shows calls as hops, and every span beside', async () => {
    await open(`traces/${SHOP}`)
    await rows().first().waitFor()
    const hops = await rows().evaluateAll(elements => elements.map(row => row.querySelector('.label')?.textContent))
    expect(hops).toHaveLength(5)
    expect(hops[1]).toContain('shop→ stockGET /stock/42503')
    expect(hops[4]).toContain('shop→ paymentGET /chargeuntraced')
    await page.getByRole('button', { name: 'Spans', exact: true }).click()
    await expect.poll(() => rows().count()).toBe(9)
    await page.waitForURL(/view=spans/)
    await page.reload()
    await expect.poll(() => rows().count()).toBe(9)
  })

  it('is walked by keyboard, and shows the tags of the selected row', async () => {
    await open(`traces/${SHOP}`)
    const grid = page.getByRole('treegrid')
    await rows().first().waitFor()
    // before anything has the focus, too
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
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

  it('leaves out all rows but those that were found, and what is above them', async () => {
    await open(`traces/${SHOP}?find=sku%3D42`)
    await expect.poll(() => page.locator('.row.match').count()).toBe(1)
    await page.getByRole('button', { name: 'Only these' }).click()
    await expect.poll(() => rows().count()).toBe(2)
    expect(await rows().nth(1).innerText()).toContain('price')
    await page.reload()
    await expect.poll(() => rows().count()).toBe(2)
    await page.getByLabel('Find in this trace').fill('')
    await expect.poll(() => rows().count()).toBe(5)
  })

  it('is a flame graph, a sequence and a table too, each in the link', async () => {
    await open(`traces/${SHOP}`)
    await page.getByRole('button', { name: 'Sequence' }).click()
    const messages = page.locator('.message')
    await expect.poll(() => messages.count()).toBe(10)
    expect(await messages.nth(5).innerText()).toContain('✕ 503 · 64ms')
    const critical = page.locator('.message.critical')
    expect(await critical.count()).toBeGreaterThan(0)
    expect(await critical.count()).toBeLessThan(10)
    await page.getByRole('button', { name: 'Critical path' }).click()
    await expect.poll(() => critical.count()).toBe(0)
    await page.getByRole('button', { name: 'Table' }).click()
    await expect.poll(() => page.locator('.table-row').count()).toBe(9)
    // the slowest by itself comes first: price, which calls nobody
    expect(await page.locator('.table-row').first().innerText()).toContain('price')
    await page.getByRole('columnheader', { name: 'Start' }).getByRole('button').click()
    await page.locator('.table-row').first().click()
    await page.locator('#panel').waitFor()
    await page.getByRole('button', { name: 'Flame' }).click()
    await page.waitForURL(/view=flame/)
    const flame = page.getByRole('application')
    await flame.focus()
    await page.keyboard.press('ArrowDown')
    // the address bar follows a moment after what is on screen
    await page.waitForURL(url => url.searchParams.get('span') === '0000000000000001.1')
    expect(await flame.innerText()).toContain('shop')
  })

  it('grows while it is watched, and nothing moves under the pointer', async () => {
    const id = '463ac35c9f6413b0'
    const spans = shopTrace(id, Date.now() * 1_000 - 500_000)
    // a proxy reports a call when it has ended: the inner ones come first
    await collector.send(spans.filter(span => span.tags?.['upstream_cluster.name'] === 'stock'))
    await open(`traces/${id}?span=0000000000000002`)
    await expect.poll(() => rows().count()).toBe(1)
    await page.getByText('still on its way').waitFor()
    const selected = page.locator('.row.selected')
    const shown = await selected.getAttribute('title')
    await collector.send(spans.filter(span => span.tags?.['upstream_cluster.name'] !== 'stock'))
    await expect.poll(() => rows().count()).toBe(5)
    expect(await selected.getAttribute('title')).toBe(shown)
    await page.getByText('still on its way').waitFor({ state: 'detached' })
    await page.locator('[aria-live=polite]', { hasText: /\d spans arrived/ }).waitFor({ state: 'attached' })
    // told again, it is not counted again
    await collector.send(spans.slice(0, 2))
    await page.getByRole('button', { name: 'Spans', exact: true }).click()
    await expect.poll(() => rows().count()).toBe(9)
  })

  it('says what a call usually takes, and what the whole gains if it were faster', async () => {
    const now = Date.now() * 1_000
    for (let i = 1; i <= 25; i++) await collector.send(shopTrace(`00000000000003${i}`, now - (60 + i) * 1_000_000))
    await collector.send(shopTrace('0000000000000300', now - 3_000_000))
    await open('traces/0000000000000300')
    await page.locator('.reasons', { hasText: /shop → price here: 108ms, usually 108ms/ }).waitFor()
    await rows().nth(3).click()
    const panel = page.locator('#panel')
    await panel.getByText('usually 108ms').waitFor()
    const whatIf = panel.getByRole('region', { name: 'What if it were faster' })
    // Half of 108ms; but then the call to stock, which goes on beside it, is what payment has to wait for.
    expect(await whatIf.innerText()).toMatch(
      /−54ms\s+The whole takes 48ms less: 134ms\. Then shop → stock is waited for/,
    )
    await whatIf.getByRole('slider').focus()
    for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowLeft')
    await expect.poll(() => whatIf.innerText()).toMatch(/−27ms\s+The whole takes 27ms less: 155ms\.$/)
    expect(await axeViolations(page)).toEqual([])
    await rows().nth(1).click()
    await whatIf.getByText('as long as now: shop → price goes on at the same time').waitFor()
  })

  it('draws the time that is given, who would wait longer, and the work that nobody waits for', async () => {
    const text = `
edge  GET /  0..300  client  ->shop  component=proxy  expected_rq_timeout_ms=200
  shop  GET /  2..290  server  component=proxy
    shop  GET /q  10..280  client  ->db  component=proxy  expected_rq_timeout_ms=500
      db  GET /q  12..278  server  component=proxy
    shop  GET /r  20..60  client  ->cache  component=proxy  expected_rq_timeout_ms=100
      cache  GET /r  22..58  server  component=proxy
`
    await collector.send(traceFromText(text).map(span => ({ ...span, traceId: '0000000000000400' })))
    await open('traces/0000000000000400')
    const row = (name: string) => page.locator('.row:visible', { hasText: name })
    expect(await row('→ db').innerText()).toMatch(/◷ late > budget/)
    expect(await row('→ cache').innerText()).not.toMatch(/late|budget/)
    await page.getByText(/spans work on when nobody waits any more/).waitFor()
    await row('→ db').click()
    const deadline = page.locator('#panel').getByRole('region', { name: 'Deadline' })
    await deadline.waitFor()
    expect(await deadline.innerText()).toMatch(
      /waits for 190ms[\s\S]*Nobody waits for its last 80ms[\s\S]*would wait 500ms: longer than who asked for it/,
    )
    expect(await page.locator('.legend').innerText()).toContain('deadline')
    // the line and what is behind it are in the picture, not only in words
    await expect.poll(() => page.locator('.grid canvas').evaluate(paintedColours, ['--warn'])).toEqual([true])
  })

  it('gives names more room, by keys and by a drag, and on a phone keeps its menu on the screen', async () => {
    await open(`traces/${SHOP}`)
    await rows().first().waitFor()
    const widthOfNames = async () => (await rows().first().locator('.label').boundingBox())!.width
    const divider = page.getByRole('separator', { name: 'Room for names' })
    const before = await widthOfNames()
    await divider.press('ArrowRight')
    await expect.poll(widthOfNames).toBeGreaterThan(before)
    const { x, y, width } = (await divider.boundingBox())!
    await page.mouse.move(x + width - 1, y + 100)
    await page.mouse.down()
    await page.mouse.move(700, y + 100)
    await page.mouse.up()
    await expect.poll(async () => Math.round(await widthOfNames())).toBe(700)
    // what is drawn on the canvas begins where the names end
    const canvas = (await page.locator('.grid canvas').boundingBox())!
    expect(Math.round(canvas.x)).toBe(700)
    await divider.dblclick()
    await expect.poll(widthOfNames).toBe(before)

    await page.setViewportSize({ width: 390, height: 844 })
    await page.getByText('↓ Export').click()
    const menu = (await page.locator('.menu-items').boundingBox())!
    expect(menu.x).toBeGreaterThanOrEqual(0)
    expect(menu.x + menu.width).toBeLessThanOrEqual(390)
  })

  it("opens Zipkin's link to a trace that is not there", async () => {
    await open('traces/00000000000000ff')
    await page.getByText('This trace is not here').waitFor()
  })

  it('shows hostile names as text', async () => {
    for (const path of [`traces/${HOSTILE}?view=spans&span=000000000000000a`, 'search?q=tag%3Devil', 'mesh']) {
      await open(path)
      await page.locator('.row, .trace-row, .node').first().waitFor()
      expect(await page.locator('main img, main script, main iframe').count()).toBe(0)
    }
    for (const view of ['hops', 'spans', 'flame', 'sequence', 'table']) {
      await open(`traces/${HOSTILE}?view=${view}&span=000000000000000a`)
      await page.locator('#panel').getByText('"><script>').first().waitFor()
      expect(await page.locator('main img, main script, main iframe').count(), view).toBe(0)
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), view).toBe(true)
    }
    expect(await page.evaluate('window.pwned')).toBeUndefined()
  })

  it('counts and names what is odd, and shows all of it', async () => {
    const id = '463ac35c9f6413b1'
    const t = Date.now() * 1_000 - 3_600_000_000
    const span = (
      n: number,
      parent: number | undefined,
      at: number,
      duration: number,
      more: Partial<Span> = {},
    ): Span => ({
      traceId: id,
      id: n.toString(16).padStart(16, '0'),
      ...(parent === undefined ? {} : { parentId: parent.toString(16).padStart(16, '0') }),
      name: `span ${n}`,
      timestamp: t + at,
      duration,
      localEndpoint: { serviceName: 'odd' },
      ...more,
    })
    await collector.send([
      span(1, undefined, 0, 3_600_000_000),
      // right to left, ten kilobytes, a microsecond in an hour
      span(2, 1, 1_000, 1, {
        name: '\u202egpj.exe \u05d0\u05d1',
        tags: { long: 'x'.repeat(10_000), '\u202ekey': '\u202evalue' },
      }),
      span(3, 1, 3_599_999_000, 1),
      // above one another, of nobody, taken twice
      span(5, 6, 5_000, 10),
      span(6, 5, 5_000, 10),
      span(7, 0x99, 6_000, 10),
      span(8, 1, 7_000, 10, { localEndpoint: { serviceName: 'one' } }),
      span(8, 1, 7_000, 10, { localEndpoint: { serviceName: 'two' } }),
      { traceId: id, id: '0000000000000009' },
    ])
    await open(`traces/${id}?view=spans`)
    await expect.poll(() => rows().count()).toBe(9)
    const remarks = page.locator('.remarks')
    await remarks.getByText('A parent is missing (0000000000000099)').waitFor()
    await remarks.getByText(/above themselves|is above/).waitFor()
    const grid = page.getByRole('treegrid')
    await grid.focus()
    await page.keyboard.press('Home')
    await page.keyboard.press('/')
    await page.keyboard.type('gpj')
    await expect.poll(() => page.locator('.row.match').count()).toBe(1)
    await page.keyboard.press('Enter')
    await page.keyboard.press('n')
    await page.locator('#panel').getByText('xxxxxxxx').waitFor()
    // down to a microsecond, and back
    await page.keyboard.press('z')
    await page.waitForURL(/t=/)
    await page.keyboard.press('0')
    for (const view of ['Flame', 'Table', 'Hops']) {
      await page.getByRole('button', { name: view }).click()
      await page.locator('.flame, .table-row, .row').first().waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), view).toBe(true)
    }
  })

  for (const [shape, last] of [
    ['chain', 'call 99999'],
    ['fan', 'call 99999'],
  ] as const) {
    it(`opens 100,000 spans as a ${shape}`, async () => {
      const spans = traceOfShape(shape, 100_000)
      await open('traceViewer')
      const buffer = Buffer.from(JSON.stringify(spans))
      await page.getByLabel('Choose a file').setInputFiles({ name: shape, mimeType: 'application/json', buffer })
      const grid = page.getByRole('treegrid')
      await grid.waitFor({ timeout: 60_000 })
      expect(await grid.getAttribute('aria-rowcount')).toBe('100001')
      await grid.focus()
      await page.keyboard.press('End')
      await page.locator('.row.selected', { hasText: last }).waitFor()
      const level = await page.locator('.row.selected').getAttribute('aria-level')
      expect(level).toBe(shape === 'chain' ? '100000' : '2')
      await page.keyboard.press('[')
      await expect.poll(() => grid.getAttribute('aria-rowcount')).toBe('2')
      await page.keyboard.press(']')
      await expect.poll(() => grid.getAttribute('aria-rowcount')).toBe('100001')
      for (const view of ['Flame', 'Table', 'Spans']) {
        await page.getByRole('button', { name: view, exact: true }).click()
        await page.locator('.flame canvas, .table-row, .row').first().waitFor()
      }
    }, 180_000)
  }

  describe('files', () => {
    const file = (text: string, name = 'trace.json') => ({
      name,
      mimeType: 'application/json',
      buffer: Buffer.from(text),
    })
    const choose = (chosen: ReturnType<typeof file>) => page.getByLabel('Choose a file').setInputFiles(chosen)

    it('are opened, and what is wrong with one is said', async () => {
      await open('traceViewer')
      await choose(file(JSON.stringify(shopTrace(SHOP, 1_700_000_000_000_000))))
      await expect.poll(() => rows().count()).toBe(5)
      await page.getByRole('button', { name: 'Close file' }).click()
      await choose(file('[{"traceId":'))
      await page.getByText('This trace cannot be read').waitFor()
      expect(await page.getByRole('alert').innerText()).toContain('Not JSON')
      await page.getByRole('button', { name: 'Open another file' }).click()
      await choose(file('{"spam": []}'))
      await page.getByText('Jaeger JSON').first().waitFor()
    })

    it('are dropped on any page', async () => {
      await open('mesh')
      const data = await page.evaluateHandle(
        text => {
          const transfer = new DataTransfer()
          transfer.items.add(new File([text], 'dropped.json'))
          return transfer
        },
        JSON.stringify({
          data: [
            {
              traceID: 'abc',
              spans: [
                {
                  traceID: 'abc',
                  spanID: '1',
                  operationName: 'from Jaeger',
                  startTime: 5,
                  duration: 9,
                  processID: 'p',
                },
              ],
              processes: { p: { serviceName: 'dropped' } },
            },
          ],
        }),
      )
      await page.dispatchEvent('body', 'dragover', { dataTransfer: data })
      await page.getByText('Drop to open the trace').waitFor()
      await page.dispatchEvent('body', 'drop', { dataTransfer: data })
      await rows().first().waitFor()
      expect(await rows().first().innerText()).toContain('from jaeger')
    })

    it('are pasted as text on any page, but not out of a field', async () => {
      await open('search')
      const paste = (selector: string) =>
        page.evaluate(
          ([selector, text]) => {
            const clipboardData = new DataTransfer()
            clipboardData.setData('text/plain', text!)
            document
              .querySelector(selector!)!
              .dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
          },
          [selector, JSON.stringify(shopTrace(SHOP, 1_700_000_000_000_000))],
        )
      await page.getByRole('combobox').first().waitFor()
      await paste('main input')
      await paste('body')
      await expect.poll(() => rows().count()).toBe(5)
      await page.waitForURL(/traceViewer/)
    })

    it('are written as Zipkin JSON, as OTLP JSON and as a page without a server, and read again', async () => {
      for (const format of ['Zipkin JSON', 'OTLP JSON', 'HTML page']) {
        await open(`traces/${SHOP}`)
        await rows().first().waitFor()
        await page.getByText('↓ Export').click()
        const download = page.waitForEvent('download')
        await page.getByRole('button', { name: format }).click()
        const path = await (await download).path()
        const text = readFileSync(path, 'utf8')
        await open('traceViewer')
        await choose(file(text, format))
        await expect.poll(() => rows().count(), { message: format }).toBe(5)
        expect(await rows().nth(1).innerText()).toMatch(/shop[\s\S]*stock[\s\S]*503/)
        if (format !== 'HTML page') continue
        // from the disk, with nothing else of ours there
        const folder = mkdtempSync(join(tmpdir(), 'hopscope-page-'))
        writeFileSync(join(folder, 'trace.html'), text)
        const context = await browser.newContext({ offline: true })
        const alone = await context.newPage()
        const problems: string[] = []
        alone.on('pageerror', error => problems.push(error.message))
        alone.on('console', message => message.type() === 'error' && problems.push(message.text()))
        alone.on('request', request => request.url().startsWith('file:') || problems.push(request.url()))
        await alone.goto(`file://${join(folder, 'trace.html')}`)
        await alone.locator('.row:visible').nth(4).click()
        await alone.locator('#panel').getByText('payment').first().waitFor()
        await alone.getByRole('button', { name: 'Sequence' }).click()
        await alone.locator('.message').first().waitFor()
        expect(problems).toEqual([])
        await context.close()
        rmSync(folder, { recursive: true })
      }
    })
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
      const views = ['spans', 'flame', 'sequence', 'table'].map(view => `traces/${SHOP}?view=${view}`)
      const pages = [...views, `traces/${SHOP}?span=0000000000000002`, 'traceViewer', 'traces/00000000000000ff']
      pages.push(`traces/${SHOP}?join=${HOSTILE}.0000000000000001`)
      for (const path of pages) {
        await open(path)
        await page.locator('.row, .flame, .message, .table-row, .notice, .drop').first().waitFor()
        if (path.includes('span=')) await page.locator('.span-card').first().waitFor()
        if (path.includes('join=')) await page.locator('.row.inferred').waitFor()
        const violations = await axeViolations(page)
        expect(violations, path).toEqual([])
      }
    }, 240_000)
  }
})

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

/** Whether each of these colours, tokens of the page, is somewhere on a canvas. Runs in the page. */
function paintedColours(element: Element, tokens: string[]): boolean[] {
  const canvas = element as HTMLCanvasElement
  const pixels = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data
  const probe = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })!
  return tokens.map(token => {
    probe.fillStyle = getComputedStyle(canvas).getPropertyValue(token).trim()
    probe.fillRect(0, 0, 1, 1)
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data
    for (let i = 0; i < pixels.length; i += 4) {
      if (pixels[i] === r && pixels[i + 1] === g && pixels[i + 2] === b && pixels[i + 3] === 255) return true
    }
    return false
  })
}
