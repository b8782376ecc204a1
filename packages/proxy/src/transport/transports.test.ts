import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { chooseTransports } from './choose-transports.ts'
import { createHandleTransports } from './handle-transport.ts'
import { slab } from './slab.ts'
import { socketTransports } from './socket-transport.ts'
import type { Transport } from './transport.ts'
import { type BoundPort, NOBODY, type Transports } from './transports.ts'
import { loadUv } from './uv.ts'

/** Both must do the same. */
const ALL: Transports[] = [socketTransports, createHandleTransports(loadUv()!)]

const open: { close(): unknown }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

/** A Node server, and what it got. */
async function peer(onConnection: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {})
    open.push({ close: () => socket.destroy() })
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  open.push(server)
  await new Promise(resolve => server.once('listening', resolve))
  return (server.address() as AddressInfo).port
}

/** What a handler heard, in words; resolves when it hears `last`. */
function listener(last: string, more: { onConnect?(): void } = {}) {
  const heard: string[] = []
  let bytes = ''
  let done: (heard: string[]) => void
  const all = new Promise<string[]>(resolve => {
    done = resolve
  })
  const hear = (word: string) => {
    heard.push(word)
    if (word.startsWith(last)) done(heard)
  }
  const handler = {
    onConnect() {
      hear('connect')
      more.onConnect?.()
    },
    onData(chunk: Buffer) {
      bytes += chunk.toString('latin1')
      if (heard.at(-1) !== 'data') hear('data')
    },
    onDrain: () => hear('drain'),
    onEnd: () => hear('end'),
    onClose: (error: NodeJS.ErrnoException | undefined) => hear(`close ${error?.code ?? ''}`.trim()),
  }
  return { handler, heard, all, bytes: () => bytes }
}

/** Of a connection, as Linux tells it in /proc/net/tcp; others may begin at the same port. */
function hasKeepAliveTimer({ localAddress, remoteAddress }: Transport): boolean {
  const inHex = (address: string) => Number(address.split(':')[1]).toString(16).toUpperCase().padStart(4, '0')
  const ends = [localAddress, remoteAddress].map(inHex)
  const lines = readFileSync('/proc/self/net/tcp', 'utf8').split('\n')
  const fields = lines
    .map(line => line.trim().split(/\s+/))
    .find(([, from, to]) => from === `0100007F:${ends[0]}` && to === `0100007F:${ends[1]}`)
  return fields![5]!.startsWith('02:')
}

const NOTHING = (): void => {}

/** Connections that the kernel holds for whoever listens there. */
function waitingAt(port: number): number {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n')
  const LISTEN = '0A'
  const queues = lines
    .map(line => line.trim().split(/\s+/))
    .find(fields => fields[1] === local && fields[3] === LISTEN)?.[4]
  return Number.parseInt(queues?.split(':')[1] ?? '', 16)
}

describe.each(ALL)('$name', transports => {
  test.each(['a path', 'an abstract name'])(
    'carries bytes over a Unix socket at %s, which has no addresses',
    async where => {
      const folder = mkdtempSync(join(tmpdir(), 'transports-'))
      open.push({ close: () => rmSync(folder, { recursive: true }) })
      const file = join(folder, 'peer.sock')
      const server = createServer(socket => socket.on('data', chunk => socket.end(`heard ${chunk.length}`)))
      open.push(server)
      server.listen(where === 'a path' ? file : `\0${file}`)
      await new Promise(resolve => server.once('listening', resolve))
      const { handler, all, bytes } = listener('end', { onConnect: () => void transport.write('caf\u00e9') })
      const transport = transports.connectPipe(where === 'a path' ? file : `@${file}`, 1024, handler)
      open.push({ close: () => transport.destroy() })
      expect(await all).toEqual(['connect', 'data', 'end'])
      expect(bytes()).toBe('heard 4')
      expect([transport.localAddress, transport.remoteAddress]).toEqual(['', ''])
    },
  )

  test.skipIf(process.platform !== 'linux')('a burst of connections waits, all of it', async () => {
    const bound = await transports.listen({ ip: '127.0.0.1', port: 0, highWaterMark: 1024, reusePort: false }, NOTHING)
    open.push(bound)
    // All in one turn of this process, so that none is accepted meanwhile.
    const clients = Array.from({ length: 300 }, () => connect(bound.port, '127.0.0.1'))
    open.push(...clients.map(client => ({ close: () => client.destroy() })))
    await new Promise<void>(resolve => process.nextTick(resolve))
    expect(waitingAt(bound.port)).toBe(300)
  })

  test('what is taken while a read is heard stays as it is when the slab was full and was replaced', async () => {
    const port = await peer(socket => socket.end('heard'))
    // So that the read is the last that fits.
    slab.take(slab.bytes.length - slab.at)
    slab.makeRoom(1)
    slab.take(slab.bytes.length - slab.at - 'heard'.length)
    const taken: Buffer[] = []
    const take = (letter: string) => {
      slab.makeRoom('heard'.length)
      taken.push(slab.take('heard'.length).fill(letter))
    }
    const handler = { ...NOBODY, held: 0 }
    const ended = new Promise<void>(resolve => {
      handler.onData = () => take('a')
      handler.onEnd = resolve
    })
    const transport = transports.connect('127.0.0.1', port, 1024, handler)
    open.push({ close: () => transport.destroy() })
    await ended
    take('b')
    expect(taken.map(String)).toEqual(['aaaaa', 'bbbbb'])
  })

  test('says why there is no Unix socket', async () => {
    const { handler, all } = listener('close')
    transports.connectPipe(join(tmpdir(), 'hopscope-no-such.sock'), 1024, handler)
    expect(await all).toEqual(['close ENOENT'])
  })

  test('says whom it is connected to, and carries text and bytes both ways', async () => {
    const port = await peer(socket =>
      socket.on('data', chunk => socket.end(Buffer.concat([chunk, Buffer.from([0xff])]))),
    )
    const { handler, all, bytes } = listener('end', {
      onConnect: () => {
        transport.write('caf\u00e9 ')
        transport.write(Buffer.from([0, 0xfe]))
      },
    })
    const transport: Transport = transports.connect('127.0.0.1', port, 1000, handler)
    expect([transport.localAddress, transport.remoteAddress]).toEqual(['', ''])
    expect(await all).toEqual(['connect', 'data', 'end'])
    expect(bytes()).toMatch(/^caf\u00e9 /)
    expect(bytes().endsWith('\xff')).toBe(true)
    expect(transport.localAddress).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(transport.remoteAddress).toBe(`127.0.0.1:${port}`)
    transport.destroy()
  })

  test('begins at the address that it is told, or says that it cannot be had', async () => {
    const callers: (string | undefined)[] = []
    const port = await peer(socket => {
      callers.push(socket.remoteAddress)
      socket.end()
    })
    const { handler, all } = listener('end')
    const transport = transports.connect('127.0.0.1', port, 1024, handler, { from: { address: '127.0.0.2', port: 0 } })
    open.push({ close: () => transport.destroy() })
    await all
    expect(callers).toEqual(['127.0.0.2'])
    expect(transport.localAddress).toMatch(/^127\.0\.0\.2:\d+$/)

    const failure = (ip: string, address: string, fromPort = 0) =>
      new Promise(resolve => {
        const onClose = (error?: NodeJS.ErrnoException) => resolve([error?.syscall, error?.code])
        transports.connect(ip, port, 1024, { ...NOBODY, onClose }, { from: { address, port: fromPort } })
      })
    expect(await failure('127.0.0.1', '192.0.2.1')).toEqual(['bind', 'EADDRNOTAVAIL'])
    expect(await failure('127.0.0.1', '127.0.0.1', port)).toEqual(['bind', 'EADDRINUSE'])
    expect(await failure('127.0.0.1', '::1')).toEqual(['bind', 'EAFNOSUPPORT'])
    expect(await failure('::1', '127.0.0.1')).toEqual(['bind', 'EINVAL'])
    expect(callers).toHaveLength(1)
  })

  // How often is read from outside, by the conformance suite: older Nodes can only be told when to begin.
  test.skipIf(process.platform !== 'linux')('asks a silent peer whether it is there, when it is told to', async () => {
    const port = await peer(() => {})
    const asked = async (keepAlive?: { time: number; interval: number; probes: number }) => {
      const { handler, all } = listener('connect')
      const transport = transports.connect('127.0.0.1', port, 1024, handler, { keepAlive })
      open.push({ close: () => transport.destroy() })
      await all
      return hasKeepAliveTimer(transport)
    }
    expect(await asked()).toBe(false)
    expect(await asked({ time: 300, interval: 20, probes: 4 })).toBe(true)
  })

  test('a refused connection: closed, with its code, and not at once', async () => {
    const { handler, heard, all } = listener('close')
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise(resolve => server.close(resolve))
    transports.connect('127.0.0.1', port, 1000, handler)
    expect(heard).toEqual([])
    expect(await all).toEqual(['close ECONNREFUSED'])
  })

  test('an address that cannot be had rejects with its code', async () => {
    const port = await peer(() => {})
    const options = { ip: '127.0.0.1', port, highWaterMark: 1000, reusePort: false }
    await expect(transports.listen(options, () => {})).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await expect(transports.listen({ ...options, ip: '192.0.2.1', port: 0 }, () => {})).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
    })
  })

  test('IPv6, where there is one', async () => {
    const bound = await transports
      .listen({ ip: '::1', port: 0, highWaterMark: 1000, reusePort: false }, accepted => {
        accepted.handler = { ...NOBODY, onData: () => accepted.write(accepted.remoteAddress) }
      })
      .catch(error => error.code)
    if (bound === 'EADDRNOTAVAIL' || bound === 'EAFNOSUPPORT') return
    open.push(bound)
    const { handler, all, bytes } = listener('data', { onConnect: () => transport.write('x') })
    const transport: Transport = transports.connect('::1', bound.port, 1000, handler)
    await all
    expect(bytes()).toBe(transport.localAddress)
    expect(bytes()).toMatch(/^\[::1\]:\d+$/)
    transport.destroy()
  })

  test.each([
    { ipv6Only: false, heard: /^127\.0\.0\.1:\d+$/ },
    { ipv6Only: true, heard: /^ECONNREFUSED$/ },
  ])('IPv4 at an IPv6 address that is for both, or not: $heard', async ({ ipv6Only, heard }) => {
    const bound = await transports
      .listen({ ip: '::', port: 0, highWaterMark: 1000, ipv6Only, reusePort: false }, accepted => {
        accepted.handler = { ...NOBODY, onData: () => accepted.write(accepted.remoteAddress) }
      })
      .catch(error => error.code)
    if (bound === 'EADDRNOTAVAIL' || bound === 'EAFNOSUPPORT') return
    open.push(bound)
    const text = await new Promise<string>(resolve => {
      const socket = connect(bound.port, '127.0.0.1', () => socket.write('x'))
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
      socket.on('data', bytes => {
        socket.destroy()
        resolve(bytes.toString())
      })
    })
    expect(text).toMatch(heard)
  })

  test('a peer that does not read: write says wait, and drain comes when it has read', async () => {
    let received = 0
    let slow: Socket | undefined
    const port = await peer(socket => {
      slow = socket
      socket.pause()
      socket.on('data', chunk => {
        received += chunk.length
      })
    })
    const { handler, heard, all } = listener('drain', {
      onConnect: () => {
        const piece = Buffer.alloc(1 << 20, 'x')
        let sent = 0
        while (transport.write(piece)) sent++
        expect(sent).toBeLessThan(100)
      },
    })
    const transport: Transport = transports.connect('127.0.0.1', port, 64 * 1024, handler)
    await expect.poll(() => slow).toBeDefined()
    expect(heard).toEqual(['connect'])
    slow!.resume()
    await all
    expect(received).toBeGreaterThanOrEqual(1 << 20)
    transport.destroy()
  })

  test('several pieces in one write, few or large, arrive whole and in order', async () => {
    const chunks: Buffer[] = []
    let ended = false
    const port = await peer(socket => {
      socket.on('data', chunk => chunks.push(chunk))
      socket.on('end', () => {
        ended = true
        socket.end()
      })
    })
    const large = Buffer.alloc(8 << 20, 'm')
    const { handler, all } = listener('close', {
      onConnect: () => {
        transport.writeAll(['he', Buffer.from('ad')], 4)
        transport.writeAll(['caf\u00e9', large], large.length + 4)
        // Joined while the kernel has not taken what is before it.
        transport.writeAll(['a', 'b'], 2)
        transport.writeAll(['c', Buffer.from('d')], 2)
        transport.write('tail')
        transport.end(0, () => {})
      },
    })
    const transport: Transport = transports.connect('127.0.0.1', port, 1000, handler)
    await all
    await expect.poll(() => ended).toBe(true)
    const all8 = Buffer.concat(chunks)
    expect(all8.length).toBe(large.length + 16)
    expect(all8.toString('latin1', 0, 9)).toBe('headcaf\u00e9m')
    expect(all8.toString('latin1', all8.length - 9)).toBe('mabcdtail')
  })

  test('bytes that are handed on as spent arrive unchanged, however slow who takes them', async () => {
    const total = 24 << 20
    const port = await peer(socket => {
      const source = Buffer.alloc(total)
      for (let at = 0; at < total; at += 4) source.writeUInt32LE(at, at)
      socket.end(source)
    })
    let received = 0
    let wrong = 0
    const sink = await peer(socket => {
      let begun = Buffer.alloc(0)
      socket.on('data', chunk => {
        const bytes = Buffer.concat([begun, chunk])
        const whole = bytes.length - (bytes.length % 4)
        for (let at = 0; at < whole; at += 4, received += 4) if (bytes.readUInt32LE(at) !== received) wrong++
        begun = bytes.subarray(whole)
        socket.pause()
        setImmediate(() => socket.resume())
      })
    })
    const to = transports.connect('127.0.0.1', sink, 64 * 1024, { ...NOBODY, onDrain: () => from.resume() })
    const from: Transport = transports.connect('127.0.0.1', port, 1000, {
      ...NOBODY,
      onData: chunk => {
        if (!to.write(chunk, true)) from.pause()
      },
    })
    await expect.poll(() => received, { timeout: 20_000 }).toBe(total)
    expect(wrong).toBe(0)
    from.destroy()
    to.destroy()
  })

  test('while it is paused nothing is heard, not even the end', async () => {
    const port = await peer(socket => socket.end('all of it'))
    const { handler, heard, all, bytes } = listener('end', { onConnect: () => transport.pause() })
    const transport: Transport = transports.connect('127.0.0.1', port, 1000, handler)
    await expect.poll(() => heard).toEqual(['connect'])
    await new Promise(resolve => setTimeout(resolve, 30))
    expect(heard).toEqual(['connect'])
    transport.resume()
    await all
    expect(bytes()).toBe('all of it')
    transport.destroy()
  })

  test('a peer that ends its half can still be written to', async () => {
    let received = ''
    const port = await peer(socket => {
      socket.end('bye')
      socket.on('data', chunk => {
        received += chunk
      })
    })
    const { handler, all } = listener('end')
    const transport = transports.connect('127.0.0.1', port, 1000, handler)
    await all
    transport.write('still here')
    await expect.poll(() => received).toBe('still here')
    transport.destroy()
  })

  test('a reset by the peer closes it, with its code', async () => {
    const port = await peer(socket => socket.on('data', () => socket.resetAndDestroy()))
    const { handler, all } = listener('close', { onConnect: () => transport.write('x') })
    const transport: Transport = transports.connect('127.0.0.1', port, 1000, handler)
    expect((await all).at(-1)).toBe('close ECONNRESET')
  })

  test('destroyed while it connects, or twice: closed once, later', async () => {
    const port = await peer(() => {})
    const { handler, heard, all } = listener('close')
    const transport = transports.connect('127.0.0.1', port, 1000, handler)
    transport.destroy()
    transport.destroy()
    expect(transport.write('x')).toBe(true)
    expect(heard).toEqual([])
    expect(await all).toEqual(['close'])
  })

  test('an end for a peer that takes nothing: given up after so long', async () => {
    const port = await peer(socket => socket.pause())
    let givenUp = 0
    const { handler, all } = listener('close', {
      onConnect: () => {
        const piece = Buffer.alloc(1 << 20)
        for (let i = 0; i < 32; i++) transport.write(piece)
        transport.end(50, () => givenUp++)
      },
    })
    const transport: Transport = transports.connect('127.0.0.1', port, 1000, handler)
    await all
    expect(givenUp).toBe(1)
  })

  test('an accepted connection: its handler may change at any time', async () => {
    const accepted: Transport[] = []
    const bound: BoundPort = await transports.listen(
      { ip: '127.0.0.1', port: 0, highWaterMark: 1000, reusePort: false },
      transport => {
        accepted.push(transport)
        transport.handler = {
          ...NOBODY,
          onData: chunk => {
            transport.write(`first ${chunk}`)
            transport.handler = { ...NOBODY, onData: next => void transport.write(`second ${next}`) }
          },
        }
      },
    )
    open.push(bound)
    const socket = connect(bound.port, '127.0.0.1')
    open.push({ close: () => socket.destroy() })
    const next = () => new Promise<string>(resolve => socket.once('data', chunk => resolve(chunk.toString())))
    socket.write('a')
    expect(await next()).toBe('first a')
    socket.write('b')
    expect(await next()).toBe('second b')
    expect(accepted[0]!.localAddress).toBe(`127.0.0.1:${bound.port}`)
    bound.close()
    socket.write('c')
    expect(await next()).toBe('second c')
    accepted[0]!.destroy()
  })

  test('at a Unix socket, with its mode, over what an older process has left there; both ends have its path', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'transports-'))
    const path = join(folder, 'in.sock')
    writeFileSync(path, 'old')
    const ends: string[] = []
    const bound = await transports.listenPipe({ path, mode: 0o620, highWaterMark: 1000 }, transport => {
      ends.push(transport.localAddress, transport.remoteAddress)
      transport.handler = { ...NOBODY, onData: chunk => void transport.write(`heard ${chunk}`) }
    })
    open.push(bound)
    expect(statSync(path).mode & 0o777).toBe(0o620)
    const socket = connect(path)
    open.push({ close: () => socket.destroy() })
    const heard = new Promise<string>(resolve => socket.once('data', chunk => resolve(chunk.toString())))
    socket.write('a')
    expect(await heard).toBe('heard a')
    expect(ends).toEqual([path, path])
    socket.destroy()
    bound.close()
    rmSync(folder, { recursive: true })
  })

  test('two on one port, when they say that they share it', async () => {
    if (process.platform !== 'linux') return
    const shared = { ip: '127.0.0.1', highWaterMark: 1000, reusePort: true }
    const first = await transports.listen({ ...shared, port: 0 }, () => {})
    open.push(first)
    const second = await transports.listen({ ...shared, port: first.port }, () => {})
    open.push(second)
    expect(second.port).toBe(first.port)
  })
})

test('the handles are chosen where they work, sockets when told so', async () => {
  expect((await chooseTransports('auto')).name).toBe('handle')
  expect((await chooseTransports('handle')).name).toBe('handle')
  expect((await chooseTransports('socket')).name).toBe('socket')
})
