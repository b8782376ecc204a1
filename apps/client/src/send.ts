import { Agent } from 'undici'
import type { Milliseconds } from './histogram.ts'

/** How a request ended: its status, or why there is none (`ECONNREFUSED`, `UND_ERR_SOCKET`, …). */
export interface Outcome {
  status: string
  ok: boolean
  latency: Milliseconds
}

/** Sends one GET and reads its body to the end; never rejects. `path` replaces the URL's own. */
export type Sender = (path?: string) => Promise<Outcome>

export function createSender(url: URL, timeout: Milliseconds, signal: AbortSignal): Sender {
  const agent = new Agent({ pipelining: 1, headersTimeout: timeout, bodyTimeout: timeout, connectTimeout: timeout })
  const headers = { 'user-agent': 'hopscope-client' }
  return async (path = url.pathname + url.search) => {
    const started = performance.now()
    const done = (status: string, ok: boolean): Outcome => ({ status, ok, latency: performance.now() - started })
    try {
      const { statusCode, body } = await agent.request({ origin: url.origin, path, method: 'GET', headers, signal })
      await body.dump({ limit: Number.POSITIVE_INFINITY, signal })
      return done(String(statusCode), statusCode >= 200 && statusCode < 300)
    } catch (error) {
      const { code, name } = error as NodeJS.ErrnoException
      return done(signal.aborted ? 'stopped' : (code ?? name), false)
    }
  }
}
