import { type Release, reservePort } from '../../apps/cli/src/mesh/reserve-port.ts'

/** Below the ports that Linux gives to outgoing connections (32768 and up), one of which could take them before the program does. */
const FIRST_PORT = 15_000
const PORTS = 15_000

/** Of the last ports that were chosen: by then the programs of those before them listen, or have ended. */
const KEPT = 100
const reserved: Release[] = []

/** Ports that are free, and that nobody else will be told of before their programs listen: no test beside this one, and no mesh. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    const release = await reservePort(port)
    if (release === undefined) continue
    ports.push(port)
    reserved.push(release)
    if (reserved.length > KEPT) reserved.shift()!()
  }
  return ports
}
