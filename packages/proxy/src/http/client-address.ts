import { BlockList, isIP, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isPath } from '../format/address-text.ts'

/** Whether an address is in one of the ranges (`10.0.0.0/8`, `::1/128`). */
export function compileRanges(cidrRanges: readonly string[]): (ip: string) => boolean {
  if (cidrRanges.length === 0) return () => false
  const list = new BlockList()
  for (const range of cidrRanges) {
    const [address = '', length] = range.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    list.addSubnet(address, Number(length ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  return ip => !isPath(ip) && list.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4')
}

/** The entry of x-forwarded-for that counts, `fromRight` 0 for the last; undefined when it is not there or no address. */
export function forwardedAddress(
  xff: string | undefined,
  fromRight: number,
): { ip: string; single: boolean } | undefined {
  if (xff === undefined) return undefined
  const entries = xff.split(',')
  const entry = entries[entries.length - 1 - fromRight]?.trim()
  return entry === undefined || isIP(entry) === 0 ? undefined : { ip: entry, single: entries.length === 1 }
}

const MAX_KNOWN = 1_000
const known = new Map<string, string>()

/** `1.2.3.4:80` → `1.2.3.4`, `[::1]:80` → `::1`; of a Unix socket its path. Connections ask for theirs again with every request. */
export function ipOf(address: string): string {
  let ip = known.get(address)
  if (ip === undefined) {
    if (known.size >= MAX_KNOWN) known.clear()
    ip = cutPort(address)
    known.set(address, ip)
  }
  return ip
}

function cutPort(address: string): string {
  if (isPath(address)) return address
  const ip = address.slice(0, address.lastIndexOf(':'))
  return ip.startsWith('[') ? ip.slice(1, -1) : ip
}

export function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1'
}

/** The node's own address, as others see it: the first that is not loopback. */
export function localIp(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const one of addresses ?? []) if (one.family === 'IPv4' && !one.internal) return one.address
  }
  return '127.0.0.1'
}
