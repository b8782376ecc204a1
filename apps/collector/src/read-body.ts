import { IncomingMessage } from 'node:http'
import { errorCodes, type FastifyRequest } from 'fastify'
import type { BodyStock } from './body-stock.ts'

/** An announcement alone gets no more than this; who sends more than that gets it as it comes. */
const MAX_FIRST_BYTES = 1024 * 1024

/**
 * The body of a request, read into memory of `stock`, which has it back with `release`. Throws as fastify's own reader does when
 * it is larger than `limit`, or not as long as it was announced.
 *
 * Node makes a buffer of each piece that comes in. At a hundred megabytes a second these fill the memory outside of V8's heap, and
 * V8 answers with a full collection every 64 MB, which cost as much as reading the spans: so each piece is let go at once.
 */
export function readBody(
  request: FastifyRequest,
  payload: NodeJS.ReadableStream,
  stock: BodyStock,
  limit: number,
): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN)
  if (announced > limit) return Promise.reject(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
  const isOwnCopy = payload instanceof IncomingMessage
  return new Promise((resolve, reject) => {
    let memory = stock.take(Math.min(announced || 0, MAX_FIRST_BYTES))
    let length = 0
    const end = (error?: Error): void => {
      payload.removeListener('data', read).removeListener('end', end).removeListener('error', end)
      if (error === undefined && (Number.isNaN(announced) || length === announced)) {
        resolve(memory.subarray(0, length))
        return
      }
      stock.release(memory)
      reject(error === undefined ? new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH() : badRequest(error))
    }
    const read = (piece: Buffer): void => {
      if (length + piece.length > limit) {
        end(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
        return
      }
      if (length + piece.length > memory.length) {
        const larger = stock.take(Math.max(length + piece.length, memory.length * 2))
        larger.set(memory.subarray(0, length))
        stock.release(memory)
        memory = larger
      }
      memory.set(piece, length)
      length += piece.length
      if (isOwnCopy) letGo(piece)
    }
    payload.on('data', read).on('end', end).on('error', end)
    payload.resume()
  })
}

/** Gives back what a buffer holds, now and not when it is collected. Of HTTP/1, each piece is a copy that nobody else has. */
function letGo({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

function badRequest(error: Error & { statusCode?: number }): Error {
  if (!(Number(error.statusCode) >= 400)) error.statusCode = 400
  return error
}
