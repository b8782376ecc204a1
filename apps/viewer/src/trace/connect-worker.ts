import type { Connection, WorkerAnswer } from './worker-protocol.ts'

/** A worker of its own, ended with the page. */
export function connect(onAnswer: (answer: WorkerAnswer) => void, onError: (message: string) => void): Connection {
  const worker = new Worker(new URL('./trace-worker.ts', import.meta.url), { type: 'module' })
  worker.addEventListener('message', (event: MessageEvent<WorkerAnswer>) => onAnswer(event.data))
  worker.addEventListener('error', event => onError(event.message || 'The trace worker could not start.'))
  return { send: request => worker.postMessage(request), close: () => worker.terminate() }
}
