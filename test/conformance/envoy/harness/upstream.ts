import { createServer, type Server, type Socket } from 'node:net'
import { HttpReader, type Message } from './http-reader.ts'

/** What an upstream does with one request: a raw answer, or something ruder. */
export interface Behaviour {
  (request: Message, socket: Socket, index: number): void
  /** Done already when the request's head is here. */
  atHead?(socket: Socket): void
}

export interface UpstreamRequest {
  /** Request line and header lines as they arrived, body as text. */
  head: string[]
  body: string
}

/** In place of a behaviour: the port neither takes nor refuses connections. */
export const NEVER_ACCEPTS = 'never accepts'

/** A TCP server that keeps the bytes it was sent and answers by script. */
export class Upstream {
  readonly requests: UpstreamRequest[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(behaviour: Behaviour, at: number | string = 0): Promise<Upstream> {
    let index = 0
    const server = createServer({ noDelay: true, allowHalfOpen: true })
    const upstream = new Upstream(server)
    server.on('connection', socket => {
      upstream.#sockets.add(socket)
      const reader = new HttpReader('request')
      let headSeen = false
      socket.on('data', chunk => {
        const messages = reader.push(chunk)
        if (!headSeen && (messages.length > 0 || reader.rest.includes('\r\n\r\n'))) behaviour.atHead?.(socket)
        headSeen = reader.rest.includes('\r\n\r\n')
        for (const message of messages) {
          upstream.requests.push({ head: message.head, body: message.body })
          behaviour(message, socket, index++)
        }
      })
      socket.on('end', () => socket.end())
      socket.on('error', () => {})
      socket.on('close', () => upstream.#sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      if (typeof at === 'string') server.listen(at, resolve)
      else server.listen(at, '127.0.0.1', resolve)
    })
    return upstream
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the upstream is closed')
    return address.port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }
}

/** 200 with a short text body. */
export function ok(body = 'ok', headers = ''): Behaviour {
  return (_request, socket) =>
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`)
}

export function status(code: number, body = '', headers = ''): Behaviour {
  return (_request, socket) =>
    socket.write(`HTTP/1.1 ${code} Whatever\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`)
}

export function raw(bytes: string, close = false): Behaviour {
  return (_request, socket) => {
    socket.write(Buffer.from(bytes, 'latin1'))
    if (close) socket.end()
  }
}

/** One behaviour a request, the last one from then on. */
export function sequence(...behaviours: Behaviour[]): Behaviour {
  return (request, socket, index) => behaviours[Math.min(index, behaviours.length - 1)]!(request, socket, index)
}

/** Answers as soon as the head is there, and once more (or not) when the request is whole. */
export function early(bytes: string, whole: Behaviour = hang): Behaviour {
  const behaviour: Behaviour = (request, socket, index) => whole(request, socket, index)
  behaviour.atHead = socket => void socket.write(Buffer.from(bytes, 'latin1'))
  return behaviour
}

/** Never answers. */
export const hang: Behaviour = () => {}
/** Closes without a byte. */
export const close: Behaviour = (_request, socket) => socket.end()
export const reset: Behaviour = (_request, socket) => socket.resetAndDestroy()

/** The request's own line and headers as the body: what the upstream saw, seen by the client. */
export const echo: Behaviour = (request, socket, index) => ok(request.head.join('\n'))(request, socket, index)
