/** `192.0.2.1:80` → `192.0.2.1`, `[2001:db8::1]:80` → `2001:db8::1`. */
export function withoutPort(address: string): string {
  const colon = address.lastIndexOf(':')
  if (colon < 0 || isPath(address)) return address
  return address[0] === '[' ? address.slice(1, colon - 1) : address.slice(0, colon)
}

/** NaN of a Unix socket. */
export function portOf(address: string): number {
  if (isPath(address)) return Number.NaN
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

/** Of a Unix socket, which has no port. */
export function isPath(address: string): boolean {
  return address[0] === '/' || address[0] === '@'
}
