/**
 * Takes the pictures of docs/pictures/ anew: `node test/browser/pictures.ts [NAME…]`, each of a scenario that runs, as a
 * person sees it. Build the viewer first. Look at them before they are committed: under 150 KB each is asserted, the rest is
 * for the eye.
 */
import { mkdirSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { findChromium, launchChromium } from './harness/chromium.ts'
import { startComparison, startScenario } from './harness/scenario.ts'
import { openViewer } from './harness/viewer-page.ts'

const FOLDER = fileURLToPath(new URL('../../docs/pictures/', import.meta.url))
const MAX_BYTES = 150_000

interface Picture {
  name: string
  /** Of the window, CSS pixels. */
  height: number
  scheme?: 'dark'
  show(page: Page): Promise<void>
}

interface Session {
  scenario: string
  options?: string[]
  /** The call whose trace is shown: path, traces, spans. Without one the scenario's own client calls. */
  call?: readonly [path: string, traces: number, spans: number]
  pictures: Picture[]
}

const select = (page: Page, key: string) => page.getByRole('treegrid').press(key)
const panel = (page: Page) => page.locator('.span-card').first().waitFor()

const SESSIONS: Session[] = [
  {
    scenario: 'tour',
    pictures: [
      { name: 'live', height: 560, show: page => page.locator('.trace-row').nth(12).waitFor() },
      {
        name: 'tour',
        height: 620,
        async show(page) {
          await page.getByRole('button', { name: 'Look at the retry' }).click()
          await page.locator('.row.selected').waitFor()
          await panel(page)
          await page.getByRole('button', { name: 'End' }).click()
          await page.getByText('usually').first().waitFor()
        },
      },
      {
        name: 'mesh',
        height: 480,
        async show(page) {
          await page.getByRole('link', { name: 'Mesh' }).click()
          await page.getByRole('button', { name: /^price \d/ }).click()
          await page.getByLabel('Service price').waitFor()
        },
      },
      {
        name: 'compare',
        height: 480,
        async show(page) {
          await page.getByRole('link', { name: 'Compare' }).click()
          await page.getByRole('link', { name: /What a retry costs/ }).click()
          await page.locator('.cohorts').waitFor()
        },
      },
    ],
  },
  {
    scenario: '04-broken-propagation',
    options: ['--set', 'forward=none'],
    call: ['/', 2, 4],
    pictures: [
      { name: '04-lost-call', height: 440, show: page => page.locator('.lost').waitFor() },
      {
        name: '04-joined',
        height: 560,
        async show(page) {
          await page.getByRole('button', { name: 'Join it' }).click()
          await page.locator('.row.inferred').waitFor()
        },
      },
    ],
  },
  {
    scenario: '05-partial-mesh',
    call: ['/', 1, 2],
    pictures: [
      {
        name: '05-hidden-hop',
        height: 520,
        async show(page) {
          await page.locator('.row:visible').first().click()
          await panel(page)
        },
      },
    ],
  },
  {
    scenario: '06-retries',
    call: ['/seq?codes=503,503,200&id=picture', 1, 7],
    pictures: [
      {
        name: '06-attempts',
        height: 720,
        async show(page) {
          await select(page, 'r')
          await panel(page)
        },
      },
    ],
  },
  {
    scenario: '07-timeouts',
    options: ['--set', 'tries=two', '--set', 'ratings_delay=800ms', '--set', 'deadline=no'],
    call: ['/chain', 1, 14],
    pictures: [
      {
        name: '07-deadline',
        height: 520,
        scheme: 'dark',
        async show(page) {
          await page.locator('.row:visible').nth(1).click()
          await panel(page)
        },
      },
    ],
  },
]

const wanted = process.argv.slice(2)
const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name)
const executable = findChromium()
if (!executable) throw new Error('No Chromium: install it or set HOPSCOPE_CHROMIUM')
mkdirSync(FOLDER, { recursive: true })
const browser = await launchChromium(executable)
try {
  for (const session of SESSIONS) {
    if (session.pictures.some(({ name }) => isWanted(name))) await takeAll(browser, session)
  }
  if (isWanted('05-compare')) await takeComparison(browser)
} finally {
  await browser.close()
}

async function takeAll(browser: Browser, { scenario, options = [], call, pictures }: Session): Promise<void> {
  const mesh = await startScenario(scenario, ...options)
  try {
    const ids = call ? await mesh.call(...call) : undefined
    const path = ids ? `traces/${ids[0]}` : ''
    if (!ids) await untilAllSteps(browser, mesh.origin)
    for (const picture of pictures.filter(({ name }) => isWanted(name))) await take(browser, mesh.origin, path, picture)
  } finally {
    await mesh.stop()
  }
}

/** The tour's own client has called often enough when every step can be taken, and there is a custom to compare with. */
async function untilAllSteps(browser: Browser, origin: string): Promise<void> {
  const { page, context, open } = await openViewer(browser, { origin })
  await open('')
  const last = page.getByRole('button', { name: 'Did retries make it worse?' })
  while (!(await last.isEnabled()) || (await page.locator('.trace-row').count()) < 20) await page.waitForTimeout(500)
  await context.close()
}

async function takeComparison(browser: Browser): Promise<void> {
  const comparison = await startComparison('05', '--calls', '100')
  try {
    const { pathname, search } = new URL(comparison.link)
    await take(browser, comparison.origin, `${pathname}${search}`.replace(/^\/zipkin\//, ''), {
      name: '05-compare',
      height: 500,
      show: page => page.getByRole('row', { name: /^sidecars, traced/ }).waitFor(),
    })
  } finally {
    await comparison.stop()
  }
}

async function take(browser: Browser, origin: string, path: string, picture: Picture): Promise<void> {
  const { name, height, scheme = 'light', show } = picture
  const options = { colorScheme: scheme, viewport: { width: 1200, height } } as const
  const { page, context, open } = await openViewer(browser, { origin }, options)
  await open(path)
  await page.locator('.row:visible, .trace-row, .runs').first().waitFor()
  await show(page)
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))))
  const file = `${FOLDER}${name}.png`
  await page.screenshot({ path: file })
  await context.close()
  const { size } = await stat(file)
  if (size > MAX_BYTES) throw new Error(`${name}.png: expected less than ${MAX_BYTES} bytes, got ${size}`)
  console.log(`${name}.png ${Math.round(size / 1_000)} KB`)
}
