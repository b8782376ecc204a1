import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'

const LISTEN_AND_SLEEP = `
  const { parentPort } = require('node:worker_threads')
  const server = require('node:net').createServer()
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
  })
`

/**
 * A port that neither takes connections nor refuses them: it listens, no one accepts, and the queue is full, so the kernel
 * drops what comes. (Linux)
 */
export class FullListener {
  readonly port: number
  /** None ever arrives. */
  readonly requests: readonly [] = []
  readonly #worker: Worker
  readonly #queued: Socket[]

  private constructor(port: number, worker: Worker, queued: Socket[]) {
    this.port = port
    this.#worker = worker
    this.#queued = queued
  }

  static async open(): Promise<FullListener> {
    const worker = new Worker(LISTEN_AND_SLEEP, { eval: true })
    const port = await new Promise<number>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    const queued: Socket[] = []
    for (let taken = true; taken && queued.length < 16; ) {
      const socket = connect({ port, host: '127.0.0.1' })
      queued.push(socket)
      taken = await new Promise<boolean>((resolve, reject) => {
        socket.once('connect', () => resolve(true))
        socket.once('error', reject)
        setTimeout(resolve, 200, false)
      })
    }
    return new FullListener(port, worker, queued)
  }

  async close(): Promise<void> {
    for (const socket of this.#queued) socket.destroy()
    await this.#worker.terminate()
  }
}
