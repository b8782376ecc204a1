import type { Milliseconds } from '@hopscope/model'
import type { SendResult } from './reporter.ts'

/** Posts batches to a collector; never rejects. */
export interface HttpSender {
  send(body: Uint8Array): Promise<SendResult>
  close(): void
}

/** A collector's answer is a word or nothing; one that does not come in this time will not come. */
const TIMEOUT: Milliseconds = 5_000

/**
 * POSTs batches to `url` (`http://127.0.0.1:9411/api/v2/spans`) over connections of its own, so that a slow collector never holds
 * back those of the application. `b3: 0` asks proxies on the way not to trace the reports themselves.
 */
export function createHttpSender(url: string, timeout: Milliseconds = TIMEOUT): HttpSender {
  const { protocol } = new URL(url)
  if (protocol !== 'http:') throw new Error(`spans are sent to an http: address, not to ${url}`)
  // An `import` of node:http also loads its WebSocket client, which most users of this package would pay for at their start.
  const { Agent, request } = process.getBuiltinModule('node:http')
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  return {
    send(body) {
      return new Promise(resolve => {
        const outgoing = request(
          url,
          {
            method: 'POST',
            agent,
            timeout,
            headers: { 'content-type': 'application/json', 'content-length': body.length, b3: '0' },
          },
          response => {
            response.resume()
            response.on('end', () =>
              resolve(response.statusCode! >= 200 && response.statusCode! < 300 ? 'sent' : 'dropped'),
            )
            response.on('error', () => resolve('dropped'))
          },
        )
        outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeout} ms`)))
        outgoing.on('error', () => resolve('dropped'))
        outgoing.end(body)
      })
    },
    close: () => agent.destroy(),
  }
}
