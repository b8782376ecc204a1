import type { FastifyReply, FastifyRequest } from 'fastify'
import { HttpError } from './http-error.ts'

/**
 * How many bytes of messages may be under way at once, from the first byte of one until it is answered. Beyond it a message
 * is refused before it is read: a sender that comes again in a second costs less than a collector without memory.
 */
export class Admission {
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Throws a 503 when there is no room. Returns what gives the room back, once. */
  enter(bytes: number): () => void {
    // Whatever its size, a message alone is let in: its own limit is another one.
    if (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) {
      throw new HttpError(503, 'Too many messages at once; send this one again later')
    }
    this.#bytes += bytes
    let isInside = true
    return () => {
      if (isInside) this.#bytes -= bytes
      isInside = false
    }
  }

  /** For routes that take messages, before their body is read. */
  readonly admit = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const leave = this.enter(Number(request.headers['content-length']) || 0)
    reply.raw.once('finish', leave).once('close', leave)
  }
}
