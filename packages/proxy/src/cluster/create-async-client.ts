import type { Clock } from '../clock.ts'
import { FAILURES } from '../errors.ts'
import { RequestHeaders } from '../http/headers.ts'
import type { Instant } from '../stream-info.ts'
import type { Timers } from '../timers.ts'
import { attemptOutcome } from '../tracing/attempt-outcome.ts'
import type { AttemptSpan } from '../tracing/http-tracer.ts'
import type { AsyncAnswer, AsyncClient, AsyncRequest } from './async-client.ts'
import type { ClusterManager } from './cluster-manager.ts'
import { OwnRequest, type OwnRequestEnd } from './own-request.ts'

export interface AsyncClientServices {
  clusters: ClusterManager
  clock: Clock
  timers: Timers
}

/** Requests of the proxy itself that have an answer. */
export function createAsyncClient({ clusters, clock, timers }: AsyncClientServices): AsyncClient {
  function start(request: AsyncRequest, keepBody: boolean, done: (answer: AsyncAnswer) => void): () => void {
    const cluster = clusters.get(request.cluster)
    if (cluster === undefined) {
      done({ status: FAILURES.no_cluster.status, headers: undefined, body: NOTHING })
      return () => {}
    }
    const { body, parent, timeout } = request
    const own = new OwnRequest(
      cluster,
      {
        headers: headersOf(request),
        hasBody: body.length > 0,
        timeout,
        bufferLimit: body.length,
        forwardedFor: request.withoutForwardedFor !== true,
      },
      { clock, timers },
    )
    let begun = Number.NaN
    if (parent !== undefined) {
      const { observabilityName, name } = cluster
      const aside = { spanName: `async ${observabilityName} egress`, clusterName: name }
      own.beginSpan = at => {
        begun = at
        return parent.span.beginAttempt({ clusterName: observabilityName, number: 1, aside }, at)
      }
    }
    const chunks: Buffer[] = []
    if (keepBody) own.onData = chunk => void chunks.push(chunk)
    own.onEnd = end => {
      const answer = { status: end.status, headers: end.headers, body: end.headers ? Buffer.concat(chunks) : NOTHING }
      if (own.span !== undefined) finishSpan(own.span, begun, clock.now(), end, parent!.tagsOf(answer))
      if (end.status !== 0) done(answer)
    }
    own.start()
    if (body.length > 0) {
      own.write(body)
      own.end()
    }
    return () => own.cancel()
  }

  return {
    send: request => new Promise(resolve => void start(request, false, resolve)),
    ask: (request, done) => start(request, true, done),
  }
}

/** As of a whole request, not of an attempt: a failure is the status that it was answered with here. */
function finishSpan(
  span: AttemptSpan,
  begun: Instant,
  at: Instant,
  { attempt, status, flag }: OwnRequestEnd,
  tags: readonly (readonly [name: string, value: string])[],
): void {
  if (span.finish === undefined) return
  const outcome = attemptOutcome(attempt, at, status === 0)
  if (Number.isNaN(outcome.firstUpstreamTxByte)) outcome.firstUpstreamTxByte = begun
  span.finish({ ...outcome, statusCode: status, responseFlags: flag, tags })
}

const NOTHING = Buffer.alloc(0)

function headersOf(request: AsyncRequest): RequestHeaders {
  const headers = new RequestHeaders()
  headers.method = request.method
  headers.path = request.path
  headers.authority = request.host
  for (const [name, value] of request.headers) headers.append(name, value)
  return headers
}
