import type { Browser, Page } from 'playwright-core'

export interface Measured {
  readyMs: number
  longestTaskMs: number
  scrollP95Ms: number
  zoomP95Ms: number
  collapseMs: number
  findMs: number
  /** All rows but those found left out, and put back: the longer of both, from the click to the frame after it. */
  filterMs: number
  heapMb: number
  nodes: number
}

/** Expected of rows 1, n/2 and n, counted from 1: what they are called. */
export interface ExpectedRows {
  count: number
  /** Tags can be had, so that they can be searched. */
  hasTags: boolean
  names: readonly (readonly [row: number, text: string])[]
}

/** One run in a fresh context: opens a trace as spans, checks its rows, scrolls, zooms, collapses, finds. */
export async function measureTrace(browser: Browser, url: string, expected: ExpectedRows): Promise<Measured> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  try {
    await page.addInitScript(WATCH)
    // Told by the page itself: whoever asks it puts 330 KB of script of his own into the start that is measured.
    const told = page.waitForEvent('console', {
      predicate: message => message.text().startsWith(READY),
      timeout: 120_000,
    })
    const began = Date.now()
    await page.goto(`${url}?view=spans`, { waitUntil: 'commit' })
    const ready = Number((await told).text().slice(READY.length))
    await checkRows(page, expected)
    const scroll = await framesWhile(page, 'scroll')
    const zoom = await framesWhile(page, 'zoom')
    const collapse = await page.evaluate(collapseAndExpand)
    const find = expected.hasTags ? await page.evaluate(findText, 'status_code=503') : Number.NaN
    const filter = expected.hasTags ? await page.evaluate(filterAndBack) : Number.NaN
    const longest = await page.evaluate(() => Math.max(0, ...(window as unknown as Watch).tasks))
    const session = await context.newCDPSession(page)
    await session.send('HeapProfiler.collectGarbage')
    await session.send('Performance.enable')
    const { metrics } = await session.send('Performance.getMetrics')
    const metric = (name: string) => metrics.find(entry => entry.name === name)?.value ?? 0
    return {
      readyMs: ready - began,
      longestTaskMs: longest,
      scrollP95Ms: scroll,
      zoomP95Ms: zoom,
      collapseMs: collapse,
      findMs: find,
      filterMs: filter,
      heapMb: metric('JSHeapUsedSize') / 1e6,
      nodes: await page.locator('*').count(),
    }
  } finally {
    await context.close()
  }
}

type Watch = { tasks: number[] }

const READY = 'ready at '

/** Ready: a row is in the document, and a task of our own gets its turn. */
const WATCH = `
  window.tasks = []
  new PerformanceObserver(list => { for (const task of list.getEntries()) window.tasks.push(task.duration) })
    .observe({ type: 'longtask', buffered: true })
  const poll = setInterval(() => {
    const row = document.querySelector('.row:not([hidden]) .service')
    if (!row?.textContent) return
    clearInterval(poll)
    setTimeout(() => console.log('${READY}' + (performance.timeOrigin + performance.now())))
  }, 10)
`

async function checkRows(page: Page, { count, names }: ExpectedRows): Promise<void> {
  const grid = page.getByRole('treegrid')
  const told = Number(await grid.getAttribute('aria-rowcount')) - 1
  if (told !== count) throw new Error(`expected ${count} rows, got ${told}`)
  for (const [row, text] of names) {
    await page.evaluate(
      ([at, all]) => {
        const element = document.querySelector('.grid')!
        element.scrollTop = ((at! - 1) / Math.max(1, all! - 1)) * (element.scrollHeight - element.clientHeight)
      },
      [row, count],
    )
    const found = page.locator(`.row[aria-rowindex="${row + 1}"]:not([hidden])`)
    await found.waitFor({ timeout: 30_000 })
    const shown = await found.innerText()
    if (!shown.includes(text)) throw new Error(`row ${row}: expected ${text}, got ${shown}`)
  }
}

function framesWhile(page: Page, what: 'scroll' | 'zoom'): Promise<number> {
  return page.evaluate(async (action: string) => {
    const grid = document.querySelector('.grid')!
    const { left, width, top } = grid.getBoundingClientRect()
    const frames: number[] = []
    let last = await new Promise<number>(requestAnimationFrame)
    const end = last + 2_000
    for (let n = 0; last < end; n++) {
      if (action === 'scroll') grid.scrollTop += n % 120 < 60 ? 900 : -700
      else {
        const deltaY = n % 40 < 20 ? -60 : 60
        const at = { clientX: left + width * 0.7, clientY: top + 100 }
        grid.dispatchEvent(new WheelEvent('wheel', { ...at, deltaY, ctrlKey: true, cancelable: true }))
      }
      const now = await new Promise<number>(requestAnimationFrame)
      frames.push(now - last)
      last = now
    }
    frames.sort((a, b) => a - b)
    return frames[Math.floor(frames.length * 0.95)]!
  }, what)
}

/** Longest of: collapse the first row, expand it, collapse everything, expand it; from the key to the frame after it. */
async function collapseAndExpand(): Promise<number> {
  const grid = document.querySelector<HTMLElement>('.grid')!
  const press = async (key: string) => {
    const began = performance.now()
    grid.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))
    return performance.now() - began
  }
  await press('Home')
  let longest = 0
  for (const key of ['ArrowLeft', 'ArrowRight', '[', ']']) {
    longest = Math.max(longest, await press(key))
    await new Promise(requestAnimationFrame)
  }
  return longest
}

/** From typing to the first marked row's count. */
async function findText(text: string): Promise<number> {
  const box = document.querySelector<HTMLInputElement>('.find input')!
  const began = performance.now()
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(box, text)
  box.dispatchEvent(new Event('input', { bubbles: true }))
  while (!/^[1-9]/.test(document.querySelector('.find-count')?.textContent ?? '')) {
    if (performance.now() - began > 30_000) return Number.NaN
    await new Promise(requestAnimationFrame)
  }
  return performance.now() - began
}

/** After a search: only what was found, then everything again. */
async function filterAndBack(): Promise<number> {
  const rows = () => Number(document.querySelector('.grid')!.getAttribute('aria-rowcount'))
  const button = document.querySelector<HTMLButtonElement>('.only-found')!
  let longest = 0
  for (let i = 0; i < 2; i++) {
    await new Promise(resolve => setTimeout(resolve, 500))
    const before = rows()
    const began = performance.now()
    button.click()
    await new Promise(requestAnimationFrame)
    while (rows() === before) await new Promise(requestAnimationFrame)
    longest = Math.max(longest, performance.now() - began)
  }
  return longest
}
