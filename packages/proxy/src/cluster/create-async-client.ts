import type { Clock } from '../clock.ts'
import { FAILURES } from '../errors.ts'
import { localIp } from '../http/client-address.ts'
import { RequestHeaders } from '../http/headers.ts'
import type { Timers } from '../timers.ts'
import type { ResetReason } from '../upstream/reset-reason.ts'
import { Attempt, type AttemptOwner } from '../upstream/send.ts'
import type { AsyncClient, AsyncRequest } from './async-client.ts'
import type { ClusterManager } from './cluster-manager.ts'

export interface AsyncClientServices {
  clusters: ClusterManager
  clock: Clock
  timers: Timers
}

/** Requests of the proxy itself: one attempt each, with the head, the numbers and the local answers of Envoy's AsyncClient. */
export function createAsyncClient({ clusters, clock, timers }: AsyncClientServices): AsyncClient {
  const ownIp = localIp()
  return {
    send(request) {
      const cluster = clusters.get(request.cluster)
      if (cluster === undefined) return Promise.resolve({ status: FAILURES.no_cluster.status })
      const host = cluster.pickHost()
      if (host === undefined) {
        cluster.stats.upstream_cx_none_healthy.add()
        cluster.countStatus(503, true)
        return Promise.resolve({ status: 503 })
      }
      return new Promise(resolve => {
        const begun = clock.now()
        const settle = (status: number): void => {
          timer.stop()
          resolve({ status })
        }
        const owner: AttemptOwner = {
          onAttemptReady(attempt) {
            attempt.write(request.body)
            attempt.end()
          },
          onInformational(status) {
            cluster.countStatus(status, true)
          },
          onResponseHead(_, head) {
            cluster.countStatus(head.headers.status, true)
            const { rq_error, rq_success } = host.stats
            if (head.headers.status >= 500) rq_error.add()
            else rq_success.add()
          },
          onResponseData() {},
          onResponseEnd(attempt) {
            cluster.recordTime(Math.trunc(clock.now() - begun), true)
            settle(attempt.status)
          },
          onAttemptReset(attempt, reason: ResetReason) {
            const { status } = FAILURES[reason]
            if (attempt.status === 0) {
              cluster.countStatus(status, true)
              host.stats.rq_error.add()
            }
            settle(status)
          },
          onUpstreamDrain() {},
        }
        const attempt = new Attempt(host, 1, { headers: headersOf(request, ownIp), hasBody: true }, clock, owner)
        const timer = timers.create(() => {
          cluster.stats.upstream_rq_timeout.add()
          host.stats.rq_timeout.add()
          if (attempt.status === 0) {
            cluster.countStatus(504, true)
            host.stats.rq_error.add()
          }
          attempt.cancel()
          resolve({ status: 504 })
        })
        timer.start(request.timeout)
        attempt.start()
      })
    },
  }
}

function headersOf(request: AsyncRequest, ownIp: string): RequestHeaders {
  const headers = new RequestHeaders()
  headers.method = request.method
  headers.path = request.path
  headers.authority = request.host
  for (const [name, value] of request.headers) headers.append(name, value)
  headers.append('x-envoy-internal', 'true')
  headers.append('x-forwarded-for', ownIp)
  if (request.timeout > 0) headers.append('x-envoy-expected-rq-timeout-ms', String(request.timeout))
  return headers
}
