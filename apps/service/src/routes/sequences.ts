import type { FastifyInstance } from 'fastify'
import type { Gates } from './gates.ts'
import { parseStatus } from './status.ts'

/** Sequences that are remembered; the one unused for longest is forgotten first. */
const REMEMBERED = 10_000

/**
 * `/seq?codes=503,503,200`: the first request gets the first code, the next one the second, and after the last it begins
 * again. Requests share a sequence when they have the same `id`, else the same `codes`; with `per=request` those of one
 * x-request-id share it, so that the retries of parallel requests do not mix. `200@hold` waits at the gate `hold` first.
 */
export function addSequences(http: FastifyInstance, gates: Gates): void {
  const positions = new Map<string, number>()

  http.all<{ Querystring: { codes?: string; id?: string; per?: string } }>('/seq', async (request, reply) => {
    const { codes = '', id, per } = request.query
    const turns = codes.split(',').map(parseTurn)
    if (turns.some(({ status }) => status === undefined))
      return reply.code(400).send({
        error: 'codes: expected statuses from 200 to 599 with commas between, codes=503,200 or codes=503,200@gate',
      })

    const own = per === 'request' ? request.headers['x-request-id'] : undefined
    const key = JSON.stringify([id ?? codes, own])
    const position = positions.get(key) ?? 0
    // Deleted and set again: the map's order is then the order of use.
    positions.delete(key)
    positions.set(key, (position + 1) % turns.length)
    if (positions.size > REMEMBERED) positions.delete(positions.keys().next().value!)

    const { status, gate } = turns[position]!
    const answer = () => reply.code(status!).send({ code: status, position })
    if (gate === undefined) return answer()
    gates.wait(gate, reply, answer)
    return reply
  })
}

/** `503`, `200@hold`. */
function parseTurn(text: string): { status: number | undefined; gate?: string } {
  const [status, gate] = text.split('@', 2)
  return { status: parseStatus(status!), ...(gate ? { gate } : {}) }
}
