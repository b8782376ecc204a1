import { createServer, type Server, type Socket } from 'node:net'
import { bodyOf, textOf, wrongBody } from './identity.ts'
import { UPSTREAM_KINDS } from './kinds.ts'
import { type Head, MessageReader } from './message-reader.ts'
import type { HeadSizes } from './plan.ts'

type Random = () => number

/** One request as its path and its headers tell of it. */
interface Asked {
  id: number
  method: string
  /** Bytes of the answer's body and of a header of it. */
  answerSize: number
  answerText: number
  /** What its path ends with: all of these once more. */
  query: string
}

export interface Upstreams {
  ports: Record<string, number>
  /** Heads that came, by cluster and id. */
  seen: Map<string, Map<number, number>>
  close(): void
}

/** A server for each kind; all of them look whether head and body belong together. `shout` hears when they do not. */
export async function startUpstreams(
  random: Random,
  sizes: HeadSizes,
  shout: (problem: string) => void,
): Promise<Upstreams> {
  const servers: Server[] = []
  const sockets = new Set<Socket>()
  const upstreams: Upstreams = {
    ports: {},
    seen: new Map(),
    close() {
      for (const socket of sockets) socket.destroy()
      for (const server of servers) server.close()
    },
  }
  for (const name of [...UPSTREAM_KINDS, 'copy']) {
    const seen = new Map<number, number>()
    upstreams.seen.set(name, seen)
    const server = createServer({ noDelay: true, allowHalfOpen: true }, socket => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      serve(socket, name, seen, sizes, random, problem => shout(`upstream ${name}: ${problem}`))
    })
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, resolve))
    upstreams.ports[name] = (server.address() as { port: number }).port
  }
  return upstreams
}

function serve(
  socket: Socket,
  name: string,
  seen: Map<number, number>,
  sizes: HeadSizes,
  random: Random,
  shout: (problem: string) => void,
): void {
  const behave = MANNERS[name] ?? plain
  let asked: Asked | undefined
  const reader = new MessageReader('request', {
    onHead(head) {
      asked = read(head, name, shout)
      if (asked === undefined) return
      seen.set(asked.id, (seen.get(asked.id) ?? 0) + 1)
      const via = head.fields.get('x-via')
      if (via !== undefined) sizes.set(via + name, head.bytes)
      if (name === 'early' || (name === 'rude' && asked.id % 16 === 0)) behave(socket, asked, random, seen)
    },
    onMessage(head, body, trailers) {
      if (asked === undefined) return
      const { id } = asked
      const problem = wrongBody(id, 'asked', Number(head.fields.get('x-size')), body)
      if (problem !== undefined) shout(`request ${id}: ${problem}`)
      // An internal redirect leaves them behind.
      const isMoved = head.line.includes(' /there/')
      const trailer = trailers.get('x-trailer') ?? ''
      if (trailer !== (isMoved ? '' : (head.fields.get('x-has-trailer') ?? '')))
        shout(`request ${id}: trailer ${trailer}`)
      if (name !== 'early' && !(name === 'rude' && id % 16 === 0)) behave(socket, asked, random, seen)
    },
    onWrong: what => shout(`no HTTP: ${what}`),
  })
  socket.on('data', chunk => reader.push(chunk))
  socket.on('error', () => {})
  socket.on('end', () => socket.end())
}

/** Path, headers and the text that fills some of them must be of one request. */
function read(head: Head, name: string, shout: (problem: string) => void): Asked | undefined {
  const [method = '', path = ''] = head.line.split(' ')
  const match = /^\/([a-z]+)\/(\d+)\?size=(\d+)&answer=(\d+)&text=(\d+)$/.exec(path)
  if (match === null) {
    shout(`path ${JSON.stringify(path)}`)
    return undefined
  }
  const [, route, digits, size, answer, text] = match
  const id = Number(digits)
  const { fields } = head
  const is = (field: string, value: string) => {
    const there = fields.get(field)
    if (there !== value)
      shout(`request ${id}: ${field} is ${JSON.stringify(there?.slice(0, 200))}, not ${value.slice(0, 200)}`)
  }
  if (fields.has('x-drop')) shout(`request ${id}: has x-drop`)
  is('x-id', digits!)
  is('x-forwarded-id', digits!)
  is('x-mutated', digits!)
  is('x-size', size!)
  is('x-text', textOf(id, 'asked', Number(fields.get('x-text-size'))))
  is('host', name === 'copy' ? `h${id}.test-shadow` : `h${id}.test`)
  const wanted = name === 'copy' ? 'mirrored' : name
  if (route !== wanted && !(route === 'there' && name === 'plain')) shout(`request ${id}: came for ${route}`)
  return { id, method, answerSize: Number(answer), answerText: Number(text), query: path.slice(path.indexOf('?')) }
}

type Manner = (socket: Socket, asked: Asked, random: Random, seen: ReadonlyMap<number, number>) => void

interface Shape {
  status?: number
  fields?: string
  framing?: 'length' | 'chunked' | 'close'
  trailers?: string
}

/** The answer that belongs to the request, as bytes of head and body. */
function answerTo({ id, method, answerSize, answerText }: Asked, random: Random, shape: Shape = {}): Buffer {
  const { status = 200, fields = '', framing = 'length', trailers = '' } = shape
  const bare = status === 204 || status === 304
  const body = bodyOf(id, 'answered', answerSize)
  const lengthField =
    bare || framing === 'close'
      ? ''
      : framing === 'chunked'
        ? 'transfer-encoding: chunked\r\n'
        : `content-length: ${answerSize}\r\n`
  const head = Buffer.from(
    `HTTP/1.1 ${status} Said\r\nx-id: ${id}\r\nx-size: ${answerSize}\r\nx-text: ${textOf(id, 'answered', answerText)}\r\n${fields}${lengthField}\r\n`,
  )
  if (bare || method === 'HEAD') return head
  if (framing !== 'chunked') return Buffer.concat([head, body])
  const pieces: Buffer[] = [head]
  for (let at = 0; at < body.length; ) {
    const size = Math.min(body.length - at, 1 + Math.floor(random() ** 3 * 40_000))
    pieces.push(Buffer.from(`${size.toString(16)}\r\n`), body.subarray(at, at + size), Buffer.from('\r\n'))
    at += size
  }
  pieces.push(Buffer.from(`0\r\n${trailers}\r\n`))
  return Buffer.concat(pieces)
}

const plain: Manner = (socket, asked, random) => {
  // A small one is not cut: then nothing of it waits for the rest.
  const isSmall = asked.answerSize + asked.answerText < 100
  inPieces(socket, answerTo(asked, random), random, !isSmall && random() < 0.4 ? 2 : 1)
}

/** Cut at random, with time in between. */
function inPieces(socket: Socket, bytes: Buffer, random: Random, count: number, then?: () => void): void {
  const size = count === 1 ? bytes.length : 1 + Math.floor(random() * ((2 * bytes.length) / count))
  socket.write(bytes.subarray(0, size))
  if (size >= bytes.length) then?.()
  else {
    const go = () => inPieces(socket, bytes.subarray(size), random, Math.max(1, count - 1), then)
    if (random() < 0.7) setImmediate(go)
    else setTimeout(go, 1 + random() * 3)
  }
}

const after =
  (most: number, manner: Manner): Manner =>
  (socket, asked, random, seen) =>
    void setTimeout(() => manner(socket, asked, random, seen), random() * most)

const shaped =
  (shapeOf: (asked: Asked, random: Random) => Shape): Manner =>
  (socket, asked, random) =>
    inPieces(socket, answerTo(asked, random, shapeOf(asked, random)), random, random() < 0.5 ? 3 : 1)

const MANNERS: Record<string, Manner> = {
  slow: after(40, plain),
  trickle: (socket, asked, random) => inPieces(socket, answerTo(asked, random), random, 30),
  chunked: shaped(({ id }, random) => ({
    framing: 'chunked',
    trailers: random() < 0.5 ? '' : `x-trailer: ${id}\r\nx-more: ${'t'.repeat(random() * 300)}\r\n`,
  })),
  interim(socket, asked, random, seen) {
    socket.write(`HTTP/1.1 103 Early Hints\r\nlink: <${asked.id}>\r\n\r\n`)
    plain(socket, asked, random, seen)
  },
  unsized: (socket, asked, random) =>
    inPieces(socket, answerTo(asked, random, { framing: 'close' }), random, 3, () => socket.end()),
  once(socket, asked, random) {
    const said = random() < 0.5
    const bytes = answerTo(asked, random, { fields: said ? 'connection: close\r\n' : '' })
    inPieces(socket, bytes, random, 2, () => socket.end())
  },
  flaky(socket, asked, random) {
    const status = random() < 0.5 ? 200 : random() < 0.5 ? 503 : 500
    inPieces(socket, answerTo(asked, random, { status }), random, 1)
  },
  // The first try is late for its time, the next ones less and less.
  hedged: (socket, asked, random, seen) =>
    void setTimeout(() => plain(socket, asked, random, seen), (random() * 80) / (seen.get(asked.id) ?? 1)),
  gzip: shaped(() => ({ fields: 'content-type: text/plain\r\n' })),
  moved: (socket, asked, random) => {
    const fields = `location: http://h${asked.id}.test/there/${asked.id}${asked.query}\r\n`
    inPieces(socket, answerTo(asked, random, { status: 302, fields }), random, 1)
  },
  tight: after(10, plain),
  empty: shaped((_asked, random) => ({ status: random() < 0.5 ? 204 : 304 })),
  rude(socket, asked, random) {
    const bytes = answerTo(asked, random, random() < 0.5 ? {} : { framing: 'chunked' })
    const head = bytes.indexOf('\r\n\r\n') + 4
    const insideHead = Math.floor(random() * (head - 2))
    const insideBody = head + Math.floor(random() * (bytes.length - head))
    const chance = random()
    if (chance < 0.4) inPieces(socket, bytes, random, 3)
    else if (chance < 0.5) socket.resetAndDestroy()
    else if (chance < 0.58) socket.write(bytes.subarray(0, insideHead), () => socket.resetAndDestroy())
    else if (chance < 0.68) socket.write(bytes.subarray(0, insideBody), () => socket.resetAndDestroy())
    else if (chance < 0.74) socket.end(bytes.subarray(0, insideHead))
    else if (chance < 0.8) socket.end(bytes.subarray(0, insideBody))
    else if (chance < 0.82) return
    else if (chance < 0.9) inPieces(socket, answerTo(asked, random, { status: 503 }), random, 1)
    else if (chance < 0.95) socket.write('HTTP/1.1 200 OK\r\nno field\r\n\r\n')
    else socket.write(Buffer.concat([bytes, Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nsmuggle')]))
  },
}
