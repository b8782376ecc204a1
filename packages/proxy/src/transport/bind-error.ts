import { isIPv6 } from 'node:net'
import { constants } from 'node:os'

const { EADDRINUSE, EAFNOSUPPORT, EINVAL } = constants.errno

/** What the kernel says to a socket for connections to `ip` that is to begin at an address of the other kind, as libuv does; 0: nothing. */
export function familyError(ip: string, from: string): number {
  if (isIPv6(ip) === isIPv6(from)) return 0
  return isIPv6(ip) ? -EINVAL : -EAFNOSUPPORT
}

/** libuv tells only when it connects that a port to begin at is taken. */
export const isLateBindError = (errno: number | undefined): boolean => errno === -EADDRINUSE
