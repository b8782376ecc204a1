import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { KeepAlive } from '@hopscope/envoy-config'

/** With what the system has in the place of what is absent: Node sets all three or numbers of its own. */
export function completeKeepAlive({ time, interval, probes }: KeepAlive): Required<KeepAlive> {
  return {
    time: time ?? ofSystem('time', 7200),
    interval: interval ?? ofSystem('intvl', 75),
    probes: probes ?? ofSystem('probes', 9),
  }
}

/** Of a socket that is connected. */
export function setKeepAlive(socket: Socket, { time, interval, probes }: Required<KeepAlive>): void {
  // The types of Node know of no more than the time.
  const set = socket.setKeepAlive as (on: boolean, time: number, interval: number, probes: number) => Socket
  set.call(socket, true, time * 1000, interval * 1000, probes)
}

/** As Linux tells it; elsewhere what Linux has by itself. */
function ofSystem(name: string, otherwise: number): number {
  try {
    return Number(readFileSync(`/proc/sys/net/ipv4/tcp_keepalive_${name}`, 'utf8'))
  } catch {
    return otherwise
  }
}
