/**
 * The trace page in headless Chromium: `node test/bench/viewer/run.ts [SHAPE:SPANS…]`, by default mesh:1000 mesh:10000
 * mesh:100000; shapes are mesh, chain and fan. Medians of three runs, each in a fresh context, beside a loop of arithmetic
 * that tells how fast this machine is just now. Rows 1, n/2 and n are checked in every run. Build the viewer first.
 * A million spans want memory: `node --max-old-space-size=6000 …`.
 */
import { mergeTrace } from '@hopscope/model'
import { encodeColumns, placeSpans, tableSpans } from '@hopscope/model/columns'
import { findChromium, launchChromium } from '../../browser/harness/chromium.ts'
import { type ExpectedRows, type Measured, measureTrace } from './measure.ts'
import { type ServedTrace, serveTraces } from './serve.ts'
import { type Shape, traceOfShape } from './shapes.ts'

const RUNS = Number(process.env.RUNS ?? 3)
/** As JSON a larger trace is longer than a text may be. */
const MAX_JSON_SPANS = 500_000

const wanted = process.argv.slice(2)
if (wanted.length === 0) wanted.push('mesh:1000', 'mesh:10000', 'mesh:100000')
const executable = findChromium()
if (!executable) throw new Error('No Chromium: install it or set HOPSCOPE_CHROMIUM')

const traces = new Map<string, ServedTrace>()
const expected = new Map<string, ExpectedRows & { what: string }>()
for (const what of wanted) {
  const [shape, size] = what.split(':')
  const spans = traceOfShape(shape as Shape, Number(size))
  const { traceId } = spans[0]!
  const tabled = tableSpans(spans)
  const { table } = tabled
  const { order } = placeSpans(table)
  const isLarge = spans.length > MAX_JSON_SPANS
  if (!isLarge && mergeTrace(spans).length !== table.count)
    throw new Error(`${what}: the table has other spans than a merge`)
  traces.set(traceId, {
    columns: encodeColumns(tabled, traceId, spans.length),
    json: isLarge ? undefined : Buffer.from(JSON.stringify(spans)),
  })
  expected.set(traceId, {
    what,
    count: table.count,
    hasTags: !isLarge,
    names: [1, Math.ceil(table.count / 2), table.count].map(
      row => [row, table.strings[table.name[order[row - 1]!]!]!] as const,
    ),
  })
}

const site = await serveTraces(traces)
const browser = await launchChromium(executable)
try {
  for (const [traceId, { columns, json }] of traces) {
    const rows = expected.get(traceId)!
    const runs: Measured[] = []
    const loops: number[] = []
    for (let run = 0; run < RUNS; run++) {
      loops.push(calibrate())
      runs.push(await measureTrace(browser, `${site.origin}/zipkin/traces/${traceId}`, rows))
    }
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
    console.log(
      `\n${rows.what}, ${rows.count.toLocaleString('en')} rows: ${megabytes(columns.length)} of columns, ${json ? megabytes(json.length) : 'no'} JSON`,
    )
    console.log(`  calibration loop ${median(loops).toFixed(0)} ms`)
    for (const key of Object.keys(runs[0]!) as (keyof Measured)[]) {
      console.log(`  ${key.padEnd(14)} ${median(runs.map(run => run[key])).toFixed(key === 'nodes' ? 0 : 1)}`)
    }
  }
} finally {
  await browser.close()
  site.close()
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
