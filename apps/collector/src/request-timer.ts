import type { FastifyInstance } from 'fastify'
import { isValidTarget } from './request-target.ts'

/** Upper bounds of the buckets, seconds. */
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]

interface Series {
  labels: string
  count: number
  sum: number
  max: number
  /** Cumulative, one for each bound. */
  buckets: number[]
}

/** Times requests of the API, by method, status and route: `http_server_requests_seconds`. */
export class RequestTimer {
  #series = new Map<string, Series>()

  install(app: FastifyInstance): void {
    app.addHook('onResponse', async (request, reply) => {
      const path = request.url
      if (!path.startsWith('/api/') && !path.startsWith('/zipkin/api/')) return
      // Answered before anything looks for a route, as zipkin-server does: no target, and preflights.
      if (!isValidTarget(path) || (request.method === 'OPTIONS' && reply.statusCode === 200)) return
      const route = reply.statusCode === 405 ? otherMethod(app, path) : request.routeOptions.url
      this.#record(request.method, reply.statusCode, uriOf(route, reply.statusCode), reply.elapsedTime)
    })
  }

  #record(method: string, status: number, uri: string, ms: number): void {
    const labels = `method="${method}",status="${status}",uri="${uri}"`
    let series = this.#series.get(labels)
    if (series === undefined) {
      series = { labels, count: 0, sum: 0, max: 0, buckets: BUCKETS.map(() => 0) }
      this.#series.set(labels, series)
    }
    const seconds = ms / 1000
    series.count++
    series.sum += seconds
    series.max = Math.max(series.max, seconds)
    for (const [index, bound] of BUCKETS.entries()) if (seconds <= bound) series.buckets[index]!++
  }

  prometheus(): string {
    const name = 'http_server_requests_seconds'
    const lines = [`# HELP ${name} Response time histogram`, `# TYPE ${name} histogram`]
    for (const { labels, count, sum, buckets } of this.#series.values()) {
      for (const [index, bound] of BUCKETS.entries()) {
        lines.push(`${name}_bucket{${labels},le="${bound}"} ${buckets[index]}`)
      }
      lines.push(`${name}_bucket{${labels},le="+Inf"} ${count}`)
      lines.push(`${name}_count{${labels}} ${count}`, `${name}_sum{${labels}} ${sum}`)
    }
    lines.push(`# HELP ${name}_max Longest response`, `# TYPE ${name}_max gauge`)
    for (const { labels, max } of this.#series.values()) lines.push(`${name}_max{${labels}} ${max}`)
    return `${lines.join('\n')}\n`
  }
}

/** The route that the path would have by another method; one without parameters, which is then the path. */
function otherMethod(app: FastifyInstance, url: string): string | undefined {
  const path = url.split('?')[0]!.replace(/^\/zipkin/, '')
  return ['GET', 'POST'].some(method => app.hasRoute({ url: path, method })) ? path : undefined
}

/** `/zipkin/api/v2/trace/:traceId` → `/api/v2/trace/{traceId}`: never the path itself, which has no bounded set of values. */
function uriOf(route: string | undefined, status: number): string {
  if (status === 404 || route === undefined) return 'NOT_FOUND'
  if (status >= 300 && status < 400) return 'REDIRECTION'
  return route.replace(/^\/zipkin/, '').replace(/:(\w+)/g, '{$1}')
}
