/** node idle-load.ts PORT PID: 5,000 connections, a request on each, then what PID has more of memory than before, in KB for each. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { rssMegabytes } from './processes.ts'

const CONNECTIONS = 5_000
const AT_ONCE = 50
const [port, pid] = process.argv.slice(2).map(Number) as [number, number]
const before = rssMegabytes(pid)
const open: Socket[] = []

async function client(): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  open.push(socket)
  await once(socket, 'connect')
  socket.write('GET /1k HTTP/1.1\r\nHost: bench\r\n\r\n')
  for (let received = 0; received < 1024; ) received += (await once(socket, 'data'))[0].length
}

while (open.length < CONNECTIONS) await Promise.all(Array.from({ length: AT_ONCE }, client))
await sleep(500)
const kilobytes = ((rssMegabytes(pid) - before) * 1024) / CONNECTIONS
for (const socket of open) socket.destroy()
console.log(JSON.stringify({ kilobytes }))
process.exit(0)
