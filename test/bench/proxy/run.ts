/**
 * Requests per CPU-second of proxies, interleaved, as ratios:
 *   node test/bench/proxy/run.ts [--rounds 5] [--seconds 3] [--connections 32]
 *
 * GET of 1 KB through one proxy process pinned to the first core; the load (wrk), the backend (nginx) and the span sink on
 * the others. CPU time is the proxy's own user + system time over the round. Every round runs every variant once, in turn,
 * so that a slow minute of the machine is shared; the ratio is taken round by round and its median printed.
 * Needs wrk and nginx on the PATH; Envoy as HOPSCOPE_ENVOY or on the PATH (left out by name otherwise).
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cpuSeconds, pinned, rssMegabytes, stopAll, waitForPort } from './processes.ts'
import { startBackend, startSink, variants } from './variants.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
    only: { type: 'string', default: '' },
  },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const connections = Number(values.connections)

if (spawnSync('wrk', ['--version']).error !== undefined) {
  console.error('the benchmark needs wrk (Debian package wrk) on the PATH')
  process.exit(1)
}

interface Sample {
  requestsPerCpuSecond: number
  requestsPerSecond: number
  p50: string
  p99: string
  rss: number
  errors: string
}

const folder = mkdtempSync(join(tmpdir(), 'bench-proxy-'))
const samples = new Map<string, Sample[]>()
try {
  const backend = await startBackend(folder)
  const sink = await startSink(folder)
  const wanted = values.only === '' ? undefined : values.only.split(',')
  const running = []
  for (const variant of variants(folder, backend, sink)) {
    if (wanted !== undefined && !wanted.includes(variant.name)) continue
    if (variant.missing !== undefined) {
      console.log(`left out: ${variant.name} (${variant.missing})`)
      continue
    }
    const child = pinned(0, variant.command, variant.args, variant.name)
    await waitForPort(variant.port, variant.name)
    running.push({ variant, pid: child.pid! })
    samples.set(variant.name, [])
  }
  for (const { variant } of running) load(variant.port, 1)
  for (let round = 0; round < rounds; round++) {
    for (const { variant, pid } of running) {
      const before = cpuSeconds(pid)
      const result = load(variant.port, seconds)
      const cpu = cpuSeconds(pid) - before
      samples.get(variant.name)!.push({
        requestsPerCpuSecond: result.requests / cpu,
        requestsPerSecond: result.requests / seconds,
        p50: result.p50,
        p99: result.p99,
        rss: rssMegabytes(pid),
        errors: result.errors,
      })
    }
    process.stderr.write(`round ${round + 1} of ${rounds}\n`)
  }
  print()
} finally {
  await stopAll()
  rmSync(folder, { recursive: true, force: true })
}

function load(port: number, duration: number): { requests: number; p50: string; p99: string; errors: string } {
  const wrk = spawnSync(
    'taskset',
    [
      '-c',
      '1',
      'wrk',
      '-t',
      '1',
      '-c',
      String(connections),
      '-d',
      `${duration}s`,
      '--latency',
      `http://127.0.0.1:${port}/1k`,
    ],
    { encoding: 'utf8' },
  )
  const text = wrk.stdout
  const requests = Number(/(\d+) requests in/.exec(text)?.[1])
  if (!Number.isFinite(requests) || requests === 0)
    throw new Error(`wrk did no request on port ${port}: ${text}${wrk.stderr}`)
  const failures = [/Non-2xx.*: \d+/.exec(text)?.[0], /Socket errors: .*/.exec(text)?.[0]].filter(
    line => line !== undefined,
  )
  return {
    requests,
    p50: /^\s+50%\s+(\S+)/m.exec(text)?.[1] ?? '?',
    p99: /^\s+99%\s+(\S+)/m.exec(text)?.[1] ?? '?',
    errors: failures.join('; '),
  }
}

function print(): void {
  const base = samples.get('envoy')
  console.log(
    `\nGET 1 KB, ${connections} connections, ${rounds} rounds of ${seconds} s, Node ${process.versions.node}\n`,
  )
  console.log('| variant | req/CPU-s | us/req | ratio to Envoy untraced [min-max] | req/s | p50 | p99 | RSS MB |')
  console.log('|---|---|---|---|---|---|---|---|')
  for (const [name, list] of samples) {
    const perCpu = median(list.map(sample => sample.requestsPerCpuSecond))
    const ratios =
      base === undefined ? [] : list.map((sample, i) => sample.requestsPerCpuSecond / base[i]!.requestsPerCpuSecond)
    const ratio =
      ratios.length === 0
        ? '-'
        : `${median(ratios).toFixed(2)} [${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}]`
    const last = list.at(-1)!
    console.log(
      `| ${name} | ${Math.round(perCpu).toLocaleString('en')} | ${(1e6 / perCpu).toFixed(1)} | ${ratio} | ` +
        `${Math.round(median(list.map(sample => sample.requestsPerSecond))).toLocaleString('en')} | ${last.p50} | ${last.p99} | ${Math.round(last.rss)} |`,
    )
    const failures = list.map(sample => sample.errors).filter(text => text !== '')
    if (failures.length > 0) console.log(`  ${name}: ${failures.join(' / ')}`)
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
