/** Header fields of one message. Names are lower case. Proxy header maps fit as they are; `carrierOf` makes one of a plain object. */
export interface Carrier {
  /** The first value of that name. */
  get(name: string): string | undefined
  /** Puts this value in place of all others of that name. */
  set(name: string, value: string): void
}

/** Node's `request.headers`, or headers about to be sent. */
export function carrierOf(headers: Record<string, string | string[] | number | undefined>): Carrier {
  return {
    get(name) {
      const value = headers[name]
      return Array.isArray(value) ? value[0] : value === undefined ? undefined : String(value)
    },
    set(name, value) {
      headers[name] = value
    },
  }
}
