import { isIP } from 'node:net'
import type { SocketAddress } from '../bootstrap.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'

/** Of an envoy.config.core.v3.Address. Where a name is not allowed it must be an IP; UDP is what DNS resolvers alone may say. */
export function parseSocketAddress(
  message: Message | undefined,
  names: 'names' | { onlyIp: string; udp?: boolean },
  context: ParseContext,
): SocketAddress {
  const socket = message?.message('socket_address')
  if (socket === undefined) return { address: '', port: 0 }
  const address = socket.string('address')
  if (names !== 'names' && address !== '' && isIP(address) === 0) {
    context.problems.add('invalid', socket.valuePlace('address'), `malformed IP address: '${address}'${names.onlyIp}`)
  }
  if (socket.enum<'TCP' | 'UDP'>('protocol', 'TCP') === 'UDP' && (names === 'names' || !names.udp)) {
    context.problems.add(
      'unsupported',
      socket.valuePlace('protocol'),
      'Envoy knows UDP; Hopscope supports only TCP so far',
    )
  }
  return { address, port: socket.number('port_value') }
}
