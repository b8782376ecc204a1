export interface SocketAddress {
  address: string
  port: number
}

export interface EndpointAddress extends SocketAddress {
  /** `address` is the path of a Unix socket (`@name`: an abstract one); it has no port. */
  isPipe: boolean
}
