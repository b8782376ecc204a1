/**
 * The trace page in headless Chromium: `node test/bench/viewer/run.ts [sizes…]`, sizes in spans (1000 10000 100000).
 * Generated mesh traces as Zipkin JSON; medians of three runs, each in a fresh context, beside a loop of arithmetic that
 * tells how fast this machine is just now. Rows 1, n/2 and n are checked in every run. Build the viewer first.
 */
import { mergeTrace } from '@hopscope/model'
import { placeSpans, tableSpans } from '@hopscope/model/columns'
import { generateTrace, seededRandom } from '@hopscope/model/testing'
import { findChromium, launchChromium } from '../../browser/harness/chromium.ts'
import { type ExpectedRows, type Measured, measureTrace } from './measure.ts'
import { serveTraces } from './serve.ts'

const RUNS = 3

const sizes = process.argv.slice(2).map(Number)
if (sizes.length === 0) sizes.push(1_000, 10_000, 100_000)
const executable = findChromium()
if (!executable) throw new Error('No Chromium: install it or set HOPSCOPE_CHROMIUM')

const traces = new Map<string, Buffer>()
const expected = new Map<string, ExpectedRows>()
for (const size of sizes) {
  const spans = generateTrace({ spans: size, services: 24, shared: true }, seededRandom(size))
  traces.set(spans[0]!.traceId, Buffer.from(JSON.stringify(spans)))
  const { table, placement } = placed(spans)
  const nameOf = (row: number) => table.strings[table.name[placement.order[row - 1]!]!]!
  const rows = [1, Math.ceil(table.count / 2), table.count]
  expected.set(spans[0]!.traceId, {
    count: mergeTrace(spans).length,
    names: rows.map(row => [row, nameOf(row)] as const),
  })
}

const site = await serveTraces(traces)
const browser = await launchChromium(executable)
try {
  for (const [traceId, body] of traces) {
    const rows = expected.get(traceId)!
    const runs: Measured[] = []
    const loops: number[] = []
    for (let run = 0; run < RUNS; run++) {
      loops.push(calibrate())
      runs.push(await measureTrace(browser, `${site.origin}/zipkin/traces/${traceId}`, rows))
    }
    console.log(`\n${rows.count.toLocaleString('en')} spans, ${(body.length / 1e6).toFixed(1)} MB of JSON`)
    console.log(`  calibration loop ${median(loops).toFixed(0)} ms`)
    for (const key of Object.keys(runs[0]!) as (keyof Measured)[]) {
      console.log(`  ${key.padEnd(14)} ${median(runs.map(run => run[key])).toFixed(key === 'nodes' ? 0 : 1)}`)
    }
  }
} finally {
  await browser.close()
  site.close()
}

function placed(spans: Parameters<typeof tableSpans>[0]) {
  const { table } = tableSpans(spans)
  return { table, placement: placeSpans(table) }
}

/** Always the same work: what it takes says how busy the machine is. */
function calibrate(): number {
  const began = performance.now()
  let sum = 0
  for (let i = 0; i < 100_000_000; i++) sum = (sum + i * i) | 0
  return sum === 1 ? 0 : performance.now() - began
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
