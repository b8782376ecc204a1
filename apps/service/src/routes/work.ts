import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ServiceConfig } from '../config.ts'
import { forwardHeaders, remainingDeadline } from '../forward-headers.ts'
import { createErrors } from '../work/errors.ts'
import { drawLatency } from '../work/latency.ts'
import { createLock } from '../work/lock.ts'
import type { Random } from '../work/random.ts'
import { createUpstreams, since, type UpstreamCall } from '../work/upstreams.ts'

/** The answer of a service that did its work, in the shape of fake-service. */
interface Answer {
  name: string
  uri: string
  code: number
  duration: string
  body?: string
  error?: string
  upstream_calls?: UpstreamCall[]
}

/** Runs work in a span of that name. */
export type InSpan = <T>(name: string, work: () => Promise<T>) => Promise<T>

const withoutSpan: InSpan = (_name, work) => work()

/**
 * Every path that nothing else has: a service at work. In order:
 *
 *   lock → latency → fail or not → upstreams → answer
 *
 * One upstream that fails makes the answer a 500, as in fake-service. When the caller goes away, so do the calls that were
 * made for it.
 */
export function addWork(
  http: FastifyInstance,
  config: ServiceConfig,
  random: Random,
  inSpan: InSpan = withoutSpan,
): void {
  const { name, message, errors, timing } = config
  const lock = createLock(config.lock)
  const fails = createErrors(errors, random)
  const upstreams = createUpstreams({
    upstreams: config.upstreams,
    workers: config.upstreamWorkers,
    outbound: config.outbound,
    timeout: config.upstreamTimeout,
  })
  // The SDK's instrumentation injects its own context into calls; a second copy of the headers would contradict it.
  const forward = config.tracing !== undefined && config.forward === 'all' ? 'request-id' : config.forward

  const handle = async (request: FastifyRequest, reply: FastifyReply) => {
    const started = performance.now()
    const uri = request.url
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    const answer = (code: number, rest: Partial<Answer>) =>
      reply.code(code).send({ name, uri, code, duration: since(started), ...rest } satisfies Answer)

    // Drawn on arrival, so that the n-th request is the n-th to arrive, however the lock orders them afterwards.
    const failing = fails()
    const latency = drawLatency(timing, random)
    try {
      const release = await lock.acquire(gone.signal)
      try {
        if (latency > 0) await sleep(latency, undefined, { signal: gone.signal })
        if (failing && errors.delay > 0) await sleep(errors.delay, undefined, { signal: gone.signal })
        if (failing && errors.type === 'reset') {
          reply.hijack()
          request.raw.socket.resetAndDestroy()
          return reply
        }
        if (failing && errors.type === 'http_error') return answer(errors.code, { error: `${name}: failed on purpose` })

        const path = uri.split('?', 1)[0]!
        const headers = {
          ...forwardHeaders(request.headers, forward),
          ...(config.forwardDeadline ? remainingDeadline(request.headers, performance.now() - started) : {}),
        }
        const calls = await inSpan('ask upstreams', () => upstreams.ask(path, headers, gone.signal))
        if (gone.signal.aborted) return reply
        const code = calls.every(call => call.code >= 200 && call.code < 400) ? 200 : 500
        return answer(code, { body: message, ...(calls.length === 0 ? {} : { upstream_calls: calls }) })
      } finally {
        release()
      }
    } catch (error) {
      if (gone.signal.aborted) return reply
      throw error
    }
  }

  http.all('/', handle)
  http.all('/*', handle)
}
