import { isIP } from 'node:net'
import type { Message } from '../schema/message.ts'
import type { EndpointAddress, ListenAddress, SocketAddress } from '../socket-address.ts'
import type { ParseContext } from './context.ts'

/** Of an envoy.config.core.v3.Address. Where a name is not allowed it must be an IP; UDP is what DNS resolvers alone may say. */
export function parseSocketAddress(
  message: Message | undefined,
  names: 'names' | { onlyIp: string; udp?: boolean },
  context: ParseContext,
): SocketAddress {
  const socket = message?.message('socket_address')
  if (message?.has('pipe')) {
    const what =
      'Envoy knows Unix sockets here; Hopscope has them for listeners, the admin port and endpoints of STATIC clusters so far'
    context.problems.add('unsupported', message.place('pipe'), what)
  }
  if (socket === undefined) return { address: '', port: 0 }
  if (names !== 'names') checkIp(socket, names.onlyIp, context)
  if (socket.enum<'TCP' | 'UDP'>('protocol', 'TCP') === 'UDP' && (names === 'names' || !names.udp)) {
    context.problems.add(
      'unsupported',
      socket.valuePlace('protocol'),
      'Envoy knows UDP; Hopscope supports only TCP so far',
    )
  }
  return { address: socket.string('address'), port: socket.number('port_value') }
}

/** Of an envoy.config.core.v3.SocketAddress of TCP that stands alone and must be an IP. */
export function parseIpAddress(socket: Message, onlyIp: string, context: ParseContext): SocketAddress {
  checkIp(socket, onlyIp, context)
  return { address: socket.string('address'), port: socket.number('port_value') }
}

function checkIp(socket: Message, onlyIp: string, context: ParseContext): void {
  const address = socket.string('address')
  if (address !== '' && isIP(address) === 0)
    context.problems.add('invalid', socket.valuePlace('address'), `malformed IP address: '${address}'${onlyIp}`)
}

/** sizeof(sockaddr_un.sun_path) */
const LONGEST_PATH = 108

/** Of an endpoint's envoy.config.core.v3.Address: as `parseSocketAddress`, or in a STATIC cluster a Unix socket. */
export function parseEndpointAddress(
  message: Message | undefined,
  names: 'names' | { onlyIp: string },
  context: ParseContext,
): EndpointAddress {
  const pipe = message?.message('pipe')
  if (pipe === undefined || names === 'names') return { ...parseSocketAddress(message, names, context), isPipe: false }
  const path = pipe.string('path')
  if (Buffer.byteLength(path) >= LONGEST_PATH) {
    const what = `the path of a Unix socket has less than ${LONGEST_PATH} bytes`
    context.problems.add('invalid', pipe.valuePlace('path'), what)
  }
  return { address: path, port: 0, isPipe: true }
}

/** Of a listener's or the admin port's envoy.config.core.v3.Address. */
export function parseListenAddress(message: Message | undefined, onlyIp: string, context: ParseContext): ListenAddress {
  const mode = message?.message('pipe')?.number('mode') ?? 0
  const socket = message?.message('socket_address')
  const ipv4Compat = socket?.boolean('ipv4_compat') === true && isIP(socket.string('address')) === 6
  return { ...parseEndpointAddress(message, { onlyIp }, context), mode, ...(ipv4Compat ? { ipv4Compat } : {}) }
}
