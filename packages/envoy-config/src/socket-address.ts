export interface SocketAddress {
  address: string
  port: number
}
