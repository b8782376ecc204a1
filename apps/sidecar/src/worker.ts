import type { Bootstrap } from '@hopscope/envoy-config'
import { dumpStats, Runtime, Stats, watchDiskLayers } from '@hopscope/proxy'
import type { Options } from './command-line.ts'
import { createLocalDataPlane, type DataPlane } from './data-plane.ts'
import type { Log } from './log.ts'
import type { Answer, Question } from './worker-messages.ts'

/**
 * The life of one of `--concurrency N` processes: it does what the main process asks, and ends with it. Signals are the main
 * process's business, though a terminal sends them to all.
 */
export function runWorker(index: number, bootstrap: Bootstrap, options: Options, log: Log): void {
  const stats = new Stats()
  const runtime = new Runtime(bootstrap.runtime)
  watchDiskLayers(bootstrap.runtime, () => runtime.load())
  let plane: DataPlane | undefined
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  process.on('disconnect', () => process.exit(1))

  async function answer(question: Question): Promise<unknown> {
    if (question.ask === 'start') {
      const worker = { index, ports: new Map(question.ports) }
      plane = await createLocalDataPlane({ bootstrap, options, log, worker }, runtime, stats)
      return plane.start()
    }
    switch (question.ask) {
      case 'stats':
        return dumpStats(stats)
      case 'clusters':
        return plane?.clusters()
      case 'listeners':
        return plane?.listeners()
      case 'lookups':
        return stats.lookups.dump()
      case 'change':
        return plane?.change(question.change)
      case 'close':
        return plane?.close()
    }
  }

  process.on('message', ({ id, question }: { id: number; question: Question }) => {
    answer(question).then(
      value => process.send!({ id, ok: true, value } satisfies Answer),
      (error: Error) => process.send!({ id, ok: false, reason: error.message } satisfies Answer),
    )
  })
}
