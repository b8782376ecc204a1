import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { createRandom, type Random } from '../work/random.ts'
import { echo, echoHeaders, echoWithBody, formatEcho } from './echo.ts'
import { parseStatus } from './status.ts'

/** httpbin's own limits: a demo that asks for more gets this much. */
const MAX_DELAY_SECONDS = 10
const MAX_BYTES = 100 * 1024
const MAX_LINES = 100

/** The part of httpbin that Envoy demos use, with httpbin's answers: /get /post /headers /anything /status /delay /bytes /stream. */
export function addHttpbin(http: FastifyInstance, random: Random): void {
  http.get('/get', (request, reply) => sendEcho(reply, echo(request)))
  http.get('/headers', (request, reply) => sendEcho(reply, { headers: echoHeaders(request) }))
  for (const method of ['post', 'put', 'patch', 'delete'] as const) {
    http[method](`/${method}`, (request, reply) => {
      const { method: _, ...rest } = echoWithBody(request)
      return sendEcho(reply, rest)
    })
  }
  for (const path of ['/anything', '/anything/*']) {
    http.all(path, (request, reply) => sendEcho(reply, echoWithBody(request)))
  }

  http.all<{ Params: { codes: string } }>('/status/:codes', (request, reply) => {
    const status = pickStatus(request.params.codes, random)
    if (status === undefined)
      return badRequest(reply, '/status/: expected a status from 200 to 599, or some with commas between')
    return reply.code(status).send()
  })

  http.all<{ Params: { seconds: string } }>('/delay/:seconds', async (request, reply) => {
    const seconds = Number(request.params.seconds)
    if (!(seconds >= 0)) return badRequest(reply, '/delay/: expected seconds, 0.3 or 2')
    await sleep(Math.min(seconds, MAX_DELAY_SECONDS) * 1000)
    const { method: _, json: __, ...rest } = echoWithBody(request)
    return sendEcho(reply, rest)
  })

  http.get<{ Params: { count: string }; Querystring: { seed?: string } }>('/bytes/:count', (request, reply) => {
    const count = Number(request.params.count)
    const seed = Number(request.query.seed)
    if (!(Number.isInteger(count) && count >= 0)) return badRequest(reply, '/bytes/: expected a number of bytes')
    const next = Number.isInteger(seed) ? createRandom(seed) : random
    const bytes = Buffer.alloc(Math.min(count, MAX_BYTES))
    for (let i = 0; i < bytes.length; i++) bytes[i] = next() * 256
    return reply.type('application/octet-stream').send(bytes)
  })

  // One JSON object a line, each a chunk of its own: what a proxy must pass on without waiting for the end.
  http.get<{ Params: { lines: string } }>('/stream/:lines', (request, reply) => {
    const lines = Number(request.params.lines)
    if (!(Number.isInteger(lines) && lines >= 0)) return badRequest(reply, '/stream/: expected a number of lines')
    const seen = echo(request)
    const ids = Array.from({ length: Math.min(lines, MAX_LINES) }, (_, id) => id)
    return reply
      .type('application/json')
      .send(Readable.from(ids.map(id => Buffer.from(`${JSON.stringify({ ...seen, id })}\n`))))
  })
}

/** `503`, or one of `200,503`, or one of `200:9,503:1` by weight, as httpbin reads it. */
function pickStatus(text: string, random: Random): number | undefined {
  const choices: { status: number; weight: number }[] = []
  for (const item of text.split(',')) {
    const [code = '', weight = '1'] = item.split(':')
    const status = parseStatus(code)
    if (status === undefined || !(Number(weight) > 0)) return undefined
    choices.push({ status, weight: Number(weight) })
  }
  let left = random() * choices.reduce((sum, { weight }) => sum + weight, 0)
  for (const { status, weight } of choices) {
    left -= weight
    if (left < 0) return status
  }
  return choices.at(-1)?.status
}

function sendEcho(reply: FastifyReply, value: object): FastifyReply {
  return reply.type('application/json').send(formatEcho(value))
}

function badRequest(reply: FastifyReply, error: string): FastifyReply {
  return reply.code(400).send({ error })
}
