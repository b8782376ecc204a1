import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as httpRequest, type Server } from 'node:http'
import { connect, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bootstrap, cluster } from '../conformance/envoy/harness/config.ts'
import { freePorts } from '../conformance/free-ports.ts'

/** A real sidecar among peers that do not behave: it answers or hangs up, goes on serving, and keeps nothing. */
const folder = mkdtempSync(join(tmpdir(), 'hostile-'))
const MEGABYTE = 2 ** 20
const LARGE = 300 * MEGABYTE
/** What the garbage collector lets lie before it looks (buffers of 64 KiB), well below what was sent. */
const BOUND = 96 * MEGABYTE
/** In MiB; some 35 are in use. Whoever kept 4 KB of each of ten thousand connections would end there. */
const HEAP_BOUND = '--max-old-space-size=72'

let sidecar: ChildProcess
let stderr = ''
let app: Server
let rude: TcpServer
let listener: number
/** It waits longer for clients that do not read: a busy machine keeps them from it, too. */
let patient: number
let admin: number
/** What the rude upstream does with a request. */
let behave: (socket: Socket, request: string) => void = socket => socket.end()

beforeAll(async () => {
  app = createServer((request, response) => {
    if (request.url === '/hash') {
      const hash = createHash('sha256')
      let length = 0
      request.on('data', (chunk: Buffer) => {
        hash.update(chunk)
        length += chunk.length
        // A slow reader: what it does not take must not pile up in between.
        if (length % (4 * MEGABYTE) < chunk.length) {
          request.pause()
          setTimeout(() => request.resume(), 5)
        }
      })
      request.on('end', () => response.end(`${length} ${hash.digest('hex')}`))
      return
    }
    const length = Number(/^\/bytes\/(\d+)$/.exec(request.url ?? '')?.[1] ?? Number.NaN)
    if (length >= 0) {
      response.setHeader('content-length', length)
      let sent = 0
      const more = () => {
        while (sent < length) {
          const piece = pattern(sent, Math.min(64 * 1024, length - sent))
          sent += piece.length
          if (!response.write(piece)) {
            response.once('drain', more)
            return
          }
        }
        response.end()
      }
      more()
      return
    }
    response.end('fine')
  })
  const appPort = await listen(app)
  rude = createTcpServer(socket => {
    socket.on('error', () => {})
    socket.on('data', chunk => behave(socket, chunk.toString('latin1')))
  })
  const rudePort = await listen(rude)
  ;[listener, patient, admin] = (await freePorts(3)) as [number, number, number]
  const config = bootstrap(
    {
      routes: [
        { match: { prefix: '/rude' }, route: { cluster: 'rude' } },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
      clusters: [cluster('rude', rudePort)],
      hcm: { request_headers_timeout: '0.3s', access_log: [] },
      tracing: {},
    },
    { listener, admin, collector: 1, dead: 1, upstream: { app: appPort } },
    '/dev/null',
  )
  const { listeners } = config.static_resources as { listeners: object[] }
  const text = JSON.stringify(listeners[0])
    .replace('"name":"listener"', '"name":"patient"')
    .replace(`"port_value":${listener}`, `"port_value":${patient}`)
    .replace(/"delayed_close_timeout":"[^"]*"/, '"delayed_close_timeout":"30s"')
  listeners.push(JSON.parse(text))
  const file = join(folder, 'envoy.json')
  writeFileSync(file, JSON.stringify(config))
  sidecar = spawn(
    process.execPath,
    [HEAP_BOUND, join(import.meta.dirname, '../../apps/sidecar/src/main.ts'), '-c', file, '-l', 'error'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  sidecar.stderr!.on('data', chunk => {
    stderr += chunk
  })
  await eventually(async () => (await adminText('/ready')) === 'LIVE\n')
})

afterAll(() => {
  sidecar?.kill('SIGKILL')
  app?.closeAllConnections()
  app?.close()
  rude?.close()
  rmSync(folder, { recursive: true, force: true })
})

test.each([
  ['two Content-Lengths', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi', 400],
  [
    'Content-Length and Transfer-Encoding',
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['a head of 100 KB', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(100 * 1024)}\r\n\r\n`, 431],
  ['a NUL', 'GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n', 400],
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ['a malformed B3 header', 'GET / HTTP/1.1\r\nhost: a\r\nx-b3-traceid: zz\r\nx-b3-spanid: <script>\r\n\r\n', 200],
])('%s is answered, and the next client is served', async (_name, bytes, status) => {
  expect(await raw(bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  await stillServes()
})

test('an upstream that resets in the middle of its body', async () => {
  behave = socket => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')
    setTimeout(() => socket.resetAndDestroy(), 20)
  }
  const answer = await raw('GET /rude HTTP/1.1\r\nhost: a\r\n\r\n')
  expect(answer).toContain('half')
  await stillServes()
})

test('bytes after an answer never reach another client', async () => {
  let count = 0
  behave = socket => {
    const body = `answer ${++count}`
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nsmuggle`,
    )
  }
  for (let i = 1; i <= 5; i++) {
    const answer = await raw('GET /rude HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    expect(answer).toContain(`answer ${i}`)
    expect(answer).not.toContain('smuggle')
  }
})

test('a head that never ends is given up', async () => {
  const answer = await raw('GET / HTTP/1.1\r\nhost: a\r\nx-slow: ')
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
})

test('clients that hang up half-way, or only their half, leave nothing behind', async () => {
  for (const bytes of [
    '',
    'GET / HTT',
    'GET / HTTP/1.1\r\nhost: a\r\n',
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf',
    'GET / HTTP/1.1\r\nhost: a\r\n\r\n',
  ]) {
    const socket = await open()
    socket.end(bytes)
    socket.resume()
  }
  await nothingIsLeft()
  await stillServes()
})

test('clients that take nothing of their response are cut off', async () => {
  // How much the kernel takes off our hands differs; of these, some end with their last bytes in the sidecar alone.
  const lengths = Array.from({ length: 39 }, (_, i) => (i + 2) * (MEGABYTE / 4))
  const sockets = await Promise.all(lengths.map(() => open()))
  for (const [i, socket] of sockets.entries()) {
    socket.removeAllListeners('error')
    socket.on('error', () => {})
    socket.pause()
    socket.write(`GET /bytes/${lengths[i]} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
  }
  // Whose response has ended is gone after delayed_close_timeout; the others still have a request.
  await eventually(async () => (await stat('http.in.downstream_cx_delayed_close_timeout')) > 0)
  await eventually(async () => {
    const active = await stat('http.in.downstream_cx_active')
    return active === (await stat('http.in.downstream_rq_active')) && clientSockets() === active
  })
  for (const socket of sockets) socket.write('GET /late HTTP/1.1\r\nhost: a\r\n\r\n')
  for (const socket of sockets) socket.destroy()
  await nothingIsLeft()
  await stillServes()
})

test('a slow client gets all of a last response', async () => {
  const length = 24 * MEGABYTE
  const hash = createHash('sha256')
  await new Promise<void>((resolve, reject) => {
    const socket = connect(patient, '127.0.0.1')
    socket.on('error', reject)
    socket.write(`GET /bytes/${length} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
    let head = ''
    let received = 0
    socket.on('data', (chunk: Buffer) => {
      let body = chunk
      if (!head.endsWith('\r\n\r\n')) {
        const end = chunk.indexOf('\r\n\r\n')
        head = chunk.toString('latin1', 0, end + 4)
        body = chunk.subarray(end + 4)
      }
      const step = Math.floor(received / MEGABYTE)
      received += body.length
      hash.update(body)
      if (Math.floor(received / MEGABYTE) === step) return
      // Shorter than delayed_close_timeout: slow, not gone.
      socket.pause()
      setTimeout(() => socket.resume(), 20)
    })
    socket.on('close', () => (received === length ? resolve() : reject(new Error(`${received} of ${length} bytes`))))
  })
  expect(hash.digest('hex')).toBe(hashOfPattern(length))
})

/** What a client may do to a connection before it is gone. */
const RUDENESS: readonly ((socket: Socket) => void)[] = [
  socket => socket.destroy(),
  socket => socket.resetAndDestroy(),
  socket => {
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n')
    socket.destroy()
  },
  socket => {
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf', () => socket.resetAndDestroy())
  },
  socket => void socket.end('GET / HTTP/1.1\r\nhost: a\r\n\r\nGET /second HTTP/1.1\r\nhost: a\r\n\r\n').resume(),
  socket => {
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n', () => socket.destroy())
  },
  socket => void socket.end('\x16\x03\x01 no HTTP').resume(),
  socket => void socket.end().resume(),
]

async function openAndDrop(count: number): Promise<void> {
  for (let done = 0; done < count; done += 100) {
    const sockets = await Promise.all(Array.from({ length: 100 }, () => open()))
    for (const [i, socket] of sockets.entries()) {
      socket.removeAllListeners('error')
      socket.on('error', () => {})
      RUDENESS[i % RUDENESS.length]!(socket)
    }
  }
  await nothingIsLeft()
}

test('ten thousand connections opened and dropped leave neither handles nor memory behind', {
  timeout: 300_000,
}, async () => {
  // What is made once and kept (connections upstream, code, buffers) is there after the first of them.
  await openAndDrop(2_000)
  const handles = await openHandles()
  const memory = rss()
  await openAndDrop(8_000)
  await stillServes()
  await eventually(async () => (await openHandles()) <= handles + 2)
  // The heap has a bound, and did not come to it.
  expect(sidecar.exitCode).toBe(null)
  expect(rss() - memory).toBeLessThan(64 * MEGABYTE)
})

test('five hundred clients whose heads come byte by byte are given up, all of them', { timeout: 60_000 }, async () => {
  const before = await openHandles()
  const answers = await Promise.all(
    Array.from({ length: 500 }, async () => {
      const socket = await open()
      socket.removeAllListeners('error')
      socket.on('error', () => {})
      socket.write('GET / HTTP/1.1\r\nhost: a\r\nx-slow: ')
      const trickle = setInterval(() => socket.write('a'), 50)
      let answer = ''
      socket.on('data', chunk => {
        answer += chunk.toString('latin1')
      })
      await new Promise(resolve => socket.on('close', resolve))
      clearInterval(trickle)
      return answer.slice(0, 12)
    }),
  )
  // A byte that reaches a closed connection resets it, and an answer that was not read yet is gone with it.
  expect(new Set(answers.filter(answer => answer !== ''))).toEqual(new Set(['HTTP/1.1 408']))
  await nothingIsLeft()
  await eventually(async () => (await openHandles()) <= before + 2)
  await stillServes()
})

test('300 MB through a slow reader arrive whole, and do not pile up', async () => {
  const before = rss()
  let peak = before
  const watch = setInterval(() => {
    peak = Math.max(peak, rss())
  }, 20)
  const hash = createHash('sha256')
  const answer = await new Promise<string>((resolve, reject) => {
    const outgoing = httpRequest({ port: listener, path: '/hash', method: 'POST' }, incoming => {
      let body = ''
      incoming.on('data', chunk => {
        body += chunk
      })
      incoming.on('end', () => resolve(body))
    })
    outgoing.on('error', reject)
    let sent = 0
    const more = () => {
      while (sent < LARGE) {
        const chunk = pattern(sent, MEGABYTE)
        hash.update(chunk)
        sent += chunk.length
        if (!outgoing.write(chunk)) {
          outgoing.once('drain', more)
          return
        }
      }
      outgoing.end()
    }
    more()
  })
  clearInterval(watch)
  expect(answer).toBe(`${LARGE} ${hash.digest('hex')}`)
  expect(peak - before).toBeLessThan(BOUND)
})

test('300 MB to a client that reads slowly do not pile up', async () => {
  const before = rss()
  let peak = before
  const hash = createHash('sha256')
  const length = await new Promise<number>((resolve, reject) => {
    httpRequest({ port: listener, path: `/bytes/${LARGE}` }, incoming => {
      let received = 0
      incoming.on('data', (chunk: Buffer) => {
        const step = Math.floor(received / (8 * MEGABYTE))
        received += chunk.length
        hash.update(chunk)
        if (Math.floor(received / (8 * MEGABYTE)) === step) return
        peak = Math.max(peak, rss())
        incoming.pause()
        setTimeout(() => incoming.resume(), 30)
      })
      incoming.on('end', () => resolve(received))
      incoming.on('error', reject)
    }).end()
  })
  expect(length).toBe(LARGE)
  expect(hash.digest('hex')).toBe(hashOfPattern(LARGE))
  expect(peak - before).toBeLessThan(BOUND)
})

test('nothing of all this was an unexpected error', () => {
  expect(sidecar.exitCode).toBeNull()
  expect(stderr).not.toMatch(/^\s+at /m)
})

function listen(server: Server | TcpServer): Promise<number> {
  return new Promise(resolve =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  )
}

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(listener, '127.0.0.1', () => resolve(socket))
    socket.on('error', reject)
  })
}

/** Everything that comes back until the other side hangs up, or half a second of silence. */
async function raw(bytes: string): Promise<string> {
  const socket = await open()
  socket.removeAllListeners('error')
  socket.on('error', () => {})
  socket.write(Buffer.from(bytes, 'latin1'))
  return new Promise(resolve => {
    let text = ''
    const done = () => {
      socket.destroy()
      resolve(text)
    }
    let silence = setTimeout(done, 20_000)
    socket.on('data', chunk => {
      text += chunk.toString('latin1')
      clearTimeout(silence)
      silence = setTimeout(done, 500)
    })
    socket.on('close', done)
  })
}

async function stillServes(): Promise<void> {
  expect(await raw('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 200 OK\r\n[\s\S]*fine$/,
  )
}

async function adminText(path: string): Promise<string> {
  try {
    return await (await fetch(`http://127.0.0.1:${admin}${path}`)).text()
  } catch {
    return ''
  }
}

async function stat(name: string): Promise<number> {
  return Number((await adminText(`/stats?filter=^${name.replaceAll('.', '\\.')}$`)).split(': ')[1])
}

/** Of clients; connections to upstreams may stay. */
async function nothingIsLeft(): Promise<void> {
  const gauges = ['downstream_cx_active', 'downstream_cx_rx_bytes_buffered', 'downstream_rq_active']
  const names = [...gauges.map(name => `http.in.${name}`), 'cluster.app.upstream_rq_active']
  const left = async () => {
    const open = clientSockets()
    const values = await Promise.all(names.map(async name => `${name}: ${await stat(name)}`))
    return [...values, `sockets: ${open}`].filter(text => !text.endsWith(': 0')).join(', ')
  }
  try {
    await eventually(async () => (await left()) === '')
  } catch {
    expect(await left()).toBe('')
  }
}

/** Connections of clients that the sidecar's process has, whatever its gauges say. (proc(5)) */
function clientSockets(): number {
  const fds = `/proc/${sidecar.pid}/fd`
  const own = new Set<string>()
  for (const fd of readdirSync(fds)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(join(fds, fd)))?.[1]
      if (inode !== undefined) own.add(inode)
    } catch {
      // Closed since.
    }
  }
  const local = `:${listener.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = readFileSync(`/proc/${sidecar.pid}/net/tcp`, 'utf8').trim().split('\n').slice(1)
  const rows = lines.map(line => line.trim().split(/\s+/))
  // Fields: local address 1, state 3 (0A listens), inode 9.
  return rows.filter(row => row[1]!.endsWith(local) && row[3] !== '0A' && own.has(row[9]!)).length
}

/** Bytes that differ from place to place: a piece lost, doubled or moved shows. */
function pattern(from: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at += 8) bytes.writeDoubleLE(from + at, Math.min(at, length - 8))
  return bytes
}

function hashOfPattern(length: number): string {
  const hash = createHash('sha256')
  for (let at = 0; at < length; at += 64 * 1024) hash.update(pattern(at, Math.min(64 * 1024, length - at)))
  return hash.digest('hex')
}

/** Descriptors of the sidecar's process, but for the connections to its upstreams, which it keeps on purpose. */
async function openHandles(): Promise<number> {
  const upstream = await Promise.all(['app', 'rude', 'zipkin'].map(name => stat(`cluster.${name}.upstream_cx_active`)))
  return readdirSync(`/proc/${sidecar.pid}/fd`).length - upstream.reduce((sum, one) => sum + one, 0)
}

function rss(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${sidecar.pid}/status`, 'utf8'))?.[1]) * 1024
}

async function eventually(look: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error('not within a minute')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
