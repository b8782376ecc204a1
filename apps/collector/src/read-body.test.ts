import { once } from 'node:events'
import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BodyStock } from './body-stock.ts'
import { readBody } from './read-body.ts'

const LIMIT = 300_000

let app: FastifyInstance
let stock: BodyStock
let port: number

beforeEach(async () => {
  stock = new BodyStock()
  app = fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (request: FastifyRequest, payload: NodeJS.ReadableStream) =>
    readBody(request, payload, stock, LIMIT),
  )
  app.post('/echo', async (request, reply) => {
    const body = request.body as Buffer
    const copy = Buffer.from(body)
    stock.release(body)
    return reply.send(copy)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  port = (app.server.address() as { port: number }).port
})

afterEach(() => app.close())

/** Bytes that say where they stand, and in which body. */
const bytesOf = (length: number, seed: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) + seed) & 255))

async function post(body: Buffer | ReadableStream): Promise<{ status: number; bytes: Buffer }> {
  const answer = await fetch(`http://127.0.0.1:${port}/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: body as never,
    duplex: 'half',
  } as RequestInit)
  return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) }
}

describe('a body', () => {
  it('comes as it was sent, many at once and of many lengths, in memory that is used again', async () => {
    for (let round = 0; round < 3; round++) {
      const bodies = [1, 100, 65_535, 65_536, 65_537, 200_000, LIMIT].map((length, i) =>
        bytesOf(length, round * 16 + i),
      )
      const answers = await Promise.all(bodies.map(post))
      for (const [i, { bytes }] of answers.entries())
        expect(bytes.equals(bodies[i]!), `${bodies[i]!.length}`).toBe(true)
    }
  })

  it('may come without its length', async () => {
    const parts = [bytesOf(70_000, 1), bytesOf(3, 2), bytesOf(150_000, 3)]
    const stream = new ReadableStream({
      async pull(controller) {
        const part = parts.shift()
        await setImmediate()
        if (part === undefined) controller.close()
        else controller.enqueue(part)
      },
    })
    const whole = Buffer.concat(parts)
    expect((await post(stream)).bytes.equals(whole)).toBe(true)
  })

  it('of more than is allowed is refused, whether it says so or not', async () => {
    expect((await post(Buffer.alloc(LIMIT + 1))).status).toBe(413)
    const endless = new ReadableStream({ pull: controller => controller.enqueue(new Uint8Array(50_000)) })
    const refused = await post(endless).catch(() => undefined)
    expect([413, undefined]).toContain(refused?.status)
  })

  it('that ends before its length is a bad request, and the next one is served', async () => {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.end('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Length: 10\r\n\r\nabc')
    socket.resume()
    await once(socket, 'close')
    const body = bytesOf(90_000, 9)
    expect((await post(body)).bytes.equals(body)).toBe(true)
  })
})

describe('the stock', () => {
  it('hands out what was given back, and nothing twice', () => {
    const first = stock.take(100_000)
    const second = stock.take(100_000)
    expect(first.buffer).not.toBe(second.buffer)
    stock.release(first.subarray(0, 5))
    expect(stock.take(100_001).buffer).toBe(first.buffer)
    expect(stock.take(100_001).buffer).not.toBe(first.buffer)
  })

  it('leaves alone what is not its own, and keeps no more than it needs', () => {
    stock.release(Buffer.alloc(10))
    expect(stock.take(10).length).toBe(65_536)
    const large = Array.from({ length: 30 }, () => stock.take(1024 * 1024))
    for (const one of large) stock.release(one)
    const again = Array.from({ length: 30 }, () => stock.take(1024 * 1024))
    expect(again.filter(one => large.some(({ buffer }) => buffer === one.buffer)).length).toBe(16)
  })
})
