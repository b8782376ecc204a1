export interface HostPort {
  host: string
  port: number
}

/** `127.0.0.1:8080`, `:8080` (every interface, as Go programs write it), `[::1]:8080`; undefined for anything else. */
export function parseHostPort(text: string): HostPort | undefined {
  const [, v6, name, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65535) return undefined
  return { host: v6 ?? (name || '0.0.0.0'), port }
}
