import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

/** Gives a reserved port back. */
export type Release = () => void

/**
 * Makes a TCP port this process's to give to a program that it starts; undefined when somebody listens there on one of `hosts`, or
 * somebody else has reserved it. Between the choice of a port and its program's start nothing shows that it is taken, so the UDP port
 * of the same number, which none of these programs uses, is the sign. The kernel takes it back when this process ends, however it ends.
 */
export async function reservePort(
  port: number,
  hosts: readonly string[] = ['127.0.0.1'],
): Promise<Release | undefined> {
  const release = await holdSign(port)
  if (release === undefined) return undefined
  for (const host of hosts) {
    if (await isFreeAt(port, host)) continue
    release()
    return undefined
  }
  return release
}

function holdSign(port: number): Promise<Release | undefined> {
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
