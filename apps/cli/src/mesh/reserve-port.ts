import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

/**
 * Whether a TCP port is this process's to give to a program that it starts: nobody listens there on any of `hosts`, and nobody else
 * has reserved it. Between the choice of a port and its program's start nothing shows that it is taken, so the UDP port of the same
 * number, which none of these programs uses, is the sign. The kernel takes it back when this process ends, however it ends.
 */
export async function reservePort(port: number, hosts: readonly string[] = ['127.0.0.1']): Promise<boolean> {
  const release = await holdSign(port)
  if (release === undefined) return false
  for (const host of hosts) {
    if (await isFreeAt(port, host)) continue
    release()
    return false
  }
  return true
}

function holdSign(port: number): Promise<(() => void) | undefined> {
  const socket = createSocket('udp4')
  return new Promise(resolve => {
    socket.once('error', () => {
      socket.close()
      resolve(undefined)
    })
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
      socket.unref()
      resolve(() => socket.close())
    })
  })
}

/** Whether nobody listens there. */
export function isFreeAt(port: number, host: string): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    // Where there is no such address nobody can have its port.
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRNOTAVAIL'))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
