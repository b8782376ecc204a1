// How long a span takes from its report to the screen: `node test/bench/viewer/live.ts [traces]`.
// A real collector, a real browser; traces are reported one by one, at intervals that keep step with nothing.
import { findChromium, launchChromium } from '../../browser/harness/chromium.ts'
import { buildViewer, startCollector } from '../../browser/harness/collector.ts'
import { shopTrace } from '../../browser/harness/mesh-trace.ts'
import { openViewer } from '../../browser/harness/viewer-page.ts'

const count = Number(process.argv[2] ?? 200)
const chromium = findChromium()
if (!chromium) throw new Error('no Chromium: install it or set HOPSCOPE_CHROMIUM')

await buildViewer()
const collector = await startCollector()
const browser = await launchChromium(chromium)
try {
  await collector.send(shopTrace('00000000000000ff', Date.now() * 1_000))
  const viewer = await openViewer(browser, collector)
  await viewer.open('')
  await viewer.page.locator('.trace-row').first().waitFor()
  await viewer.page.evaluate(watchRows)
  const sent = new Map<string, number>()
  for (let i = 0; i < count; i++) {
    const traceId = (0x1000 + i).toString(16).padStart(16, '0')
    sent.set(traceId, Date.now())
    await collector.send(shopTrace(traceId, (Date.now() - 200) * 1_000))
    await new Promise(resolve => setTimeout(resolve, 60 + ((i * 37) % 101)))
  }
  await new Promise(resolve => setTimeout(resolve, 1_000))
  const seen = await viewer.page.evaluate(() => (globalThis as unknown as { seen: Record<string, number> }).seen)
  const delays = [...sent].flatMap(([id, at]) => (seen[id] === undefined ? [] : [seen[id] - at])).sort((a, b) => a - b)
  const share = (part: number) => delays[Math.min(delays.length - 1, Math.floor(delays.length * part))]
  console.log(`span reported -> on screen, ${delays.length} of ${count} traces`)
  console.log(`p50 ${share(0.5)} ms   p95 ${share(0.95)} ms   worst ${delays.at(-1)} ms`)
} finally {
  await browser.close()
  await collector.stop()
}

/** In the page: when the row of each trace is first painted. */
function watchRows(): void {
  const seen: Record<string, number> = {}
  Object.assign(globalThis, { seen })
  const look = () => {
    for (const link of document.querySelectorAll<HTMLAnchorElement>('.trace-row > a')) {
      const id = link.pathname.split('/').at(-1)!
      if (seen[id] === undefined) seen[id] = Date.now()
    }
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}
