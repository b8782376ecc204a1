import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { dumpStats, ListenError, mergeStats, type Stats } from '@hopscope/proxy'
import type { ClusterStatus, HostStatus } from './admin/clusters-page.ts'
import type { DataPlane } from './data-plane.ts'
import { type Answer, type Answers, type Question, WORKER_VARIABLE } from './worker-messages.ts'

/** Longer than the spans and log lines of an orderly end may take. */
const LAST_WORDS = 3_000
const GONE = 'the worker has ended'

/**
 * The data plane in `count` processes that share the listeners' ports (SO_REUSEPORT: the kernel deals connections out). Each has pools,
 * breakers and health of its own. `own` is what the main process counts; `onDeath`: a worker has ended by itself.
 */
export function createWorkerDataPlane(count: number, own: Stats, onDeath: (reason: string) => void): DataPlane {
  const workers = Array.from({ length: count }, (_, index) => new Worker(index, onDeath))
  const askAll = <Ask extends Question['ask']>(question: Extract<Question, { ask: Ask }>): Promise<Answers[Ask][]> =>
    Promise.all(workers.map(worker => worker.ask<Ask>(question)))

  return {
    async start() {
      const [first, ...others] = workers
      await first!.ask({ ask: 'start', ports: [] })
      // Of a listener on port 0 the first worker's port is everybody's.
      const listeners = await first!.ask({ ask: 'listeners' })
      const ports = listeners.map(({ name, address }) => [name, address.port] as const)
      await Promise.all(others.map(worker => worker.ask({ ask: 'start', ports })))
    },
    stats: async () => mergeStats([dumpStats(own), ...(await askAll({ ask: 'stats' }))]),
    clusters: async () => mergeClusters(await askAll({ ask: 'clusters' })),
    listeners: () => workers[0]!.ask({ ask: 'listeners' }),
    lookups: async () => [own.lookups.dump(), ...(await askAll({ ask: 'lookups' }))],
    async change(change) {
      if (change.type === 'flush histograms') own.flushHistograms()
      if (change.type === 'reset counters') own.resetCounters()
      if (change.type === 'track lookups') own.lookups.track(change.tracking)
      if (change.type === 'clear lookups') own.lookups.clear()
      await askAll({ ask: 'change', change })
    },
    async close() {
      await Promise.all(workers.map(worker => worker.close()))
    },
  }
}

class Worker {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #asked = 0
  #ending = false

  constructor(index: number, onDeath: (reason: string) => void) {
    this.#child = fork(join(import.meta.dirname, 'main.ts'), process.argv.slice(2), {
      env: { ...process.env, [WORKER_VARIABLE]: String(index) },
      // Cyclic references, NaN and undefined cross as they are.
      serialization: 'advanced',
    })
    this.#child.on('message', (answer: Answer) => this.#answered(answer))
    this.#child.on('error', () => {})
    this.#child.on('exit', (code, signal) => {
      for (const id of [...this.#waiting.keys()]) this.#answered({ id, ok: false, reason: GONE })
      if (!this.#ending) onDeath(`worker ${index} has ended with ${signal ?? code}`)
    })
  }

  async ask<Ask extends Question['ask']>(question: Extract<Question, { ask: Ask }>): Promise<Answers[Ask]> {
    const id = ++this.#asked
    const answer = await new Promise<Answer>(resolve => {
      this.#waiting.set(id, resolve)
      this.#child.send({ id, question }, error => {
        if (error !== null) this.#answered({ id, ok: false, reason: GONE })
      })
    })
    if (!answer.ok) throw new ListenError(answer.reason)
    return answer.value as Answers[Ask]
  }

  #answered(answer: Answer): void {
    this.#waiting.get(answer.id)?.(answer)
    this.#waiting.delete(answer.id)
  }

  async close(): Promise<void> {
    this.#ending = true
    const late = setTimeout(() => this.#child.kill('SIGKILL'), LAST_WORDS)
    await this.ask({ ask: 'close' }).catch(() => {})
    clearTimeout(late)
    this.#child.kill('SIGKILL')
  }
}

/** Numbers of a host add up; what is known of it is known by any of them. */
function mergeClusters(all: readonly (readonly ClusterStatus[])[]): ClusterStatus[] {
  return all[0]!.map((cluster, i) => ({ ...cluster, hosts: mergeHosts(all.map(clusters => clusters[i]?.hosts ?? [])) }))
}

const SUMS = [
  'cxActive',
  'cxConnectFail',
  'cxTotal',
  'rqActive',
  'rqError',
  'rqPendingActive',
  'rqSuccess',
  'rqTimeout',
  'rqTotal',
] as const satisfies readonly (keyof HostStatus)[]

function mergeHosts(all: readonly (readonly HostStatus[])[]): HostStatus[] {
  return all[0]!.map(host => {
    const merged = { ...host }
    for (const others of all.slice(1)) {
      const other = others.find(({ address, port }) => address === host.address && port === host.port)
      if (other === undefined) continue
      for (const name of SUMS) merged[name] += other[name]
      merged.ejected ||= other.ejected
    }
    return merged
  })
}
