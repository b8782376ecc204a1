import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Span } from '@hopscope/model'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findChromium, launchChromium } from './harness/chromium.ts'
import { buildViewer, type Collector, startCollector } from './harness/collector.ts'
import { shopTrace } from './harness/mesh-trace.ts'
import { axeViolations, openViewer, type ViewerPage } from './harness/viewer-page.ts'

const chromium = findChromium()
const SHOP = '463ac35c9f6413ad'

const name = chromium ? 'the pages' : 'the pages (skipped: no Chromium; install it or set HOPSCOPE_CHROMIUM)'
describe.skipIf(!chromium)(name, () => {
  let collector: Collector
  let empty: Collector
  let browser: Browser
  let viewer: ViewerPage
  let page: Page
  const ago = (seconds: number) => (Date.now() - seconds * 1_000) * 1_000

  beforeAll(async () => {
    await buildViewer()
    collector = await startCollector()
    empty = await startCollector()
    await collector.send(shopTrace(SHOP, ago(5)))
    browser = await launchChromium(chromium!)
  })
  afterAll(async () => {
    await browser?.close()
    await collector?.stop()
    await empty?.stop()
  })
  beforeEach(async () => {
    viewer = await openViewer(browser, collector)
    page = viewer.page
  })
  afterEach(async () => {
    await viewer.context.close()
    expect(viewer.problems).toEqual([])
  })
  const open = (path: string) => viewer.open(path)
  const results = () => page.locator('.trace-row')
  const searchBox = () => page.getByRole('combobox', { name: 'Search traces' })

  describe('live', () => {
    it('shows what was there, and what comes', async () => {
      await open('')
      await results().first().waitFor()
      const before = await results().count()
      await collector.send(shopTrace('00000000000000a1', ago(0.3)))
      await expect.poll(() => results().count()).toBe(before + 1)
      expect(await results().first().innerText()).toMatch(/edge\s+GET \/cart\?id=42[\s\S]*182ms/)
      await results().first().getByRole('link').click()
      await page.waitForURL('**/traces/00000000000000a1')
    })

    it('pauses, goes on, clears, and picks by trouble', async () => {
      await open('')
      await results().first().waitFor()
      const before = await results().count()
      await page.getByRole('button', { name: 'Pause' }).click()
      await collector.send(shopTrace('00000000000000a2', ago(0.2)))
      await page.getByRole('button', { name: 'Resume, 1 new' }).waitFor()
      expect(await results().count()).toBe(before)
      await page.getByRole('button', { name: /Resume/ }).click()
      await expect.poll(() => results().count()).toBe(before + 1)
      await page.getByRole('button', { name: 'timeouts 0' }).click()
      await page.getByText('is like that').waitFor()
      await page.waitForURL(/only=timeout/)
      await page.getByRole('button', { name: /untraced hops/ }).click()
      await expect.poll(() => results().count()).toBe(before + 1)
      await page.getByRole('button', { name: 'Clear' }).click()
      await page.getByText('Cleared. New traces appear here.').waitFor()
      await collector.send(shopTrace('00000000000000a3', ago(0.2)))
      await expect.poll(() => results().count()).toBe(1)
    })

    it('is picked by a drag over the scatter', async () => {
      await open('')
      await results().first().waitFor()
      const box = (await page.locator('.scatter canvas').boundingBox())!
      await page.mouse.move(box.x + 60, box.y + 12)
      await page.mouse.down()
      await page.mouse.move(box.x + 90, box.y + 30, { steps: 3 })
      await page.mouse.up()
      await page.getByText('is like that').waitFor()
      await page.getByRole('button', { name: /Show all again/ }).click()
      await results().first().waitFor()
    })

    it('holds the list still under the pointer', async () => {
      await open('')
      await results().first().waitFor()
      const first = await results().first().innerText()
      await results().first().hover()
      await collector.send(shopTrace('00000000000000a9', ago(0.1), '/while-held'))
      await page.getByRole('button', { name: '↑ 1 new' }).waitFor()
      expect(await results().first().innerText()).toBe(first)
      await page.getByRole('button', { name: '↑ 1 new' }).click()
      await expect.poll(() => results().first().innerText()).toContain('/while-held')
    })

    it('teaches while nothing comes, until the first trace', async () => {
      const waiting = await openViewer(browser, empty)
      await waiting.open('')
      await waiting.page.getByText('The collector listens').waitFor()
      expect(await waiting.page.locator('.command').first().innerText()).toBe('npm start')
      await empty.send(shopTrace(SHOP, ago(1)))
      await waiting.page.locator('.trace-row').first().waitFor()
      await waiting.context.close()
      expect(waiting.problems).toEqual([])
    })
  })

  describe('the tour', () => {
    it('goes from the slow part to what retries cost, in five steps', async () => {
      const mesh = await startCollector()
      try {
        for (let i = 0; i < 6; i++) await mesh.send(shopTrace(`000000000000010${i}`, ago(30 + i)))
        const visitor = await openViewer(browser, mesh)
        const next = visitor.page.getByRole('button', { name: 'Next' })
        await visitor.open('')
        await visitor.page.getByRole('button', { name: 'Find the slow part' }).click()
        await visitor.page.waitForURL('**/traces/*?span=*')
        await visitor.page.locator('.row.selected').waitFor()
        expect(await visitor.page.getByLabel('Tour').innerText()).toMatch(/1 of 5[\s\S]*182ms/)
        expect(await axeViolations(visitor.page)).toEqual([])
        await next.click()
        await visitor.page.waitForURL('**/mesh?select=*')
        expect(await next.isDisabled()).toBe(true)
        // Whoever began before the first retry goes on when there was one.
        for (let i = 0; i < 6; i++) {
          const retried = shopTrace(`000000000000020${i}`, ago(20 + i)).map(span =>
            span.kind === 'CLIENT' && span.tags?.['upstream_cluster.name'] === 'stock'
              ? { ...span, tags: { ...span.tags, 'retry.count': '1' } }
              : span,
          )
          await mesh.send(retried)
        }
        await next.click()
        await visitor.page.waitForURL('**/search?q=error+attempt%3E1')
        await expect.poll(() => visitor.page.locator('.trace-row').count()).toBe(6)
        await next.click()
        await visitor.page.waitForURL('**/traces/*?span=*')
        expect(await visitor.page.getByLabel('Tour').innerText()).toContain('shop→stock took 2 attempts')
        await next.click()
        await visitor.page.getByRole('row', { name: /^shop stock/ }).waitFor()
        await visitor.page.getByRole('button', { name: 'Done' }).click()
        await visitor.page.getByLabel('Tour').waitFor({ state: 'detached' })
        await visitor.context.close()
        expect(visitor.problems).toEqual([])
      } finally {
        await mesh.stop()
      }
    })
  })

  describe('search', () => {
    it('finds what the address says, and keeps what is typed in it', async () => {
      await open('search?q=service%3Dstock+tag%3Dhttp.status_code%3D503')
      await results().first().waitFor()
      expect(await searchBox().inputValue()).toBe('service=stock tag=http.status_code=503')
      await searchBox().fill('service=nobody')
      await page.keyboard.press('Escape')
      await page.keyboard.press('Enter')
      await page.getByText('No trace matches').waitFor()
      await page.waitForURL(url => url.search === '?q=service%3Dnobody')
      await page.goBack()
      await results().first().waitFor()
      expect(await searchBox().inputValue()).toBe('service=stock tag=http.status_code=503')
    })

    it('looks at calls: who calls whom, tried again, silent', async () => {
      await open('search?q=hop%3Dshop-%3Epayment+untraced')
      await results().first().waitFor()
      for (const q of ['hop=shop->stock untraced', 'hop=payment->shop', 'hop=shop->stock attempt>1', 'timeout']) {
        await open(`search?q=${encodeURIComponent(q)}`)
        await page.getByText('No trace matches').waitFor()
      }
    })

    it('offers what may come next, by keyboard', async () => {
      await open('search')
      await results().first().waitFor()
      await searchBox().focus()
      await page.keyboard.type('serv')
      await page.getByRole('option', { name: /^service=/ }).waitFor()
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Enter')
      await expect.poll(() => searchBox().inputValue()).toBe('service=')
      await page.keyboard.type('pri')
      await page.getByRole('option', { name: /^service=price/ }).waitFor()
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Enter')
      await expect.poll(() => searchBox().inputValue()).toBe('service=price ')
      await page.keyboard.press('Escape')
      await page.keyboard.press('Enter')
      await page.waitForURL('**/search?q=service%3Dprice')
    })

    it('says what cannot be read', async () => {
      const asked: string[] = []
      page.on('request', request => asked.push(new URL(request.url()).pathname))
      await open('search?q=servce%3Dshop')
      expect(await page.getByRole('alert').innerText()).toContain('“servce” is no field')
      expect(asked.filter(path => path.endsWith('/search'))).toEqual(['/zipkin/search'])
      expect(await page.getByRole('button', { name: 'Save this search' }).count()).toBe(0)
      // the words below the box do not push what is beside it down
      const top = async (name: string) => (await page.locator(name).boundingBox())!.y
      expect(await top('.search-bar .primary')).toBe(await top('.query-box input'))
    })

    it('goes to a trace by its id', async () => {
      await open('search')
      await searchBox().fill(SHOP.toUpperCase())
      await page.keyboard.press('Enter')
      await page.waitForURL(`**/traces/${SHOP}`)
    })

    it('goes to a trace by its id from any page, typed or pasted', async () => {
      await open('mesh')
      const field = page.getByRole('textbox', { name: 'Open a trace by its id' })
      await field.fill('no id')
      await field.press('Enter')
      expect(await field.evaluate(input => (input as HTMLInputElement).checkValidity())).toBe(false)
      expect(page.url()).toMatch(/\/mesh$/)
      await field.fill(SHOP.toUpperCase())
      await field.press('Enter')
      await page.waitForURL(`**/traces/${SHOP}`)
      expect(await field.inputValue()).toBe('')
      await open('')
      await results().first().waitFor()
      await page.evaluate(id => {
        const clipboardData = new DataTransfer()
        clipboardData.setData('text/plain', ` ${id}\n`)
        document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
      }, SHOP)
      await page.waitForURL(`**/traces/${SHOP}`)
    })

    it('keeps searches as links', async () => {
      await open('search?q=error')
      await page.getByRole('button', { name: 'Save this search' }).click()
      await page.getByLabel('Name of this search').fill('what fails')
      await page.keyboard.press('Enter')
      await open('search')
      await page.getByRole('link', { name: 'what fails' }).click()
      await page.waitForURL('**/search?q=error')
      await page.getByRole('button', { name: 'Forget what fails' }).click()
      await page.getByRole('link', { name: 'what fails' }).waitFor({ state: 'detached' })
    })

    it('lists 10,000 traces with few elements, and goes to the last one', async () => {
      const large = await startCollector()
      try {
        const now = Date.now() * 1_000
        for (let i = 0; i < 10_000; i += 2_000) {
          const spans = Array.from({ length: 2_000 }, (_, k): Span => {
            const id = (i + k + 1).toString(16).padStart(16, '0')
            return {
              traceId: id,
              id,
              name: `call ${i + k}`,
              timestamp: now - (i + k) * 10_000,
              duration: 1_000 + k,
              localEndpoint: { serviceName: 'shop' },
            }
          })
          await large.send(spans)
        }
        const reader = await openViewer(browser, large)
        await reader.open('search?q=service%3Dshop')
        await reader.page.locator('.trace-row a').first().focus()
        await expect
          .poll(
            async () => {
              await reader.page.keyboard.press('End')
              return reader.page.locator('.trace-row').last().getAttribute('aria-posinset')
            },
            { timeout: 45_000 },
          )
          .toBe('10000')
        expect(await reader.page.locator('.trace-row').last().innerText()).toContain('call 9999')
        expect(await reader.page.locator('*').count()).toBeLessThan(1_500)
        await reader.page.keyboard.press('Home')
        await reader.page.getByText('call 0', { exact: true }).waitFor()
        await reader.context.close()
        expect(reader.problems).toEqual([])
      } finally {
        await large.stop()
      }
    })

    it("opens Zipkin's links, and writes them anew", async () => {
      await open(`?serviceName=shop&annotationQuery=error&lookback=1h&limit=5`)
      await results().first().waitFor()
      await page.waitForURL(url => url.pathname.endsWith('/search'))
      await page.waitForURL(url => url.searchParams.get('q') === 'service=shop error')
      await open(`dependency?startTs=${Date.now() - 900_000}&endTs=${Date.now()}`)
      await page.getByRole('button', { name: /^shop \d+ call/ }).waitFor()
      await page.waitForURL(/\/mesh\?/)
    })
  })

  describe('mesh', () => {
    it('draws who calls whom, with errors, and leads to the traces', async () => {
      await open('mesh')
      const stock = page.getByRole('button', { name: /^stock \d+ calls? ✕ 100%/ })
      await stock.focus()
      await page.keyboard.press('Enter')
      const panel = page.getByLabel('Service stock')
      await panel.getByRole('link', { name: 'traces of shop calling stock' }).waitFor()
      await page.getByRole('button', { name: 'Table' }).click()
      await page.getByRole('row', { name: /shop stock \d/ }).waitFor()
      await panel.getByRole('link', { name: 'traces of shop calling stock' }).click()
      await results().first().waitFor()
      expect(await searchBox().inputValue()).toBe('hop=shop->stock')
    })

    it('leads from a line to the calls, and to those that were tried again', async () => {
      await open('mesh?select=shop')
      const service = page.getByLabel('Service shop')
      await service.getByRole('button', { name: /^\d+ calls.*✕/ }).click()
      const call = page.getByLabel('Calls of shop to stock')
      expect(await call.innerText()).toMatch(/p95\s+64ms[\s\S]*tries a call\s+×1\.00/)
      await call.getByRole('link', { name: 'where it was tried again' }).click()
      await page.waitForURL('**/search?q=hop%3Dshop-%3Estock+attempt%3E1')
      await page.goBack()
      await call.getByRole('button', { name: 'stock' }).click()
      await page.getByLabel('Service stock').waitFor()
    })

    it('shows the neighbours of one service, wider and narrower', async () => {
      await open('mesh?select=db')
      await page.getByRole('link', { name: 'Only its neighbours' }).click()
      await expect.poll(() => page.locator('.node').count()).toBe(2)
      await page.getByRole('button', { name: 'One call more' }).click()
      await expect.poll(() => page.locator('.node').count()).toBe(3)
      await page.waitForURL(/around=2\*db/)
      await page.getByRole('button', { name: 'Show all' }).click()
      await expect.poll(() => page.locator('.node').count()).toBeGreaterThan(4)
    })

    it('goes down instead of right on a phone', async () => {
      await page.setViewportSize({ width: 390, height: 844 })
      await open('mesh')
      const boxOf = async (service: string) =>
        (await page.getByRole('button', { name: new RegExp(`^${service} `) }).boundingBox())!
      const [edge, shop] = [await boxOf('edge'), await boxOf('shop')]
      expect(shop.y).toBeGreaterThan(edge.y + edge.height)
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    })

    it('cuts a mesh of 300 services to what can be read', async () => {
      const large = await startCollector()
      try {
        const now = ago(10)
        const half = (i: number, kind: 'CLIENT' | 'SERVER', serviceName: string): Span => ({
          traceId: (0xf000 + i).toString(16).padStart(16, '0'),
          id: '0000000000000001',
          kind,
          timestamp: now,
          duration: 1_000,
          localEndpoint: { serviceName },
          ...(kind === 'SERVER' ? { shared: true as const } : {}),
        })
        const spans = Array.from({ length: 299 }, (_, i) => {
          // a hub with a hundred callees, and a chain behind one of them
          const caller = i < 100 ? 'hub' : i === 100 ? 'leaf-0' : `chain-${i - 1}`
          return [half(i, 'CLIENT', caller), half(i, 'SERVER', i < 100 ? `leaf-${i}` : `chain-${i}`)]
        })
        await large.send(spans.flat())
        const other = await openViewer(browser, large)
        await other.open('mesh')
        await other.page.getByText('of 300 services: up to').waitFor()
        expect(await other.page.getByText('of 300 services').innerText()).toContain('105')
        expect(await other.page.locator('.node').count()).toBe(105)
        await other.context.close()
        expect(other.problems).toEqual([])
      } finally {
        await large.stop()
      }
    })
  })

  describe('compare', () => {
    const SLOW = '00000000000000c2'
    beforeAll(async () => {
      // the same call, with a slower price
      const slow = shopTrace(SLOW, ago(4)).map(span =>
        span.tags?.['upstream_cluster.name'] === 'price' ? { ...span, duration: span.duration! + 90_000 } : span,
      )
      await collector.send(slow)
      for (let i = 0; i < 6; i++) {
        await collector.send(shopTrace(`0000000000000d0${i}`, ago(60 + i), '/fine').filter(isFine))
        await collector.send(shopTrace(`0000000000000e0${i}`, ago(60 + i), '/bad'))
      }
    })
    const isFine = ({ tags }: Span) => tags?.['upstream_cluster.name'] !== 'stock' && tags?.error === undefined

    it('takes two traces from the list, and lays them over each other', async () => {
      await open('search?q=service%3Dedge')
      await results().first().waitFor()
      await page.getByRole('button', { name: `Compare this trace, edge ${SHOP.slice(-8)}` }).click()
      await page.getByText('Choose the trace to compare it with').waitFor()
      await page.getByRole('button', { name: `Compare with the chosen trace, edge ${SLOW.slice(-8)}` }).click()
      await page.waitForURL(`**/compare?a=${SHOP}&b=${SLOW}`)
      await page.locator('.pair-row').first().waitFor()
      expect(await page.locator('.pair-row').count()).toBe(5)
      expect(await page.locator('.pair-row.culprit').innerText()).toMatch(/shop[\s\S]*price[\s\S]*\+90ms/)
      await page.getByLabel('Only differences').check()
      await expect.poll(() => page.locator('.pair-row').count()).toBe(1)
      await page.locator('.pair-row .pair-bar.b').click()
      await page.waitForURL(`**/traces/${SLOW}?span=*`)
    })

    it('compares what two queries find, with confidence', async () => {
      await open('compare?a=-error&b=error&lookback=1h')
      const row = page.getByRole('row', { name: /^edge shop/ })
      await row.waitFor()
      expect(await row.innerText()).toContain('no difference shown')
      const stock = page.getByRole('row', { name: /^shop stock/ })
      expect(await stock.innerText()).toMatch(/not there[\s\S]*too few to tell/)
      await page.getByRole('button', { name: 'Swap the sides' }).click()
      await page.waitForURL('**/compare?a=error&b=-error&lookback=1h')
    })

    it('says what is missing', async () => {
      await open(`compare?a=00000000000000ff&b=${SHOP}`)
      expect(await page.getByRole('alert').innerText()).toContain('no span of 00000000000000ff')
      await open('compare?a=service%3Dnobody&b=error')
      await page.getByText('A finds no trace').waitFor()
    })

    it('shows the runs that the command line measured', async () => {
      const at = (value: number) => ({ value, low: value - 0.2, high: value + 0.3 })
      const runs = ['without sidecars', 'untraced', 'traced'].map((run, i) => ({
        name: run,
        n: 200,
        failed: 0,
        p50: at(2 + i),
        p95: at(4 + i),
        p99: at(7),
        ...(i === 0 ? {} : { costs: at(1) }),
      }))
      const buffer = Buffer.from(JSON.stringify({ scenario: '05-partial-mesh', path: '/', runs }))
      await page.setViewportSize({ width: 390, height: 844 })
      await open('compare')
      await page
        .getByLabel('Open its runs.json')
        .setInputFiles({ name: 'runs.json', mimeType: 'application/json', buffer })
      await page.getByRole('row', { name: /^traced 200/ }).waitFor()
      expect(await page.getByRole('row', { name: /^traced 200/ }).innerText()).toMatch(/\+1\.00 ms/)
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      // they are in the link now, which is a page of its own
      await page.waitForURL(/compare\?runs=/)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        expect(await axeViolations(page), colorScheme).toEqual([])
      }
    })
  })

  it('shows hostile names as text, and runs nothing of them', async () => {
    const hostile = await startCollector()
    try {
      const markup = '"><script>window.pwned=1</script><img src=x onerror="window.pwned=1">'
      const evil = (traceId: string): Span[] => {
        const half = (kind: 'CLIENT' | 'SERVER', serviceName: string): Span => ({
          traceId,
          id: '000000000000000a',
          kind,
          name: markup,
          timestamp: ago(3),
          duration: 1_000,
          localEndpoint: { serviceName },
          tags: { 'http.url': `javascript:${markup}`, error: markup },
          ...(kind === 'SERVER' ? { shared: true as const } : {}),
        })
        return [half('CLIENT', `\u202egnp.${markup}`), half('SERVER', `b${markup}${'x'.repeat(10_000)}`)]
      }
      await hostile.send([...evil('00000000000000e1'), ...evil('00000000000000e2')])
      const visitor = await openViewer(browser, hostile)
      for (const path of ['', 'search', 'compare?a=00000000000000e1&b=00000000000000e2', 'mesh', 'mesh?view=table']) {
        await visitor.open(path)
        await visitor.page.locator('.trace-row, .pair-row, .node, .links').first().waitFor()
        expect(await visitor.page.locator('main img, main script, main iframe').count(), path).toBe(0)
        expect(await visitor.page.evaluate('document.documentElement.scrollWidth <= innerWidth'), path).toBe(true)
      }
      expect(await visitor.page.evaluate('window.pwned')).toBeUndefined()
      await visitor.context.close()
      expect(visitor.problems).toEqual([])
    } finally {
      await hostile.stop()
    }
  })

  it('says that there is no such page, and where the others are', async () => {
    const response = await page.goto(`${collector.origin}/zipkin/nowhere/at/all`)
    expect(response?.status()).toBe(404)
    await page.getByText('/nowhere/at/all leads nowhere').waitFor()
    expect(await axeViolations(page)).toEqual([])
    await page.getByRole('alert').getByRole('link', { name: 'search' }).click()
    await results().first().waitFor()
  })

  it('comes with a policy that lets it load nothing from elsewhere', async () => {
    const response = await fetch(`${collector.origin}/zipkin/search`)
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'self';/)
  })

  it('loads little for a first page, whichever it is', async () => {
    const paths = ['', 'search', `traces/${SHOP}?span=0000000000000002`, 'compare', 'mesh', 'traceViewer']
    const everything = new Set<string>()
    for (const path of paths) {
      const visitor = await openViewer(browser, collector)
      const loaded = new Set<string>()
      // of the worker, too
      visitor.context.on('request', request => {
        const name = /\/assets\/([\w.-]+\.(?:js|css))$/.exec(request.url())?.[1]
        if (name) loaded.add(name)
      })
      await visitor.open(path)
      await visitor.page.locator('.trace-row, .span-card, .compare-start, .node, .drop').first().waitFor()
      await visitor.context.close()
      expect(loaded.size, path).toBeGreaterThan(3)
      expect(zippedSize(loaded), `${path}: ${[...loaded].join(' ')}`).toBeLessThan(130 * 1_024)
      for (const name of loaded) everything.add(name)
    }
    expect(zippedSize(everything)).toBeLessThan(280 * 1_024)
  })

  function zippedSize(names: Iterable<string>): number {
    const assets = new URL('../../apps/viewer/dist/assets/', import.meta.url)
    let size = 0
    for (const name of names) size += gzipSync(readFileSync(new URL(name, assets)), { level: 9 }).length
    return size
  }

  for (const scheme of ['light', 'dark'] as const) {
    it(`has nothing for axe to complain about, ${scheme}`, async () => {
      await viewer.context.close()
      viewer = await openViewer(browser, collector, { colorScheme: scheme })
      page = viewer.page
      const pages = [
        '',
        'search',
        'search?q=service%3Dnobody',
        'mesh?select=stock',
        'mesh?view=table',
        'compare',
        `compare?a=${SHOP}&b=0000000000000e01`,
        'compare?a=-error&b=error&lookback=1h',
      ]
      for (const path of pages) {
        await open(path)
        await page.locator('.trace-row, .node, .notice, .links, .compare-start, .pair-row, .cohorts').first().waitFor()
        expect(await axeViolations(page), path).toEqual([])
      }
      await open('search')
      await searchBox().click()
      await page.getByRole('option').first().waitFor()
      expect(await axeViolations(page), 'completion').toEqual([])
    }, 240_000)
  }
})
