import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom } from '@hopscope/proxy/testing'
import { startProgram } from '../../conformance/envoy/harness/program.ts'
import { freePorts } from '../../conformance/free-ports.ts'
import { auditLog, auditSpans, auditStats, type Stats } from './books.ts'
import { drive, type Outcome } from './client.ts'
import { meshFile } from './mesh-file.ts'
import { type HeadSizes, planAlike, planRequest } from './plan.ts'
import { startSpanCollector } from './span-collector.ts'
import { startUpstreams } from './upstreams.ts'

export interface SoakOptions {
  transport: 'handle' | 'socket'
  seed: number
  requests: number
  /** Processes that do nothing but take the processor. */
  busy: number
}

export interface SoakReport {
  /** What went wrong, in words; the first thousand. */
  problems: string[]
  /** Requests by kind and status; 0: somebody left before the answer. */
  statuses: Map<string, number>
  stats: Stats
}

const REQUESTS_PER_CONNECTION = 24
/** So that all ids have as many digits. */
const FIRST_ID = 10_000_000

/** A real sidecar with everything turned on, between clients and upstreams that do what they may. */
export async function runSoak({ transport, seed, requests, busy }: SoakOptions): Promise<SoakReport> {
  const problems: string[] = []
  const shout = (problem: string) => {
    if (problems.length < 1_000) problems.push(problem)
  }
  const outcomes = new Map<number, Outcome>()
  const folder = mkdtempSync(join(tmpdir(), 'soak-'))
  const sizes: HeadSizes = new Map()
  const upstreams = await startUpstreams(createRandom(seed ^ 0x2545f491), sizes, shout)
  const collector = await startSpanCollector(shout)
  const [one, other, admin, dead] = (await freePorts(4)) as [number, number, number, number]
  const ports = { listeners: [one, other], admin, dead, collector: collector.port, upstream: upstreams.ports } as const
  const logFile = join(folder, 'access.log')
  const file = join(folder, 'envoy.json')
  writeFileSync(file, JSON.stringify(meshFile(ports, logFile)))
  const loops: ChildProcess[] = []
  let working = true
  const sidecar = await startProgram('hopscope', file, admin, [], { HOPSCOPE_TRANSPORT: transport })
  try {
    const descriptors = await openDescriptors(sidecar.pid, admin)
    for (let i = 0; i < busy; i++) {
      loops.push(spawn(process.execPath, ['-e', 'for (;;) Math.random()'], { stdio: 'ignore' }))
    }
    let nextId = FIRST_ID
    const last = FIRST_ID - 1 + requests
    let connection = 0
    const round = async (count: number, clients: number, crowd?: 'plain' | 'direct') => {
      const until = Math.min(last, nextId - 1 + count)
      const client = async () => {
        while (nextId <= until && problems.length < 20) {
          const random = createRandom(seed * 1_000_003 + connection++)
          const name = `${connection % 2}`
          let left = 1 + Math.floor(random() * 2 * REQUESTS_PER_CONNECTION)
          const plan = () => {
            if (nextId > until || left-- === 0) return undefined
            return crowd === undefined ? planRequest(nextId++, random) : planAlike(nextId++, crowd, name, sizes, random)
          }
          const via = { port: ports.listeners[connection % 2]!, name }
          await drive(via, plan, crowd === undefined ? undefined : sizes, random, outcomes, shout)
        }
      }
      await Promise.all(Array.from({ length: clients }, client))
    }
    const work = (async () => {
      while (nextId <= last && problems.length < 20) {
        await round(1_000, 32)
        await round(1_000, 160, 'direct')
        await round(1_000, 160, 'plain')
      }
    })().finally(() => {
      working = false
    })
    await stutter(sidecar.pid, createRandom(seed ^ 0x517cc1b7), () => working)
    await work
    if (sidecar.ended()) throw new Error(`the sidecar ended: ${sidecar.stderr()}`)
    const awaited = () => {
      const there = new Set(collector.spans.map(span => span.id))
      return [...outcomes.values()].filter(({ plan, status }) => status !== 0 && !there.has(plan.id)).length
    }
    const stats = await settled(admin, awaited, shout)
    auditStats(stats, upstreams.seen, outcomes, shout)
    const left = await openDescriptors(sidecar.pid, admin)
    // The admin port's own connection is there or not.
    if (Math.abs(left - descriptors) > 2) shout(`descriptors: ${left}, and ${descriptors} before`)
    // Dropped are reports, of many spans each.
    const missing = droppedReports(stats) === 0 ? 0 : Number.POSITIVE_INFINITY
    auditSpans(collector.spans, outcomes, stats.get('cluster.copy.upstream_rq_total') ?? 0, missing, shout)
    await sidecar.stop()
    auditLog(readFileSync(logFile, 'latin1'), outcomes, stats, shout)
    if (sidecar.stderr() !== '') shout(`the sidecar said: ${sidecar.stderr().slice(0, 2_000)}`)
    return { problems, statuses: statusesOf(outcomes), stats }
  } finally {
    for (const loop of loops) loop.kill('SIGKILL')
    await sidecar.stop()
    upstreams.close()
    collector.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Stops the process again and again for some milliseconds, as one is that has to share its processor: then a turn of its event loop
 * finds all at once what has come meanwhile.
 */
async function stutter(pid: number, random: () => number, goOn: () => boolean): Promise<void> {
  const pause = (most: number) => new Promise(resolve => setTimeout(resolve, random() * most))
  try {
    while (goOn()) {
      await pause(20)
      process.kill(pid, 'SIGSTOP')
      try {
        await pause(15)
      } finally {
        process.kill(pid, 'SIGCONT')
      }
    }
  } catch (error) {
    // Its clients will tell that it is gone.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The numbers once nothing is under way and all spans that are `awaited` have come; later no more is waited for. */
async function settled(admin: number, awaited: () => number, shout: (problem: string) => void): Promise<Stats> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const stats = await readStats(admin)
    const active = [...stats].filter(
      ([name, value]) =>
        value !== 0 && /^(http\.(zipkin|otlp)|cluster\.(?!zipkin)).*(rq|downstream_cx)(_pending)?_active$/.test(name),
    )
    if (active.length === 0 && (awaited() === 0 || droppedReports(stats) > 0)) return stats
    if (Date.now() > deadline) {
      shout(`still under way after 30 s: ${active.map(String).join(' ')}, ${awaited()} spans`)
      return stats
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

function droppedReports(stats: Stats): number {
  let sum = 0
  for (const [name, value] of stats) {
    if (/^tracing\..*(dropped|failed)|^cluster\.zipkin\.upstream_rq_5xx$/.test(name)) sum += value
  }
  return sum
}

/** Of the process, but for connections to upstreams, which it keeps on purpose. */
async function openDescriptors(pid: number, admin: number): Promise<number> {
  let kept = 0
  for (const [name, value] of await readStats(admin)) if (/^cluster\..*\.upstream_cx_active$/.test(name)) kept += value
  return readdirSync(`/proc/${pid}/fd`).length - kept
}

async function readStats(admin: number): Promise<Stats> {
  const text = await (await fetch(`http://127.0.0.1:${admin}/stats`)).text()
  const stats = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [name = '', value = ''] = line.split(': ')
    if (/^\d+$/.test(value)) stats.set(name, Number(value))
  }
  return stats
}

function statusesOf(outcomes: ReadonlyMap<number, Outcome>): Map<string, number> {
  const statuses = new Map<string, number>()
  for (const { plan, status } of outcomes.values()) {
    const key = `${plan.name} ${status}`
    statuses.set(key, (statuses.get(key) ?? 0) + 1)
  }
  return new Map([...statuses].sort())
}
