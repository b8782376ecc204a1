import type { StreamInfo } from '../stream-info.ts'

/** `a:80` → `a`, `[::1]:80` → `[::1]`. */
export function stripPort(host: string): string {
  const colon = host.lastIndexOf(':')
  if (colon === -1 || host.indexOf(']', colon) !== -1) return host
  return host.slice(0, colon)
}

/** `a.test.:80` → `a.test:80` */
export function stripTrailingDot(authority: string): string {
  const host = stripPort(authority)
  return host.endsWith('.') ? host.slice(0, -1) + authority.slice(host.length) : authority
}

/** The port goes when it is the one the client came in by. */
export function stripMatchingPort(authority: string, info: StreamInfo): string {
  const host = stripPort(authority)
  const port = authority.slice(host.length + 1)
  return port !== '' && info.downstreamLocalAddress.endsWith(`:${port}`) ? host : authority
}
