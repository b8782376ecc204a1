// Whole: the SDK's instrumentation replaces functions of the module, and a name that was imported by itself stays what it was.
import http from 'node:http'
import { text } from 'node:stream/consumers'
import type { Milliseconds } from '../duration.ts'
import type { HostPort } from '../host-port.ts'

export interface Upstream {
  /** Asked when the request's path is this one or below it; `/` is every path. */
  path: string
  uri: URL
}

/** How one upstream answered, as it stands in the service's own answer (fake-service `upstream_calls`). */
export interface UpstreamCall {
  uri: string
  /** 0 when there was no answer. */
  code: number
  duration: string
  body?: unknown
  error?: string
}

export interface Upstreams {
  /** Asks those of `path`, at most `workers` at a time; answers in the order of the configuration. Never rejects. */
  ask(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<UpstreamCall[]>
}

interface Options {
  upstreams: readonly Upstream[]
  workers: number
  outbound: HostPort | undefined
  timeout: Milliseconds
}

/** Bodies of upstreams are shown in the answer; a long one is not. */
const SHOWN_BODY_BYTES = 64 * 1024

export function createUpstreams({ upstreams, workers, outbound, timeout }: Options): Upstreams {
  // Node's own client, which is there already: loading another one would be a third of this process' start.
  const agent = new http.Agent({ keepAlive: true, timeout })

  async function ask(uri: URL, headers: Record<string, string>, signal: AbortSignal): Promise<UpstreamCall> {
    const started = performance.now()
    const call = { uri: uri.href, code: 0, duration: '' }
    try {
      // Through the outbound listener the Host still names the upstream: the sidecar routes by it.
      const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
        const outgoing = http.request({
          host: outbound?.host ?? uri.hostname.replace(/^\[|]$/g, ''),
          port: outbound?.port ?? uri.port,
          path: uri.pathname + uri.search,
          headers: { ...headers, host: uri.host },
          agent,
          timeout,
          signal,
        })
        outgoing.once('response', resolve)
        outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer in ${timeout} ms`)))
        outgoing.on('error', reject)
        outgoing.end()
      })
      call.code = answer.statusCode!
      return { ...call, duration: since(started), body: shown(await text(answer)) }
    } catch (error) {
      return { ...call, duration: since(started), error: reason(error) }
    }
  }

  return {
    async ask(path, headers, signal) {
      const wanted = upstreams.filter(upstream => covers(upstream.path, path))
      const calls: UpstreamCall[] = new Array(wanted.length)
      let next = 0
      const worker = async () => {
        while (next < wanted.length && !signal.aborted) {
          const index = next++
          calls[index] = await ask(wanted[index]!.uri, headers, signal)
        }
      }
      await Promise.all(Array.from({ length: Math.min(workers, wanted.length) }, worker))
      return calls
    },
  }
}

/** /checkout covers /checkout and /checkout/pay, not /checkouts. */
function covers(prefix: string, path: string): boolean {
  const bare = prefix.replace(/\/$/, '')
  return path === bare || path.startsWith(`${bare}/`)
}

function shown(text: string): unknown {
  if (text.length > SHOWN_BODY_BYTES) return `(${text.length} characters)`
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code === undefined ? message : `${code}: ${message}`
}

export function since(started: number): string {
  return `${(performance.now() - started).toFixed(1)}ms`
}
