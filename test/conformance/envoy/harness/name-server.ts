import { createSocket, type Socket } from 'node:dgram'

/** A DNS server over UDP that knows some names' IPv4 addresses, and of every other that it does not exist. (RFC 1035 §4) */
export class NameServer {
  readonly #socket: Socket
  names: Readonly<Record<string, readonly string[]>>

  private constructor(names: Readonly<Record<string, readonly string[]>>) {
    this.names = names
    this.#socket = createSocket('udp4')
    this.#socket.on('message', (query, { port, address }) => this.#socket.send(this.#answer(query), port, address))
  }

  static async open(names: Readonly<Record<string, readonly string[]>>): Promise<NameServer> {
    const server = new NameServer(names)
    await new Promise<void>(resolve => server.#socket.bind(0, '127.0.0.1', resolve))
    return server
  }

  get port(): number {
    return this.#socket.address().port
  }

  close(): void {
    this.#socket.close()
  }

  #answer(query: Buffer): Buffer {
    const labels: string[] = []
    let at = 12
    for (; query[at] !== 0; at += query[at]! + 1) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!))
    const question = query.subarray(12, at + 5)
    const isA = query.readUInt16BE(at + 1) === 1
    const known = this.names[labels.join('.').toLowerCase()]
    const records = isA ? (known ?? []) : []
    const head = Buffer.alloc(12)
    query.copy(head, 0, 0, 2)
    // A recursive answer; code 3: there is no such name.
    head.writeUInt16BE(0x8180 | (known === undefined ? 3 : 0), 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(records.length, 6)
    return Buffer.concat([head, question, ...records.map(addressRecord)])
  }
}

/** The name as in the question, type A, class IN, good for a minute. */
function addressRecord(ip: string): Buffer {
  return Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...ip.split('.').map(Number)])
}
