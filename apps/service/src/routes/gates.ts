import type { FastifyInstance, FastifyReply } from 'fastify'

/**
 * Requests held until someone lets them go, so that a step can have exactly n of them in flight without a sleep:
 *
 *   /gate/NAME                     waits, then answers {"gate", "released": true}
 *   /gate/NAME/waiting?count=n     answers as soon as n requests wait (default 1)
 *   /gate/NAME/release?count=n     lets the first n go (default: all that wait); later ones wait again
 */
export function addGates(http: FastifyInstance): Gates {
  const gates = new Map<string, Gate>()
  const gate = (name: string) => {
    const known = gates.get(name)
    if (known !== undefined) return known
    const created = createGate()
    gates.set(name, created)
    return created
  }

  http.all<Named>('/gate/:name', (request, reply) => {
    gate(request.params.name).wait(reply, () => void reply.send({ gate: request.params.name, released: true }))
    return reply
  })
  http.all<Named>('/gate/:name/release', async (request, reply) => {
    const count = countOf(request.query.count, Number.POSITIVE_INFINITY)
    if (count === undefined) return reply.code(400).send(BAD_COUNT)
    return { gate: request.params.name, released: gate(request.params.name).release(count) }
  })
  http.all<Named>('/gate/:name/waiting', (request, reply) => {
    const count = countOf(request.query.count, 1)
    if (count === undefined) return reply.code(400).send(BAD_COUNT)
    const { name } = request.params
    gate(name).whenWaiting(reply, count, waiting => void reply.send({ gate: name, waiting }))
    return reply
  })
  return { wait: (name, reply, go) => gate(name).wait(reply, go) }
}

/** For routes that hold a request at a gate before they answer it. */
export interface Gates {
  wait(name: string, reply: FastifyReply, go: () => void): void
}

interface Named {
  Params: { name: string }
  Querystring: { count?: string }
}

interface Gate {
  wait(reply: FastifyReply, go: () => void): void
  release(count: number): number
  whenWaiting(reply: FastifyReply, count: number, tell: (waiting: number) => void): void
}

function createGate(): Gate {
  const waiting = new Set<() => void>()
  const watchers = new Set<() => void>()
  return {
    wait(reply, go) {
      waiting.add(go)
      reply.raw.once('close', () => waiting.delete(go))
      for (const watch of watchers) watch()
    },
    release(count) {
      let released = 0
      for (const go of waiting) {
        if (released === count) break
        waiting.delete(go)
        released++
        go()
      }
      return released
    },
    whenWaiting(reply, count, tell) {
      const watch = () => {
        if (waiting.size < count) return
        watchers.delete(watch)
        tell(waiting.size)
      }
      watchers.add(watch)
      reply.raw.once('close', () => watchers.delete(watch))
      watch()
    },
  }
}

const BAD_COUNT = { error: 'count: expected a whole number from 1' }

function countOf(text: string | undefined, fallback: number): number | undefined {
  if (text === undefined) return fallback
  return /^[1-9]\d*$/.test(text) ? Number(text) : undefined
}
