// A list of 10,000 traces under the wheel: `node test/bench/viewer/list.ts [traces]`. Frames while it scrolls, beside
// frames of a page that does nothing, which is what the machine can do just now.
import type { Span } from '@hopscope/model'
import { findChromium, launchChromium } from '../../browser/harness/chromium.ts'
import { buildViewer, startCollector } from '../../browser/harness/collector.ts'
import { openViewer } from '../../browser/harness/viewer-page.ts'

const count = Number(process.argv[2] ?? 10_000)
const chromium = findChromium()
if (!chromium) throw new Error('no Chromium: install it or set HOPSCOPE_CHROMIUM')

await buildViewer()
const collector = await startCollector()
const browser = await launchChromium(chromium)
try {
  const now = Date.now() * 1_000
  for (let i = 0; i < count; i += 2_000) {
    const spans = Array.from({ length: Math.min(2_000, count - i) }, (_, k) => spanOf(i + k, now))
    await collector.send(spans)
  }
  const viewer = await openViewer(browser, collector)
  const began = Date.now()
  await viewer.open('search?q=service%3Dshop')
  const list = viewer.page.locator('.trace-list')
  await viewer.page.locator('.trace-row').first().waitFor()
  console.log(`first rows after ${Date.now() - began} ms, navigation included`)
  let rows = 0
  for (let tries = 0; rows < count && tries < 200; tries++) {
    await list.evaluate(element => element.scrollTo(0, element.scrollHeight))
    rows = Number(await viewer.page.locator('.trace-row').last().getAttribute('aria-setsize'))
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  console.log(`${rows} rows after ${Date.now() - began} ms, ${await viewer.page.locator('*').count()} elements`)
  await list.evaluate(element => element.scrollTo(0, 0))
  for (let round = 1; round <= 3; round++) {
    console.log(`still     ${format(await viewer.page.evaluate(frames, 0))}`)
    console.log(`scrolling ${format(await viewer.page.evaluate(frames, 400))}`)
  }
} finally {
  await browser.close()
  await collector.stop()
}

function spanOf(i: number, now: number): Span {
  const id = (i + 1).toString(16).padStart(16, '0')
  return {
    traceId: id,
    id,
    name: `call ${i}`,
    timestamp: now - i * 10_000,
    duration: 1_000 + (i % 997) * 100,
    localEndpoint: { serviceName: 'shop' },
  }
}

function format(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const share = (part: number) => sorted[Math.floor((sorted.length - 1) * part)]!.toFixed(1).padStart(6)
  return `${times.length} frames, p50 ${share(0.5)} ms, p95 ${share(0.95)} ms, worst ${share(1)} ms`
}

/** In the page: frame times over two seconds, the list moved by `step` pixels each. */
function frames(step: number): Promise<number[]> {
  const element = document.querySelector('.trace-list')!
  return new Promise(resolve => {
    const times: number[] = []
    const start = performance.now()
    let last = start
    const frame = (time: number) => {
      times.push(time - last)
      last = time
      element.scrollTop += step
      if (time - start < 2_000) requestAnimationFrame(frame)
      else resolve(times.slice(1))
    }
    requestAnimationFrame(frame)
  })
}
