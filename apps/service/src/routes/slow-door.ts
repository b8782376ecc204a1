import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import type { FastifyInstance } from 'fastify'
import type { HostPort } from '../host-port.ts'

/** What the worker is made with; `held[0]` is 1 while it must not accept. */
export interface DoorData {
  address: HostPort
  name: string
  held: Int32Array
}

/** Connections that the kernel takes for a listener with a backlog of 1 which accepts none; it drops the SYN of the next. */
const QUEUE = 2

/**
 * A second listener, which can be kept from accepting, so that a connection to it is on its way for as long as a step likes. The
 * kernel finishes a handshake before a program sees it, so only a full accept queue makes one wait (for TCP's retry, a second
 * later). It stands in a thread of its own, because a listener that does not accept is an event loop that does not run.
 *
 *   /door/hold      from now on connections to the second listener wait
 *   /door/release   and no longer
 */
export async function addSlowDoor(http: FastifyInstance, name: string, address: HostPort): Promise<void> {
  const held = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(new URL('./slow-door-worker.ts', import.meta.url), {
    workerData: { address, name, held } satisfies DoorData,
    // Little to do, and little to keep: without this a thread costs some 20 MB.
    resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
  })
  await once(worker, 'message')
  let queue: Socket[] = []
  http.all('/door/hold', async () => {
    if (Atomics.exchange(held, 0, 1) === 0) {
      worker.postMessage('hold')
      await once(worker, 'message')
      queue = Array.from({ length: QUEUE }, () => connect(address).on('error', () => {}))
      await Promise.all(queue.map(socket => once(socket, 'connect')))
    }
    return { name, held: true }
  })
  http.all('/door/release', async () => {
    Atomics.store(held, 0, 0)
    Atomics.notify(held, 0)
    for (const socket of queue) socket.destroy()
    queue = []
    return { name, held: false }
  })
}
