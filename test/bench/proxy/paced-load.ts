/** node paced-load.ts PORT SECONDS: 1,000 requests a second on 8 connections, each connection one every 8 ms; percentiles in ms. */
import { connect } from 'node:net'

const CONNECTIONS = 8
const RATE = 1_000
const [port, seconds] = process.argv.slice(2).map(Number) as [number, number]
const times: number[] = []
/** Not measured: connections, and whoever is compiled still. */
const SETTLE = 200

const request = 'GET /1k HTTP/1.1\r\nHost: bench\r\n\r\n'
const clients = Array.from({ length: CONNECTIONS }, () => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', error => {
    console.error(error.message)
    process.exit(1)
  })
  const client = { socket, sentAt: Number.NaN, expected: 0, received: 0 }
  socket.on('data', chunk => {
    client.received += chunk.length
    if (client.expected === 0) {
      const text = chunk.toString('latin1')
      if (!text.startsWith('HTTP/1.1 200')) throw new Error(text)
      client.expected = text.indexOf('\r\n\r\n') + 4 + Number(/content-length: (\d+)/i.exec(text)?.[1])
    }
    if (client.received < client.expected) return
    times.push(performance.now() - client.sentAt)
    client.sentAt = Number.NaN
    client.expected = client.received = 0
  })
  return client
})
await Promise.all(clients.map(({ socket }) => new Promise(resolve => socket.once('connect', resolve))))

const began = performance.now()
const total = seconds * RATE + SETTLE
let next = 0
while (next < total) {
  // Awake all the time: a timer is late by more than what is measured here.
  await new Promise(resolve => setImmediate(resolve))
  const due = Math.min(total, Math.floor(((performance.now() - began) * RATE) / 1000))
  for (; next < due; next++) {
    const client = clients[next % CONNECTIONS]!
    // Still waiting for the one before: it is late enough as it is.
    if (!Number.isNaN(client.sentAt)) continue
    client.sentAt = performance.now()
    client.socket.write(request)
  }
}
const sorted = times.slice(SETTLE).sort((a, b) => a - b)
const at = (share: number) => sorted[Math.floor(sorted.length * share)]
console.log(JSON.stringify({ p50: at(0.5), p99: at(0.99), requests: sorted.length }))
process.exit(0)
