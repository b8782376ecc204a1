import { connect, type Socket } from 'node:net'
import { HttpReader, type Message } from './http-reader.ts'

export interface ClientResult {
  messages: Message[]
  /** Bytes after the last whole message. */
  rest: string
  closed: boolean
}

/** One raw client connection. */
export class RawClient {
  readonly #socket: Socket
  readonly #reader = new HttpReader('response')
  readonly #messages: Message[] = []
  #closed = false
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', chunk => {
      this.#messages.push(...this.#reader.push(chunk))
      this.#wake()
    })
    const ended = () => {
      if (this.#closed) return
      this.#closed = true
      this.#messages.push(...this.#reader.end())
      this.#wake()
    }
    socket.on('end', ended)
    socket.on('close', ended)
    socket.on('error', ended)
  }

  /** At a port, or at the path of a Unix socket. */
  static async open(at: number | string): Promise<RawClient> {
    const where =
      typeof at === 'number' ? { port: at, host: '127.0.0.1', noDelay: true } : { path: at.replace(/^@/, '\0') }
    const socket = connect({ ...where, allowHalfOpen: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawClient(socket)
  }

  send(bytes: string): void {
    const method = /^([A-Z]+) /.exec(bytes)?.[1]
    if (method !== undefined) this.#reader.expected.push(method)
    this.#socket.write(Buffer.from(bytes, 'latin1'))
  }

  /** Until `count` final answers are here, the peer closed, or `patience` ms have passed. */
  async receive(count: number, patience: number): Promise<void> {
    const deadline = Date.now() + patience
    const answered = () => this.#messages.filter(message => !/^HTTP\/1\.[01] 1\d\d /.test(message.head[0] ?? '')).length
    while (answered() < count && !this.#closed && Date.now() < deadline) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
        setTimeout(resolve, deadline - Date.now())
      })
    }
  }

  result(): ClientResult {
    return { messages: [...this.#messages], rest: this.#reader.rest, closed: this.#closed }
  }

  halfClose(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
