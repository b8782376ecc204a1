import { createServer } from 'node:net'

/** Below the ports that Linux gives to outgoing connections (32768 and up), one of which could take them before the program does. */
const FIRST_PORT = 15_000
const PORTS = 15_000

/** To this process. Two programs start at once, and a port is free until the first of them has it. */
const handedOut = new Set<number>()

/** Ports that were free a moment ago, and that nobody else here was told of. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    if (handedOut.has(port)) continue
    if (handedOut.size > PORTS / 2) handedOut.clear()
    handedOut.add(port)
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
