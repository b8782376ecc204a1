import type { Milliseconds } from '@hopscope/envoy-config'
import { createHandleTransports } from './handle-transport.ts'
import { socketTransports } from './socket-transport.ts'
import type { Transport } from './transport.ts'
import { type BoundPort, NOBODY, type Transports } from './transports.ts'
import { loadUv } from './uv.ts'

/** Longer than that and it does not work. */
const PATIENCE: Milliseconds = 1_000
/** Bytes; more than a kernel takes at once. */
const LARGE = 1024 * 1024

/**
 * The handles of libuv where they do what they must (tried out on a loopback port, a few milliseconds), else Node's sockets.
 * `wanted` says it outright: 'handle' rejects when they do not work.
 */
export async function chooseTransports(wanted: 'auto' | 'socket' | 'handle' = 'auto'): Promise<Transports> {
  if (wanted === 'socket') return socketTransports
  const uv = loadUv()
  const handles = uv === undefined ? undefined : createHandleTransports(uv)
  if (handles !== undefined && (await works(handles))) return handles
  if (wanted === 'handle') throw new Error('the handles below node:net do not work in this Node')
  return socketTransports
}

/** Text and bytes both ways, more than a kernel takes at once, a pause, an end: what the data plane asks of a transport. */
async function works(transports: Transports): Promise<boolean> {
  const open: Transport[] = []
  let port: BoundPort | undefined
  let timer: NodeJS.Timeout | undefined
  const verdict = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), PATIENCE)
    const onConnection = (server: Transport) => {
      open.push(server)
      let received = 0
      const onData = (chunk: Buffer) => {
        if (received === 0) {
          server.pause()
          setImmediate(() => server.resume())
        }
        received += chunk.length
        if (received < LARGE) return
        server.write(`${received} caf\u00e9`)
        server.end(PATIENCE, () => {})
      }
      server.handler = { ...NOBODY, onData }
    }
    const options = { ip: '127.0.0.1', port: 0, highWaterMark: 1024, reusePort: false }
    transports.listen(options, onConnection).then(
      bound => {
        port = bound
        let answer = ''
        let drains = 0
        const client = transports.connect('127.0.0.1', bound.port, 1024, {
          onConnect() {
            client.writeAll(['he', Buffer.from('ad')], 4)
            client.writeAll(['head', Buffer.alloc(LARGE - 12)], LARGE - 8)
            if (client.write('tail')) drains++
          },
          onDrain: () => drains++,
          onData(chunk) {
            answer += chunk.toString('latin1')
          },
          onEnd: () => resolve(answer === `${LARGE} caf\u00e9` && drains > 0),
          onClose: () => resolve(false),
        })
        open.push(client)
      },
      () => resolve(false),
    )
  })
  const worked = await verdict
  clearTimeout(timer)
  port?.close()
  for (const transport of open) transport.destroy()
  return worked
}
