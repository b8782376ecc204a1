import { createSocket, type Socket } from 'node:dgram'
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, type Packet } from 'dns-packet'

/** NXDOMAIN (RFC 1035 §4.1.1). */
const NO_SUCH_NAME = 3

/**
 * Names with several addresses, for proxies that ask a resolver: what Docker's own server on 127.0.0.11 is to a container. Only
 * IPv4, only over UDP, with a time to live of 0: whoever asks again gets what is true now.
 */
export class NameServer {
  #socket: Socket | undefined
  #names: ReadonlyMap<string, readonly string[]> = new Map()

  /** Port on 127.0.0.1. */
  async listen(): Promise<number> {
    const socket = createSocket('udp4')
    this.#socket = socket
    socket.on('message', (message, { port, address }) => {
      const answer = this.#answer(message)
      if (answer !== undefined) socket.send(answer, port, address)
    })
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind(0, '127.0.0.1', resolve)
    })
    socket.unref()
    return socket.address().port
  }

  /** From now on these names have these addresses, and no others exist. */
  publish(names: ReadonlyMap<string, readonly string[]>): void {
    this.#names = names
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
  }

  #answer(message: Buffer): Buffer | undefined {
    let query: Packet
    try {
      query = decode(message)
    } catch {
      return undefined // no question
    }
    const [question] = query.questions ?? []
    if (query.type !== 'query' || question === undefined) return undefined
    const addresses = this.#names.get(question.name.toLowerCase().replace(/\.$/, ''))
    const answers =
      question.type !== 'A'
        ? []
        : (addresses ?? []).map((data): Answer => ({ type: 'A', class: 'IN', name: question.name, ttl: 0, data }))
    return encode({
      type: 'response',
      ...(query.id === undefined ? {} : { id: query.id }),
      flags: AUTHORITATIVE_ANSWER | (addresses === undefined ? NO_SUCH_NAME : 0),
      questions: [question],
      answers,
    })
  }
}
