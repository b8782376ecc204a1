import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'

/** A reader that is this far behind is told less, not more slowly. */
const MAX_BEHIND_BYTES = 1_048_576
/** Proxies between hang up on connections that say nothing. */
const BEAT_MS = 15_000

/**
 * GET stream: server-sent events, until the reader goes. `trace`: a ListedTrace that is new or has grown, within some
 * 100 ms of its commit; `dropped`: `{count}` of traces that came too fast.
 */
export function streamRoutes(app: FastifyInstance, prefix: string, { feed }: Context): void {
  const open = new Set<() => void>()
  app.addHook('preClose', async () => {
    for (const close of open) close()
  })

  app.get(`${prefix}/stream`, (request, reply) => {
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    raw.write('retry: 1000\n\n')
    let missed = 0
    const stop = feed.follow({
      traces(traces) {
        if (raw.writableLength > MAX_BEHIND_BYTES) {
          missed += traces.length
          return
        }
        let text = missed > 0 ? event('dropped', { count: missed }) : ''
        missed = 0
        for (const trace of traces) text += event('trace', trace)
        raw.write(text)
      },
      dropped(count) {
        missed += count
      },
    })
    const beat = setInterval(() => {
      if (missed > 0 && raw.writableLength === 0) {
        raw.write(event('dropped', { count: missed }))
        missed = 0
      } else raw.write(': here\n\n')
    }, BEAT_MS)
    const close = () => {
      stop()
      clearInterval(beat)
      open.delete(close)
      raw.end()
    }
    open.add(close)
    request.raw.once('close', close)
  })
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
