import { IdError, normaliseTraceId, trimBlanks } from '@hopscope/model'
import { encodeSpanJsonV2 } from '@hopscope/model/formats'
import type { FastifyInstance } from 'fastify'
import { type Context, queryOf } from '../context.ts'
import { OwnApiError } from '../own-api-error.ts'
import type { TraceFeed } from '../trace-feed.ts'

/** A reader that is this far behind is told less, not more slowly. */
const MAX_BEHIND_BYTES = 1_048_576
/** Proxies between hang up on connections that say nothing. */
const BEAT_MS = 15_000

/** Takes events, each the text of one, until the reader goes. */
interface Listener {
  /** Written, or counted when the reader is behind. */
  events(events: readonly string[]): void
  dropped(count: number): void
}

/**
 * GET stream: server-sent events, until the reader goes. `trace`: a ListedTrace that is new or has grown, within some
 * 100 ms of its commit; `dropped`: `{count}` of traces that came too fast.
 *
 * GET stream?traceId=ID: `span`: a span of that trace in Zipkin's JSON, as soon as it is committed; `dropped`: `{count}` of
 * spans. Begins with what comes next: whoever opens it before reading the trace misses nothing, and may be told twice.
 */
export function streamRoutes(app: FastifyInstance, prefix: string, { feed }: Context): void {
  const open = new Set<() => void>()
  app.addHook('preClose', async () => {
    for (const close of open) close()
  })

  app.get(`${prefix}/stream`, (request, reply) => {
    const traceId = followedTrace(queryOf(request).get('traceId'))
    reply.hijack()
    const { raw } = reply
    // What CORS has said of the answer.
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value)
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    let missed = 0
    const listener: Listener = {
      events(events) {
        if (raw.writableLength > MAX_BEHIND_BYTES) missed += events.length
        else raw.write(takeMissed() + events.join(''))
      },
      dropped(count) {
        missed += count
      },
    }
    const stop = traceId === undefined ? followAll(feed, listener) : followOne(feed, traceId, listener)
    raw.write('retry: 1000\n\n')
    const beat = setInterval(() => {
      if (raw.writableLength === 0) raw.write(takeMissed() || ': here\n\n')
    }, BEAT_MS)
    const close = () => {
      stop()
      clearInterval(beat)
      open.delete(close)
      raw.end()
    }
    open.add(close)
    request.raw.once('close', close)

    function takeMissed(): string {
      const count = missed
      missed = 0
      return count > 0 ? event('dropped', JSON.stringify({ count })) : ''
    }
  })
}

function followAll(feed: TraceFeed, listener: Listener): () => void {
  return feed.follow({
    traces: traces => listener.events(traces.map(trace => event('trace', JSON.stringify(trace)))),
    dropped: count => listener.dropped(count),
  })
}

function followOne(feed: TraceFeed, traceId: string, listener: Listener): () => void {
  return feed.followTrace(traceId, spans => listener.events(spans.map(span => event('span', encodeSpanJsonV2(span)))))
}

function followedTrace(text: string | null): string | undefined {
  if (text === null) return undefined
  try {
    return normaliseTraceId(trimBlanks(text))
  } catch (error) {
    if (error instanceof IdError) throw new OwnApiError('bad_id', error.message, 'traceId')
    throw error
  }
}

function event(name: string, data: string): string {
  return `event: ${name}\ndata: ${data}\n\n`
}
