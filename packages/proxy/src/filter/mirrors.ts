import type { Milliseconds } from '@hopscope/envoy-config'
import type { ActiveCluster } from '../cluster/active-cluster.ts'
import type { MetadataMatch } from '../cluster/balancing/metadata-match.ts'
import { OwnRequest } from '../cluster/own-request.ts'
import type { Exchange } from '../http/exchange.ts'
import type { RequestHeaders } from '../http/headers.ts'
import type { MirrorPolicy } from '../route/compile-routes.ts'
import { attemptOutcome } from '../tracing/attempt-outcome.ts'
import type { RouterServices } from './router-services.ts'

/** The copies of a request, with its body as it comes. Nobody waits for their answers; the client never hears of them. */
export class Mirrors {
  readonly #exchange: Exchange
  readonly #copies: readonly OwnRequest[]
  /** Copies that take no more of the body for now: they hold it up, too. */
  readonly #slow = new Set<OwnRequest>()
  /** All of them take bytes again. */
  onDrain: () => void = () => {}

  constructor(exchange: Exchange, copies: readonly OwnRequest[]) {
    this.#exchange = exchange
    this.#copies = copies
    for (const copy of copies) copy.onDrain = () => this.#onDrain(copy)
  }

  get areSlow(): boolean {
    return this.#slow.size > 0
  }

  start(): void {
    for (const copy of this.#copies) copy.start()
  }

  write(chunk: Buffer): void {
    for (const copy of this.#copies) {
      if (copy.write(chunk) || this.#slow.has(copy)) continue
      this.#slow.add(copy)
      this.#exchange.pauseRequest()
    }
  }

  end(): void {
    for (const copy of this.#copies) copy.end()
  }

  /** The request has ended: what has not been copied to the end goes no further. */
  cancel(): void {
    for (const copy of this.#copies) copy.cancelUnlessWhole()
  }

  #onDrain(copy: OwnRequest): void {
    if (this.#slow.delete(copy) && this.#slow.size === 0) this.onDrain()
  }
}

/** The copies of this request that its route asks for. `exchange.headers` are as the upstream gets them. */
export function createMirrors(
  policies: readonly MirrorPolicy[],
  exchange: Exchange,
  timeout: Milliseconds,
  match: MetadataMatch | undefined,
  services: RouterServices,
): Mirrors | undefined {
  const { headers } = exchange
  if (headers.method === 'CONNECT') return undefined
  const copies: OwnRequest[] = []
  const draw = Math.floor(services.random() * 1_000_000)
  for (const policy of policies) {
    const { runtimeKey, defaultValue } = policy.runtimeFraction
    if (!services.runtime.enabled(runtimeKey, defaultValue, draw)) continue
    const name = policy.cluster.type === 'cluster' ? policy.cluster.name : headers.get(policy.cluster.header)
    const cluster = name === undefined ? undefined : services.clusters.get(name)
    if (cluster === undefined) continue
    copies.push(createMirror(cluster, policy, exchange, timeout, match, services))
  }
  return copies.length === 0 ? undefined : new Mirrors(exchange, copies)
}

function createMirror(
  cluster: ActiveCluster,
  policy: MirrorPolicy,
  exchange: Exchange,
  timeout: Milliseconds,
  match: MetadataMatch | undefined,
  services: RouterServices,
): OwnRequest {
  const headers = exchange.headers.clone()
  mutateCopy(policy.mutations, headers, exchange)
  if (policy.hostRewriteLiteral !== '') headers.authority = policy.hostRewriteLiteral
  else if (!policy.disableShadowHostSuffixAppend) headers.authority = shadowHost(headers.authority)
  const { hasBody, bufferLimit } = exchange
  const aside = { spanName: 'mirror', clusterName: cluster.name, sampled: policy.traceSampled }
  const trailers = () => exchange.requestTrailers
  const head = { headers, hasBody, trailers, timeout, bufferLimit, forwardedFor: true, match }
  const copy = new OwnRequest(cluster, head, services)
  copy.beginSpan = at => exchange.span?.beginAttempt({ clusterName: cluster.observabilityName, number: 1, aside }, at)
  copy.onEnd = ({ attempt, canceled, resetReason }) =>
    copy.span?.finish?.(attemptOutcome(attempt, services.clock.now(), canceled, resetReason))
  return copy
}

/** Formats read what the copy's headers are by then. */
function mutateCopy(mutations: MirrorPolicy['mutations'], headers: RequestHeaders, { info }: Exchange): void {
  if (mutations.length === 0) return
  const { requestHeaders } = info
  info.requestHeaders = headers
  for (const mutate of mutations) mutate(headers, info)
  info.requestHeaders = requestHeaders
}

/** The suffix goes before the port: `a:80` → `a-shadow:80`. */
export function shadowHost(host: string): string {
  const port = /:\d+$/.exec(host)?.[0] ?? ''
  return `${host.slice(0, host.length - port.length)}-shadow${port}`
}
