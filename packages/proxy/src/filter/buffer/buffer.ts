import type { BufferFilter } from '@hopscope/envoy-config'
import { FAILURES } from '../../errors.ts'
import type { HttpStats } from '../../http/http-stats.ts'
import { respond } from '../../respond.ts'
import { type CreateFilter, configOf } from '../http-filter.ts'

/** `envoy.filters.http.buffer`: a request goes on when all of it is here, and has its length then. (Behaviour: Envoy 1.40) */
export function createBuffer(name: string, config: BufferFilter, http: HttpStats): CreateFilter {
  return exchange => {
    const { maxRequestBytes } = configOf<BufferFilter>(exchange, name, 'buffer') ?? config
    if (maxRequestBytes === undefined || !exchange.hasBody) return undefined
    return {
      decode(next, held) {
        held.limit = Math.max(held.limit, maxRequestBytes)
        // What waited for a filter before this one is here already, and passes however much it is. (Envoy)
        const before = held.bytes
        held.watch(() => {
          if (held.bytes > maxRequestBytes && held.bytes > before) {
            http.downstream_rq_too_large.add()
            held.over = true
            respond(exchange, FAILURES.request_too_large)
            return true
          }
          if (!held.ended) return false
          const { headers } = exchange
          if (!headers.has('content-length')) headers.append('content-length', String(held.bytes))
          next()
          return true
        })
      },
    }
  }
}
