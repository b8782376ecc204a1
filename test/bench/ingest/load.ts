import { connect, type Socket } from 'node:net'
import type { MeshBody } from './mesh-bodies.ts'
import { renew } from './mesh-bodies.ts'

export interface LoadResult {
  seconds: number
  spans: number
  /** Of every request, ms, sorted. */
  latencies: number[]
  /** Answers that were not 202. */
  refused: number
}

/**
 * Posts bodies over keep-alive connections, each the next when the last is answered, for a while; at most `rate` spans a second.
 * Sockets and not a client library: what the generator burns, the server on the same cores does not have.
 */
export async function load(
  port: number,
  bodies: MeshBody[],
  connections: number,
  ms: number,
  rate = Number.POSITIVE_INFINITY,
): Promise<LoadResult> {
  const result: LoadResult = { seconds: 0, spans: 0, latencies: [], refused: 0 }
  const begin = performance.now()
  const end = begin + ms
  let next = 0
  const epoch = Math.floor(Math.random() * 2 ** 32)
  // The spans of a trace lie in several bodies: they get the same new id in each.
  const takeBody = (): MeshBody => {
    const body = bodies[next % bodies.length]!
    renew(body, epoch + Math.floor(next++ / bodies.length), Math.round(performance.now() - begin) * 1000)
    return body
  }
  const perBody = bodies[0]!.spans
  let due = begin
  const wait = (): number => {
    const now = performance.now()
    const at = Math.max(due, now - 100)
    due = at + (perBody * 1000) / rate
    return at - now
  }
  await Promise.all(Array.from({ length: connections }, () => run(port, takeBody, wait, end, result)))
  result.seconds = (performance.now() - begin) / 1000
  result.latencies.sort((a, b) => a - b)
  return result
}

function run(
  port: number,
  takeBody: () => MeshBody,
  wait: () => number,
  end: number,
  result: LoadResult,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1')
    let sent = 0
    let body: MeshBody
    let answer = ''
    const next = (): void => {
      const ms = wait()
      if (ms < 1) send()
      else setTimeout(send, ms)
    }
    const send = (): void => {
      if (performance.now() >= end) {
        socket.end()
        resolve()
        return
      }
      body = takeBody()
      sent = performance.now()
      socket.write(
        `POST /api/v2/spans HTTP/1.1\r\nHost: collector\r\nContent-Type: application/json\r\nContent-Length: ${body.bytes.length}\r\n\r\n`,
      )
      // A copy: the next sending rewrites the ids.
      socket.write(Buffer.from(body.bytes))
    }
    socket.setNoDelay(true)
    socket.on('connect', next)
    socket.on('error', reject)
    socket.on('data', data => {
      answer += data.toString('latin1')
      // A 202 has no body.
      if (!answer.endsWith('\r\n\r\n')) return
      if (answer.startsWith('HTTP/1.1 202')) {
        result.spans += body.spans
        result.latencies.push(performance.now() - sent)
      } else result.refused++
      answer = ''
      next()
    })
  })
}
