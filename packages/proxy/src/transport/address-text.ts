/** `127.0.0.1:80`, `[::1]:80`; IPv4 that came over IPv6 is IPv4. */
export function formatAddress(ip: string, port: number): string {
  if (ip.startsWith('::ffff:') && ip.includes('.')) return `${ip.slice(7)}:${port}`
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
}
