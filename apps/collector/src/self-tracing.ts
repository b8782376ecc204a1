import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingHttpHeaders } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import {
  type Endpoint,
  type Microseconds,
  normaliseEndpoint,
  normaliseSpan,
  type Span,
  type SpanFields,
} from '@hopscope/model'
import { encodeJsonV2 } from '@hopscope/model/formats'
import type { AcceptedBody, SpanStore } from '@hopscope/store'
import { carrierOf, createIdGenerator, extract, rateSampler, type TraceContext } from '@hopscope/tracer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { SelfTracingOptions } from './config.ts'
import type { Transport } from './metrics.ts'
import { rateLimit } from './rate-limit.ts'

/** zipkin-server's name for itself. */
const SERVICE = 'zipkin-server'

/** Who is asked for. Requests of people and metrics are not traced. (zipkin-server; OTLP's path is ours) */
const TRACED_PATH = /^\/(zipkin\/)?api\/|^\/v1\/traces/

/** Spans that wait for the store; what is above is dropped, and counted. */
const MAX_WAITING = 1_000
/** Of one request, which may search once for each of many buckets. */
const MAX_CHILDREN = 100

/** What a call of the store is called in a trace. (zipkin-server) */
const STORE_CALLS: Partial<Record<keyof SpanStore, string>> = {
  accept: 'accept-spans',
  acceptBody: 'accept-spans',
  getTraces: 'get-traces',
  getTrace: 'get-trace',
  getTracesByIds: 'get-traces',
  getServiceNames: 'get-service-names',
  getSpanNames: 'get-span-names',
  getRemoteServiceNames: 'get-remote-service-names',
  getAutocompleteValues: 'get-values',
  getDependencies: 'get-dependencies',
}

/** A request whose spans are recorded. */
interface ActiveRequest {
  context: TraceContext
  timestamp: Microseconds
  annotations: { timestamp: Microseconds; value: string }[]
  children: number
}

/**
 * The collector's own requests as spans of service `zipkin-server`, as zipkin-server records them: a SERVER span a request, which
 * joins the caller's B3, and a local span for each call of the store. They go into `store` at intervals, past what observes
 * requests, so that a report of spans makes no spans.
 */
export class SelfTracing {
  readonly #store: SpanStore
  readonly #counter: Transport
  readonly #options: SelfTracingOptions
  readonly #ids = createIdGenerator()
  readonly #isSampled: (traceId: string) => boolean
  readonly #requests = new WeakMap<FastifyRequest, ActiveRequest>()
  readonly #current = new AsyncLocalStorage<ActiveRequest>()
  readonly #local: Endpoint | undefined
  #waiting: Span[] = []
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> = Promise.resolve()

  /** `counter`: transport `local`. `now`: ms. */
  constructor(store: SpanStore, counter: Transport, options: SelfTracingOptions, now: () => number = Date.now) {
    this.#store = store
    this.#counter = counter
    this.#options = options
    this.#isSampled =
      options.sampleRate === 1 ? rateLimit(options.tracesPerSecond, now) : rateSampler(options.sampleRate)
    this.#local = normaliseEndpoint({ serviceName: SERVICE, ipv4: ownAddress() })
  }

  /** Records the requests of a server. */
  install(app: FastifyInstance): void {
    app.addHook('onRequest', (request, _reply, done) => {
      const active = TRACED_PATH.test(request.url) ? this.#begin(request.headers) : undefined
      if (active !== undefined) this.#requests.set(request, active)
      done()
    })
    // Here and no earlier: what reads a body runs outside of what began before it.
    app.addHook('preHandler', (request, _reply, done) => {
      const active = this.#requests.get(request)
      if (active === undefined) return done()
      active.annotations.push({ timestamp: microseconds(), value: 'wr' })
      this.#current.run(active, done)
    })
    app.addHook('onResponse', (request, reply, done) => {
      const active = this.#requests.get(request)
      const { method, url, raw, routeOptions } = request
      if (active !== undefined) this.#end(active, method, url, routeOptions.url ?? '/**', reply.statusCode, raw.socket)
      done()
    })
  }

  /** Records a call of gRPC, which does not go through the framework; its status of HTTP is always 200. */
  async recordCall({ headers, url, stream }: Http2ServerRequest, call: () => Promise<void>): Promise<void> {
    const { socket } = stream.session ?? {}
    const active = this.#begin(headers)
    if (active === undefined || socket === undefined) return call()
    active.annotations.push({ timestamp: microseconds(), value: 'wr' })
    await this.#current.run(active, call)
    this.#end(active, 'POST', url, url, 200, socket)
  }

  /** The same store, whose calls are recorded while a request is. */
  observe(): SpanStore {
    const store = this.#store
    const name = `Traced{${store.name}}`
    return new Proxy(store, {
      get: (target, property) => {
        if (property === 'name') return name
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        const spanName = STORE_CALLS[property as keyof SpanStore]
        if (spanName === undefined) return value.bind(target)
        return (...args: unknown[]) => this.#call(spanName, () => value.apply(target, args))
      },
    })
  }

  /** Stores what waits. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#flush()
  }

  /** Undefined: not to be recorded. */
  #begin(headers: IncomingHttpHeaders): ActiveRequest | undefined {
    const context = this.#contextOf(headers)
    return context.sampled ? { context, timestamp: microseconds(), annotations: [], children: 0 } : undefined
  }

  /** A caller who has decided is obeyed; one without ids starts a trace here. */
  #contextOf(headers: IncomingHttpHeaders): TraceContext {
    const incoming = extract(carrierOf(headers), { w3c: false })
    const known = typeof incoming === 'string' ? undefined : incoming
    const spanId = known?.parent?.spanId ?? this.#ids.next()
    const traceId = known?.parent?.traceId ?? spanId
    const debug = known?.debug === true
    const sampled = debug || (known?.sampled ?? this.#isSampled(traceId))
    return { ...known?.parent, traceId, spanId, sampled, debug, shared: known?.parent !== undefined }
  }

  #end(active: ActiveRequest, method: string, url: string, route: string, status: number, caller: Socket): void {
    const { context, timestamp, annotations } = active
    const tags: Record<string, string> = { 'http.method': method, 'http.path': url.split('?')[0]! }
    if (status < 200 || status > 299) tags['http.status_code'] = String(status)
    if (status < 100 || status > 399) tags.error = String(status)
    const end = microseconds()
    annotations.push({ timestamp: end, value: 'ws' })
    this.#record({
      traceId: context.traceId,
      parentId: context.parentId,
      id: context.spanId,
      kind: 'SERVER',
      name: `${method} ${route}`,
      timestamp,
      duration: end - timestamp,
      remoteEndpoint: normaliseEndpoint({ ...addressOf(caller.remoteAddress), port: caller.remotePort }),
      annotations,
      tags,
      debug: context.debug,
      shared: context.shared,
    })
  }

  #call(name: string, call: () => unknown): unknown {
    const active = this.#current.getStore()
    if (active === undefined || ++active.children > MAX_CHILDREN) return call()
    const timestamp = microseconds()
    const finish = (error?: Error): void => {
      this.#record({
        traceId: active.context.traceId,
        parentId: active.context.spanId,
        id: this.#ids.next(),
        name,
        timestamp,
        duration: microseconds() - timestamp,
        ...(error && { tags: { error: error.message || error.name } }),
        debug: active.context.debug,
      })
    }
    const result = call()
    const promise = result instanceof Promise ? result : (result as AcceptedBody | undefined)?.committed
    promise?.then(() => finish(), finish)
    return result
  }

  #record(span: SpanFields): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#counter.decoded(1)
      this.#counter.settled(0, 0, 1)
      return
    }
    const duration = Math.max(1, span.duration ?? 0)
    this.#waiting.push(normaliseSpan({ ...span, duration, localEndpoint: this.#local }))
    this.#timer ??= setTimeout(() => void this.#flush(), this.#options.flushInterval).unref()
  }

  #flush(): Promise<void> {
    this.#timer = undefined
    const spans = this.#waiting
    this.#waiting = []
    if (spans.length > 0) this.#flushing = this.#flushing.then(() => this.#report(spans))
    return this.#flushing
  }

  async #report(spans: readonly Span[]): Promise<void> {
    const counter = this.#counter
    counter.messages++
    counter.received(Buffer.byteLength(encodeJsonV2(spans)))
    counter.decoded(spans.length)
    // A store that takes nothing tells those whose spans it does not take.
    await this.#current
      .exit(() => this.#store.accept(spans))
      .then(
        () => counter.settled(spans.length, 0, 0),
        () => counter.settled(0, 0, spans.length),
      )
  }
}

function microseconds(): Microseconds {
  return Math.round((performance.timeOrigin + performance.now()) * 1000)
}

/** The first address that others could reach. */
function ownAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flat()
  return addresses.find(address => address?.family === 'IPv4' && !address.internal)?.address
}

/** As a socket has it: IPv4 may be written into IPv6. */
function addressOf(address = ''): { ipv4?: string; ipv6?: string } {
  const ipv4 = address.replace(/^::ffff:/, '')
  return ipv4.includes(':') ? { ipv6: address } : { ipv4 }
}
