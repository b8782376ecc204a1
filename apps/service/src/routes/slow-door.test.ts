import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import fastify from 'fastify'
import { expect, test } from 'vitest'
import { addSlowDoor } from './slow-door.ts'

test.skipIf(process.platform !== 'linux')(
  'a connection waits while the door is held, and is answered afterwards',
  async () => {
    const address = { host: '127.0.0.1', port: await freePort() }
    const http = fastify()
    await addSlowDoor(http, 'a', address)
    expect((await http.inject('/door/hold')).json()).toEqual({ name: 'a', held: true })

    const socket = connect(address)
    let isOpen = false
    socket.on('connect', () => {
      isOpen = true
    })
    socket.write('GET /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    // Two more that come after it: their handshakes would be over by now if the queue were not full.
    for (let i = 0; i < 2; i++) await http.inject('/door/hold')
    expect(isOpen).toBe(false)

    expect((await http.inject('/door/release')).json()).toEqual({ name: 'a', held: false })
    let answer = ''
    socket.on('data', chunk => {
      answer += chunk
    })
    await once(socket, 'close')
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK.*\{"name":"a","uri":"\/x"\}$/s)
    await http.close()
  },
)

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}
