import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { findEnvoy } from '../conformance/envoy/harness/program.ts'
import { findChromium, launchChromium } from './harness/chromium.ts'
import { buildViewer } from './harness/collector.ts'
import { type RunningScenario, startComparison, startScenario } from './harness/scenario.ts'
import { openViewer, type ViewerPage } from './harness/viewer-page.ts'

/** What a person comes for, on meshes that run: real sidecars, or the real Envoy in their place. */
const chromium = findChromium()
const name = chromium ? 'a person' : 'a person (skipped: no Chromium; install it or set HOPSCOPE_CHROMIUM)'
const PROXIES: readonly (readonly [name: string, options: string[]])[] = [
  ['our sidecar', []],
  ...(findEnvoy() === undefined ? [] : [['the real Envoy', ['--proxy', 'envoy']] as [string, string[]]]),
]

describe.skipIf(!chromium)(name, () => {
  let browser: Browser
  let mesh: RunningScenario
  let viewer: ViewerPage
  let page: Page

  beforeAll(async () => {
    await buildViewer()
    browser = await launchChromium(chromium!)
  })
  afterAll(async () => {
    await browser?.close()
  })
  afterEach(async () => {
    await viewer?.context.close()
    await mesh?.stop()
    expect(viewer?.problems).toEqual([])
  })

  async function start(scenario: string, ...options: string[]): Promise<void> {
    mesh = await startScenario(scenario, ...options)
    viewer = await openViewer(browser, mesh)
    page = viewer.page
  }
  const rows = () => page.locator('.row:visible')
  const panel = () => page.locator('#panel')

  for (const [proxy, options] of PROXIES) {
    it(`finds who dropped the headers, of ${proxy}`, async () => {
      await start('04-broken-propagation', '--set', 'forward=none', ...options)
      const [request, lost] = await mesh.call('/', 2, 4)
      await viewer.open(`traces/${request}`)
      const offer = page.getByRole('list', { name: 'Calls that may belong here' })
      await offer.getByText(/shop may have called stock .*9\d % sure/).waitFor()
      await expect.poll(() => rows().count()).toBe(2)
      await offer.getByRole('button', { name: 'Join it' }).click()
      await expect.poll(() => rows().count()).toBe(3)
      expect(await page.locator('.row.inferred').innerText()).toMatch(/shop[\s\S]*stock[\s\S]*inferred/)
      // the link has it
      await page.waitForURL(url => url.searchParams.get('join')?.startsWith(`${lost}.`) ?? false)
      await page.reload()
      await page.locator('.row.inferred').waitFor()
      await page.getByRole('button', { name: 'Take it out' }).click()
      await expect.poll(() => rows().count()).toBe(2)
      // and from the other end
      await viewer.open(`traces/${lost}`)
      await page.getByRole('link', { name: 'See both' }).click()
      await page.locator('.row.inferred').waitFor()
    })

    it(`sees that a retry happened, and what it cost, with the keyboard alone, of ${proxy}`, async () => {
      await start('06-retries', ...options)
      const [id] = await mesh.call('/seq?codes=503,503,200&id=journey', 1, 7)
      await viewer.open('search')
      await page.getByRole('combobox').first().focus()
      await page.keyboard.type('attempt>1')
      await page.keyboard.press('Escape')
      await page.keyboard.press('Enter')
      await page.locator('.trace-row a').first().waitFor()
      for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press('Tab')
        if (await page.evaluate(() => document.activeElement?.matches('.trace-row a') ?? false)) break
      }
      await page.keyboard.press('Enter')
      await page.waitForURL(`**/traces/${id}*`)
      await rows().first().waitFor()
      for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press('Tab')
        if (await page.evaluate(() => document.activeElement?.getAttribute('role') === 'treegrid')) break
      }
      await page.keyboard.press('r')
      await expect.poll(() => page.locator('.row.selected').innerText()).toMatch(/3 attempts, [\d.]+m?s lost/)
      await page.keyboard.press('Enter')
      await panel().getByText('thrown away').waitFor()
      expect(await panel().getByRole('region', { name: 'Attempts' }).innerText()).toMatch(
        /✕ 503[\s\S]*✕ 503[\s\S]*✓ 200[\s\S]*thrown away/,
      )
      // the parts are those of one clock, and of the attempt that counted: nothing is off by milliseconds
      expect(await panel().innerText()).not.toMatch(/−[\d.]+m?s\s+measurement error/)
      expect(await page.locator('.reasons').innerText()).toMatch(/2 attempts of client → flaky that failed \(2 × 503\)/)
      await page.keyboard.press('Escape')
      await panel().waitFor({ state: 'detached' })
    })
  }

  it('compares traced and untraced runs of the same scenario', async () => {
    const comparison = await startComparison('05', '--calls', '30')
    try {
      viewer = await openViewer(browser, comparison)
      page = viewer.page
      await page.goto(comparison.link)
      const run = (which: string) => page.getByRole('row', { name: new RegExp(`^${which} 30`) })
      for (const which of ['no sidecars', 'sidecars, not traced', 'sidecars, traced']) {
        await run(which).waitFor()
        // what the viewer says is what the command line measured
        const printed = new RegExp(`^ +${which} +30 +([\\d.]+) \\[`, 'm').exec(comparison.output)?.[1]
        expect(printed).toMatch(/^\d/)
        const shown = /([\d.]+) ms/.exec(await run(which).innerText())?.[1]
        // 6.565 ms may be rounded either way
        expect(Math.abs(Number(shown) - Number(printed))).toBeLessThan(0.011)
      }
      expect(await run('sidecars, traced').innerText()).toMatch(/[+−][\d.]+ ms/)
      // the runs were of one mesh each: the traced one has its traces here, and the viewer's first page leads back in one click
      await viewer.open('')
      await page.locator('.trace-row').first().waitFor()
      await page.getByRole('link', { name: /Traced and untraced/ }).click()
      await page.getByText('./hopscope compare 05 --view').waitFor()
    } finally {
      await comparison.stop()
    }
  }, 240_000)

  it('finds the slow hop, and sends a colleague the link to it', async () => {
    await start('tour')
    // the tour's own client sends requests
    await viewer.open('')
    const first = page.getByRole('button', { name: /Find the slow part/ })
    await expect.poll(() => first.isEnabled(), { timeout: 40_000 }).toBe(true)
    await first.click()
    await rows().first().waitFor()
    const why = page.locator('.reasons button').first()
    await why.waitFor()
    await why.click()
    await panel().getByText('Where the time went').waitFor()
    await page.getByRole('treegrid').focus()
    await page.keyboard.press('z')
    await page.waitForURL(/span=.*&t=|t=.*&span=/)
    const selected = await page.locator('.row.selected').getAttribute('title')
    const colleague = await openViewer(browser, mesh, { colorScheme: 'dark' })
    await colleague.page.goto(page.url())
    await colleague.page.locator('.row.selected').waitFor()
    expect(await colleague.page.locator('.row.selected').getAttribute('title')).toBe(selected)
    await colleague.page.locator('#panel').getByText('Where the time went').waitFor()
    expect(await colleague.page.locator('.minimap-frame').count()).toBe(1)
    expect(colleague.problems).toEqual([])
    await colleague.context.close()
    // and on the way: what tracing costs is one click away
    await page.getByRole('button', { name: 'End' }).click()
    await viewer.open('')
    await page.getByRole('link', { name: /Traced and untraced/ }).click()
    await page.getByRole('heading', { name: 'Traced and untraced' }).waitFor()
  }, 240_000)
})
