export interface SocketAddress {
  address: string
  port: number
}

/** Where a host listens: a port, or a Unix socket. */
export interface EndpointAddress extends SocketAddress {
  /** `address` is the path of a Unix socket (`@name`: an abstract one); it has no port. */
  isPipe: boolean
}

/** Where something listens: an IP and a port, or a Unix socket. */
export interface ListenAddress extends EndpointAddress {
  /** Permissions of a Unix socket's file; 0: as the process makes files. */
  mode: number
  /** `::` takes IPv4 too, whose addresses are written as such. */
  ipv4Compat?: boolean
}
