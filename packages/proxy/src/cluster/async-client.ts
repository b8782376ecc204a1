import type { Milliseconds } from '@hopscope/envoy-config'
import type { ResponseHeaders } from '../http/headers.ts'
import type { RequestSpan } from '../tracing/http-tracer.ts'

/** Requests of the proxy itself (span reports, questions of filters), through a cluster's own pools and counted in its stats, as Envoy's AsyncClient. */
export interface AsyncClient {
  /** Never rejects: a failure is a local 503 or 504, as Envoy's router makes it. */
  send(request: AsyncRequest): Promise<AsyncResponse>
  /** As `send`, with the whole answer; `done` is not called after what it returns was. */
  ask(request: AsyncRequest, done: (answer: AsyncAnswer) => void): () => void
}

/** A request of the proxy itself, to a cluster of its configuration. */
export interface AsyncRequest {
  cluster: string
  method: string
  path: string
  host: string
  /** Beside those Envoy's async client adds (x-envoy-internal, x-forwarded-for, x-envoy-expected-rq-timeout-ms). */
  headers: readonly (readonly [name: string, value: string])[]
  /** Chunked, unless `headers` say how long it is. */
  body: Uint8Array
  timeout: Milliseconds
  /** Not to say who asks, in x-forwarded-for. */
  withoutForwardedFor?: boolean
  /** Of the request that it is asked for: a span of its own. `tagsOf` says what the answer means. */
  parent?: { span: RequestSpan; tagsOf(answer: AsyncAnswer): readonly (readonly [name: string, value: string])[] }
}

export interface AsyncResponse {
  status: number
}

export interface AsyncAnswer extends AsyncResponse {
  /** undefined: nobody answered, the status is our own. */
  headers: ResponseHeaders | undefined
  body: Buffer
}
