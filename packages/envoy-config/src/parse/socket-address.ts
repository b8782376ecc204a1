import { isIP } from 'node:net'
import type { SocketAddress } from '../bootstrap.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'

/** Of an envoy.config.core.v3.Address. Where a name is not allowed it must be an IP. */
export function parseSocketAddress(
  message: Message | undefined,
  names: 'names' | { onlyIp: string },
  context: ParseContext,
): SocketAddress {
  const socket = message?.message('socket_address')
  if (socket === undefined) return { address: '', port: 0 }
  const address = socket.string('address')
  if (names !== 'names' && address !== '' && isIP(address) === 0) {
    context.problems.add('invalid', socket.valuePlace('address'), `malformed IP address: '${address}'${names.onlyIp}`)
  }
  return { address, port: socket.number('port_value') }
}
