/**
 * Proxies side by side, as ratios:
 *   node test/bench/proxy/run.ts [--row get|detailed|post|latency|bodies|idle] [--rounds 5] [--seconds 3] [--only envoy,hopscope]
 *
 * One proxy process pinned to the first core; the load, the backend (nginx) and the span sink on the second. CPU time is the proxy's
 * own, user and system. Every round runs every variant once, in turn, so that a slow minute of the machine is shared; ratios are
 * taken round by round, and the median is printed.
 *
 *   get      GET of 1 KB, 32 connections; also traced, against Envoy's tracers
 *   detailed as `get`, traced as the scenarios' sidecars do it: two spans a request, with all that `verbose` tells
 *   post     POST of 4 KB, 64 connections
 *   latency  GET at 1,000 requests a second on 8 connections: what is added to the backend's own
 *   bodies   100 MB down and up: bytes per CPU-second, and how the memory grows
 *   idle     5,000 connections that did one request each and stay
 *
 * Needs wrk and nginx on the PATH; Envoy as HOPSCOPE_ENVOY or on the PATH (left out by name otherwise).
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pinned, rssMegabytes, stopAll, waitForPort } from './processes.ts'
import { ROWS, type Row, type Running } from './rows.ts'
import { startBackend, startSink, variants } from './variants.ts'

const { values } = parseArgs({
  options: {
    row: { type: 'string', default: 'get' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
})
const row: Row | undefined = ROWS[values.row]
if (row === undefined) {
  console.error(`no row '${values.row}': ${Object.keys(ROWS).join(', ')}`)
  process.exit(1)
}
const rounds = row.once === true ? 1 : Number(values.rounds)
if (spawnSync('wrk', ['--version']).error !== undefined) {
  console.error('the benchmark needs wrk (Debian package wrk) on the PATH')
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'bench-proxy-'))
try {
  const backend = await startBackend(folder)
  const sink = await startSink(folder)
  const wanted = values.only === '' ? row.variants : values.only.split(',')
  const running: Running[] = []
  for (const variant of variants(folder, backend, sink)) {
    if (!wanted.includes(variant.name)) continue
    if (variant.missing !== undefined) {
      console.log(`left out: ${variant.name} (${variant.missing})`)
      continue
    }
    const child = pinned(0, variant.command, variant.args, variant.name)
    await waitForPort(variant.port, variant.name)
    running.push({ name: variant.name, port: variant.port, pid: child.pid! })
  }
  const bench = { folder, backend, seconds: Number(values.seconds) }
  for (const proxy of running) await row.warmUp(proxy, bench)
  const samples = new Map<string, Record<string, number>[]>(running.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const proxy of running) samples.get(proxy.name)!.push(await row.measure(proxy, bench))
    process.stderr.write(`round ${round + 1} of ${rounds}\n`)
  }
  print(row, samples, running)
} finally {
  await stopAll()
  rmSync(folder, { recursive: true, force: true })
}

function print({ title, ratioOf }: Row, samples: Map<string, Record<string, number>[]>, running: Running[]): void {
  console.log(`\n${title}; ${rounds} rounds of ${values.seconds} s, Node ${process.versions.node}\n`)
  const columns = Object.keys([...samples.values()][0]?.[0] ?? {})
  console.log(`| variant | ${columns.join(' | ')} | ratio to Envoy [min-max] | RSS MB |`)
  console.log(`|---|${columns.map(() => '---|').join('')}---|---|`)
  for (const { name, pid } of running) {
    const list = samples.get(name)!
    const cells = columns.map(column => format(median(list.map(sample => sample[column]!))))
    // Traced ones are told against Envoy's tracer of the same kind too.
    const tracer = /\+ (\S+)$/.exec(name)?.[1]
    const peers = tracer === undefined ? ['envoy'] : ['envoy', `envoy + ${tracer}`]
    const ratios = peers.map(peer => {
      const base = samples.get(peer)
      if (base === undefined || ratioOf === undefined) return '-'
      const all = list.map((sample, i) => sample[ratioOf]! / base[i]![ratioOf]!)
      return `${median(all).toFixed(2)} [${Math.min(...all).toFixed(2)}-${Math.max(...all).toFixed(2)}]`
    })
    console.log(
      `| ${name} | ${cells.join(' | ')} | ${ratios.join('; its own tracer: ')} | ${Math.round(rssMegabytes(pid))} |`,
    )
  }
}

function format(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toFixed(value < 10 ? 2 : 1)))
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
