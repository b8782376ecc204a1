/** The thread of `slow-door.ts`: listens, answers every path, and stands still while it is held. */
import { createServer } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'
import type { DoorData } from './slow-door.ts'

const { address, name, held } = workerData as DoorData

const server = createServer((request, response) => {
  request.resume()
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ name, uri: request.url }))
})
server.listen({ ...address, backlog: 1 }, () => parentPort!.postMessage('listening'))

parentPort!.on('message', () => {
  parentPort!.postMessage('held')
  Atomics.wait(held, 0, 1)
})
