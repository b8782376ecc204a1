import { TraceSession } from './trace-session.ts'
import type { Connection, WorkerAnswer } from './worker-protocol.ts'

/** In the page itself: one that is opened from a disk has no worker. The build of such a page puts this in place of `connect-worker.ts`. */
export function connect(onAnswer: (answer: WorkerAnswer) => void): Connection {
  let isOpen = true
  const session = new TraceSession(answer => isOpen && onAnswer(answer))
  return {
    send: request => void session.handle(request),
    close: () => {
      isOpen = false
    },
  }
}
