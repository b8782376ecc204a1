import { reservePort } from '../../apps/cli/src/mesh/reserve-port.ts'

/** Below the ports that Linux gives to outgoing connections (32768 and up), one of which could take them before the program does. */
const FIRST_PORT = 15_000
const PORTS = 15_000

/** Ports that are free, and that nobody else will be told of before this process ends: no test beside it, and no mesh. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    if (await reservePort(port)) ports.push(port)
  }
  return ports
}
