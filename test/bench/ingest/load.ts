import { connect, type Socket } from 'node:net'
import { type BodyFormat, type MeshBody, renew } from './mesh-bodies.ts'

export interface LoadResult {
  seconds: number
  spans: number
  /** Of every request, ms, sorted. */
  latencies: number[]
  /** Answers that were neither 202 nor 200. */
  refused: number
}

export interface Load {
  connections: number
  /** Ends after so many ms, or so many spans. */
  ms: number
  spans?: number
  /** At most so many spans a second. */
  rate?: number
}

const TARGETS: Record<BodyFormat, { path: string; contentType: string }> = {
  json: { path: '/api/v2/spans', contentType: 'application/json' },
  proto3: { path: '/api/v2/spans', contentType: 'application/x-protobuf' },
  otlp: { path: '/v1/traces', contentType: 'application/x-protobuf' },
}

/**
 * Posts bodies over keep-alive connections, each the next when the last is answered. Sockets and not a client library, one write a
 * request and no new memory: what the generator burns, the server on the same cores does not have.
 */
export async function load(
  port: number,
  bodies: MeshBody[],
  { connections, ms, spans = Number.POSITIVE_INFINITY, rate = Number.POSITIVE_INFINITY }: Load,
  format: BodyFormat = 'json',
): Promise<LoadResult> {
  const result: LoadResult = { seconds: 0, spans: 0, latencies: [], refused: 0 }
  const requests = bodies.map(body => requestOf(body, format))
  const begin = performance.now()
  const end = begin + ms
  const most = spans / bodies[0]!.spans
  let next = 0
  const epoch = Math.floor(Math.random() * 2 ** 32)
  /** The spans of a trace lie in several bodies: they get the same new id in each. */
  const take = (): MeshBody | undefined => {
    if (performance.now() >= end || next >= most) return undefined
    const request = requests[next % requests.length]!
    renew(request, epoch + Math.floor(next++ / requests.length), Math.round(performance.now() - begin) * 1000)
    return request
  }
  const perBody = bodies[0]!.spans
  let due = begin
  const wait = (): number => {
    const now = performance.now()
    const at = Math.max(due, now - 100)
    due = at + (perBody * 1000) / rate
    return at - now
  }
  await Promise.all(Array.from({ length: connections }, () => run(port, take, wait, result)))
  result.seconds = (performance.now() - begin) / 1000
  result.latencies.sort((a, b) => a - b)
  return result
}

/** The body with the request's head before it. */
function requestOf({ bytes, spans, ids, times }: MeshBody, format: BodyFormat): MeshBody {
  const { path, contentType } = TARGETS[format]
  const head = Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: collector\r\nContent-Type: ${contentType}\r\nContent-Length: ${bytes.length}\r\n\r\n`,
  )
  const moved = <T extends { offset: number }>(one: T): T => ({ ...one, offset: one.offset + head.length })
  return { bytes: Buffer.concat([head, bytes]), spans, ids: ids.map(moved), times: times.map(moved) }
}

function run(port: number, take: () => MeshBody | undefined, wait: () => number, result: LoadResult): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1')
    let sent = 0
    let spans = 0
    let answer = ''
    // Its own: the next taker of the same body rewrites the ids.
    let memory = Buffer.alloc(0)
    const next = (): void => {
      const ms = wait()
      if (ms < 1) send()
      else setTimeout(send, ms)
    }
    const send = (): void => {
      const request = take()
      if (request === undefined) {
        socket.end()
        resolve()
        return
      }
      if (memory.length < request.bytes.length) memory = Buffer.alloc(request.bytes.length * 2)
      memory.set(request.bytes)
      spans = request.spans
      sent = performance.now()
      socket.write(memory.subarray(0, request.bytes.length))
    }
    socket.setNoDelay(true)
    socket.on('connect', next)
    socket.on('error', reject)
    socket.on('data', data => {
      answer += data.toString('latin1')
      if (!isWhole(answer)) return
      if (answer.startsWith('HTTP/1.1 202') || answer.startsWith('HTTP/1.1 200')) {
        result.spans += spans
        result.latencies.push(performance.now() - sent)
      } else result.refused++
      answer = ''
      next()
    })
  })
}

function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n')
  if (end === -1) return false
  const length = Number(/^content-length: *(\d+)/im.exec(answer.slice(0, end))?.[1] ?? 0)
  return answer.length >= end + 4 + length
}
