import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import fastify from 'fastify'
import { expect, test } from 'vitest'
import { addSlowDoor } from './slow-door.ts'

test.skipIf(process.platform !== 'linux')(
  'a connection waits while the door is held, and is answered afterwards',
  async () => {
    const address = { host: HOST, port: await freePort() }
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

/** An address that no outgoing connection comes from, so that none takes the port before the door has it. */
const HOST = '127.9.9.9'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}
