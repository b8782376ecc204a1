import type { Milliseconds } from '@hopscope/envoy-config'

/** Requests of the proxy itself (span reports), through a cluster's own pools and counted in its stats, as Envoy's AsyncClient. */
export interface AsyncClient {
  /** Never rejects: a failure is a local 503 or 504, as Envoy's router makes it. */
  send(request: AsyncRequest): Promise<{ status: number }>
}

export interface AsyncRequest {
  cluster: string
  method: 'POST'
  path: string
  host: string
  /** Beside those Envoy's async client adds (x-envoy-internal, x-forwarded-for, x-envoy-expected-rq-timeout-ms, chunked body). */
  headers: readonly [name: string, value: string][]
  body: Uint8Array
  timeout: Milliseconds
}
