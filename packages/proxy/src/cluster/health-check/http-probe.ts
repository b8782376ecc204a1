import type { HttpHealthCheck, RequestStyle, ResponseLimits } from '@hopscope/envoy-config'
import { encodeRequestHead } from '../../http/codec/encode-request.ts'
import { ResponseDecoder, type ResponseHead, type ResponseSink } from '../../http/codec/response-decoder.ts'
import { RequestHeaders, type ResponseHeaders } from '../../http/headers.ts'
import { compileStringMatcher } from '../../match/string-matcher.ts'
import { compileMutations, type Mutate } from '../../route/header-mutations.ts'
import type { Runtime } from '../../runtime.ts'
import type { Counter } from '../../stats/stats.ts'
import { StreamInfo } from '../../stream-info.ts'
import type { Transport, TransportHandler } from '../../transport/transport.ts'
import type { ConnectOptions, Transports } from '../../transport/transports.ts'
import type { Host } from '../host.ts'
import { containsInOrder, type Probe, type ProbeListener } from './probe.ts'

export interface HttpProbeOptions {
  /** In place of the host's name. */
  clusterName: string
  requestStyle: RequestStyle
  responseLimits: ResponseLimits
  reuse: boolean
  transports: Transports
  connectOptions: ConnectOptions | undefined
  runtime: Runtime
  verifyCluster: Counter
}

/** What all probes of a cluster share. */
export function compileHttpCheck(check: HttpHealthCheck): (host: Host, clusterName: string) => RequestHeaders {
  const mutate: Mutate | undefined = compileMutations(
    [
      {
        requestHeadersToAdd: check.requestHeadersToAdd,
        requestHeadersToRemove: check.requestHeadersToRemove,
        responseHeadersToAdd: [],
        responseHeadersToRemove: [],
      },
    ],
    'request',
  )
  return (host, clusterName) => {
    const headers = new RequestHeaders()
    headers.method = check.method
    headers.path = check.path
    headers.authority = host.healthCheck.hostname || check.host || clusterName
    headers.append('user-agent', 'Envoy/HC')
    const info = new StreamInfo()
    info.upstreamHost = host.address
    mutate?.(headers, info)
    if (check.send !== undefined && check.send.length > 0) headers.set('content-length', String(check.send.length))
    return headers
  }
}

/** One request a time on one connection, which is kept if it can be. */
export class HttpProbe implements Probe, TransportHandler {
  readonly #host: Host
  readonly #check: HttpHealthCheck
  readonly #headersOf: (host: Host, clusterName: string) => RequestHeaders
  readonly #matchesService: ((text: string) => boolean) | undefined
  readonly #options: HttpProbeOptions
  readonly #listener: ProbeListener
  #transport: Transport | undefined
  #decoder: ResponseDecoder | undefined
  #connected = false
  #waiting = false
  #head: ResponseHead | undefined
  #body: Buffer[] = []
  #bodyLength = 0

  constructor(
    host: Host,
    check: HttpHealthCheck,
    headersOf: (host: Host, clusterName: string) => RequestHeaders,
    options: HttpProbeOptions,
    listener: ProbeListener,
  ) {
    this.#host = host
    this.#check = check
    this.#headersOf = headersOf
    this.#matchesService = check.serviceNameMatcher && compileStringMatcher(check.serviceNameMatcher)
    this.#options = options
    this.#listener = listener
  }

  ask(): void {
    this.#waiting = true
    this.#head = undefined
    this.#body = []
    this.#bodyLength = 0
    if (this.#transport !== undefined && this.#connected) {
      this.#send()
      return
    }
    this.#connected = false
    const sink: ResponseSink = {
      onInformational() {},
      onHead: head => {
        this.#head = head
      },
      onData: chunk => this.#keep(chunk),
      onEnd: () => this.#onResponse(),
      onProtocolError: () => this.#lost(),
    }
    this.#decoder = new ResponseDecoder(sink, this.#options.responseLimits)
    this.#transport = this.#host.connectForCheck(
      this.#options.transports,
      1024 * 1024,
      this,
      this.#options.connectOptions,
    )
  }

  giveUp(): void {
    this.close()
  }

  close(): void {
    this.#waiting = false
    const transport = this.#transport
    this.#transport = undefined
    transport?.destroy()
  }

  onConnect(): void {
    if (this.#transport === undefined) return
    this.#connected = true
    this.#send()
  }

  onData(chunk: Buffer): void {
    if (this.#transport === undefined) return
    // Bytes that nobody asked for: the connection is of no use any more.
    if (!this.#waiting) this.close()
    else if (!this.#decoder!.execute(chunk)) this.#lost()
  }

  onDrain(): void {}

  onEnd(): void {
    if (this.#transport === undefined) return
    if (this.#waiting && this.#decoder!.end()) return
    this.#lost()
  }

  onClose(): void {
    this.#lost()
  }

  #send(): void {
    const { send } = this.#check
    const headers = this.#headersOf(this.#host, this.#options.clusterName)
    const hasBody = send !== undefined && send.length > 0
    this.#decoder!.expect(headers.method === 'HEAD')
    this.#transport!.write(encodeRequestHead(headers, hasBody, this.#options.requestStyle).bytes)
    if (hasBody) this.#transport!.write(send)
  }

  #keep(chunk: Buffer): void {
    const { receive, responseBufferSize } = this.#check
    const most = responseBufferSize || Number.POSITIVE_INFINITY
    if (receive.length === 0 || this.#bodyLength >= most) return
    const part = chunk.subarray(0, most - this.#bodyLength)
    this.#body.push(part)
    this.#bodyLength += part.length
  }

  #lost(): void {
    if (this.#transport === undefined) return
    const waited = this.#waiting
    this.close()
    if (waited) this.#listener.failed({ type: 'NETWORK', retriable: false, status: 0 })
  }

  #onResponse(): void {
    if (!this.#waiting) return
    this.#waiting = false
    const { headers, keepAlive } = this.#head!
    if (!this.#options.reuse || !keepAlive) this.close()
    const verdict = this.#judge(headers)
    if (verdict === 'passed' || verdict === 'degraded') {
      this.#listener.passed(verdict === 'degraded')
      return
    }
    if (verdict !== 'of another service' && headers.has('x-envoy-immediate-health-check-fail'))
      this.#listener.excluded()
    this.#listener.failed({ type: 'ACTIVE', retriable: verdict === 'retriable', status: headers.status })
  }

  #judge(headers: ResponseHeaders): 'passed' | 'degraded' | 'failed' | 'retriable' | 'of another service' {
    const { receive, expectedStatuses, retriableStatuses } = this.#check
    if (receive.length > 0 && !containsInOrder(Buffer.concat(this.#body), receive)) return 'failed'
    if (!isIn(expectedStatuses, headers.status)) return isIn(retriableStatuses, headers.status) ? 'retriable' : 'failed'
    const { runtime, verifyCluster } = this.#options
    if (this.#matchesService !== undefined && runtime.enabled('health_check.verify_cluster', ALWAYS, 0)) {
      verifyCluster.add()
      if (!this.#matchesService(headers.get('x-envoy-upstream-healthchecked-cluster') ?? ''))
        return 'of another service'
    }
    return headers.has('x-envoy-degraded') ? 'degraded' : 'passed'
  }
}

const ALWAYS = { numerator: 100, denominator: 100 } as const

function isIn(ranges: readonly (readonly [number, number])[], status: number): boolean {
  return ranges.some(([from, to]) => status >= from && status < to)
}
