import { Socket } from 'node:net'
import type { KeepAlive } from '../cluster.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'

/** Linux takes no more. */
const MAX_SECONDS = 32_767
const MAX_PROBES = 127
/** Older Nodes set the time alone, and the others to numbers of their own. */
const CAN_BE_SET = Socket.prototype.setKeepAlive.length >= 4

/** Of an envoy.config.core.v3.TcpKeepalive, if there is one. */
export function parseKeepAlive(message: Message | undefined, context: ParseContext): KeepAlive | undefined {
  if (message === undefined) return undefined
  if (!CAN_BE_SET) {
    const what = `Envoy knows TCP keepalive; Node ${process.versions.node} cannot set its interval and probes, Node 24 can`
    context.problems.add('unsupported', message, what)
  }
  const read = (field: string, most: number): number | undefined => {
    if (!message.has(field)) return undefined
    const value = message.number(field)
    if (value < 1 || value > most)
      context.problems.add('unsupported', message.valuePlace(field), `Linux takes 1 to ${most}, found ${value}`)
    return value
  }
  const time = read('keepalive_time', MAX_SECONDS)
  const interval = read('keepalive_interval', MAX_SECONDS)
  const probes = read('keepalive_probes', MAX_PROBES)
  return {
    ...(time === undefined ? {} : { time }),
    ...(interval === undefined ? {} : { interval }),
    ...(probes === undefined ? {} : { probes }),
  }
}
