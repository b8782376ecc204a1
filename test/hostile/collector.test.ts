import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, it } from 'vitest'

const COLLECTOR = fileURLToPath(new URL('../../apps/collector/src/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'hopscope-hostile-'))
const running = new Set<ChildProcess>()

interface Collector {
  port: number
  child: ChildProcess
  exit: Promise<number | null>
}

function launch(
  data: string,
  args: string[] = [],
): { child: ChildProcess; output: () => string; exit: Promise<number | null> } {
  const child = spawn(process.execPath, [COLLECTOR, '--port', '0', '--otlp-port', 'off', '--data', data, ...args])
  running.add(child)
  let output = ''
  child.stdout!.on('data', chunk => {
    output += chunk
  })
  child.stderr!.on('data', chunk => {
    output += chunk
  })
  const exit = new Promise<number | null>(resolve =>
    child.once('close', code => {
      running.delete(child)
      resolve(code)
    }),
  )
  return { child, output: () => output, exit }
}

async function start(data: string, args: string[] = []): Promise<Collector> {
  const { child, output, exit } = launch(data, args)
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout!.on('data', () => {
      const found = /:(\d+)\/zipkin\//.exec(output())
      if (found) resolve(Number(found[1]))
    })
    exit.then(code => reject(new Error(`the collector ended with ${code}: ${output()}`)))
  })
  return { port, child, exit }
}

function post(
  port: number,
  body: string | Buffer,
  headers: Record<string, string> = {},
  agent?: Agent,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/api/v2/spans',
      headers,
      ...(agent ? { agent } : {}),
    }
    const request = httpRequest(options, response => {
      let text = ''
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode!, text }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

const get = async (port: number, path: string): Promise<unknown> =>
  (await fetch(`http://127.0.0.1:${port}${path}`)).json()

afterEach(async () => {
  await Promise.all(
    [...running].map(child => {
      const closed = new Promise(resolve => child.once('close', resolve))
      child.kill('SIGKILL')
      return closed
    }),
  )
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('bodies', () => {
  it('that are bad are refused in words, and the collector goes on', async () => {
    const { port, child } = await start(join(folder, 'bodies'))
    const tenMiB = 10 * 1024 * 1024
    const cases: [body: string | Buffer, headers: Record<string, string>, status: number, text: RegExp][] = [
      ['GET / HTTP/1.1', {}, 400, /^Expected a JSON_V2 encoded list/],
      ['{"traceId":"1","id":"1"}', {}, 400, /^Expected a JSON_V2 encoded list/],
      ['[{"traceId":"xyz","id":"1"}]', {}, 400, /^xyz should be lower-hex encoded with no prefix/],
      [Buffer.alloc(tenMiB + 1, 0x5b), {}, 413, /^413 Request Entity Too Large$/],
      [gzipSync(Buffer.alloc(200 * 1024 * 1024, 0x20)), { 'content-encoding': 'gzip' }, 413, /inflates to more than/],
      [
        Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff]),
        { 'content-encoding': 'gzip' },
        400,
        /gunzip/,
      ],
      [`[{"traceId":"1","id":"1","tags":${'{"a":'.repeat(100_000)}`, {}, 400, /reading List<Span>/],
      ['['.repeat(1_000_000), {}, 400, /reading List<Span>/],
      [
        Buffer.from([0x0a, 0x05, 0x0a, 0x03, 1, 2, 3]),
        { 'content-type': 'application/x-protobuf' },
        400,
        /^Missing : id reading List<Span> from proto3$/,
      ],
    ]
    for (const [body, headers, status, text] of cases) {
      const answer = await post(port, body, headers)
      expect([answer.status, answer.text.slice(0, 200)]).toEqual([status, expect.stringMatching(text)])
      expect(answer.text).not.toMatch(/\n\s+at /)
    }
    expect((await post(port, '[{"traceId":"1","id":"1"}]')).status).toBe(202)
    const rss = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1]) / 1024
    expect(rss).toBeLessThan(600)
  })

  it('of 100 MB are refused by what they announce, before they are read', async () => {
    const { port } = await start(join(folder, 'huge'))
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () =>
        socket.write('POST /api/v2/spans HTTP/1.1\r\nHost: c\r\nContent-Length: 104857600\r\n\r\n['),
      )
      socket.on('data', chunk => resolve(chunk.toString()))
      socket.on('error', reject)
    })
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
  })

  /** Sends a body in chunks of 1 MiB until `enough`, or the collector hangs up. */
  async function sendChunks(
    port: number,
    enough: (heard: string) => boolean,
  ): Promise<{ heard: string; sent: number }> {
    let heard = ''
    let sent = 0
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    socket.on('data', data => {
      heard += data
    })
    socket.write('POST /api/v2/spans HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n')
    const chunk = `100000\r\n${' '.repeat(0x100000)}\r\n`
    while (!enough(heard) && socket.writable) {
      // On an error as well: the connection is gone then.
      await new Promise(resolve => socket.write(chunk, resolve))
      sent++
    }
    socket.destroy()
    return { heard, sent }
  }

  it('without a length are refused at the limit, and the sender hears of it', async () => {
    const { port } = await start(join(folder, 'chunked'))
    const { heard } = await sendChunks(port, heard => heard !== '')
    expect(heard).toMatch(/^HTTP\/1\.1 413 /)
    expect((await post(port, '[]')).status).toBe(202)
  })

  it('without an end are hung up on', async () => {
    const { port } = await start(join(folder, 'endless'))
    const { heard, sent } = await sendChunks(port, () => false)
    expect(heard).toMatch(/^HTTP\/1\.1 413 /)
    // What is allowed, what is thrown away, and what stands in buffers on the way.
    expect(sent).toBeGreaterThan(64)
    expect(sent).toBeLessThan(150)
    expect((await post(port, '[]')).status).toBe(202)
  })

  it('with keys named like what objects inherit are stored as they are', async () => {
    const { port } = await start(join(folder, 'prototype'))
    const tags = '{"__proto__":"polluted","constructor":"c","hasOwnProperty":"h","toString":"t","prototype":"p"}'
    const body = `[{"traceId":"1","id":"1","timestamp":1600000000000000,"__proto__":{"debug":true},"localEndpoint":{"serviceName":"__proto__"},"tags":${tags}}]`
    expect((await post(port, body)).status).toBe(202)
    const text = await (await fetch(`http://127.0.0.1:${port}/api/v2/trace/1`)).text()
    expect(text).toContain('"__proto__":"polluted"')
    expect(text).not.toContain('debug')
    expect(await get(port, '/api/v2/services')).toEqual(['__proto__'])
    const window = 'endTs=1600000000001&lookback=10'
    expect(await get(port, `/api/v2/traces?${window}&annotationQuery=__proto__%3Dpolluted`)).toHaveLength(1)
    expect(await get(port, `/api/v2/traces?${window}&annotationQuery=valueOf`)).toEqual([])
    expect(await get(port, `/api/v2/traces?${window}&serviceName=__proto__&spanName=constructor`)).toEqual([])
    expect(await get(port, '/api/v2/spans?serviceName=constructor')).toEqual([])
    expect(await get(port, '/api/v2/autocompleteValues?key=__proto__')).toEqual([])
  })
})

describe('kill -9 while spans pour in', () => {
  it('loses none that was acknowledged', async () => {
    const data = join(folder, 'killed')
    const acknowledged: string[] = []
    let next = 1
    for (let round = 0; round < 3; round++) {
      const { port, child, exit } = await start(data)
      const agent = new Agent({ keepAlive: true })
      const before = acknowledged.length
      let dead = false
      const reporters = Array.from({ length: 8 }, async () => {
        while (!dead) {
          const ids = Array.from({ length: 20 }, () => (next++).toString(16).padStart(16, '0'))
          const spans = ids.map(id => ({ traceId: id, id, timestamp: 1_600_000_000_000_000, tags: { id } }))
          const answer = await post(port, JSON.stringify(spans), {}, agent).catch(() => undefined)
          if (answer?.status === 202) acknowledged.push(...ids)
          else if (answer === undefined) return
        }
      })
      while (acknowledged.length < before + 1000) await new Promise(resolve => setTimeout(resolve, 5))
      child.kill('SIGKILL')
      await exit
      dead = true
      await Promise.all(reporters)
      agent.destroy()
    }
    const { port } = await start(data)
    let found = 0
    for (let at = 0; at < acknowledged.length; at += 400) {
      const ids = acknowledged.slice(at, at + 400)
      // At least two ids are wanted.
      const traces = (await get(port, `/api/v2/traceMany?traceIds=${[...ids, 'feedfeedfeed'].join(',')}`)) as {
        id: string
        tags: { id: string }
      }[][]
      expect(traces.every(([span]) => span!.tags.id === span!.id)).toBe(true)
      found += traces.length
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(3000)
    expect(found).toBe(acknowledged.length)
  })
})

describe('a start', () => {
  const refused = async (data: string, args: string[] = []): Promise<string> => {
    const { output, exit } = launch(data, args)
    expect(await exit).toBe(1)
    expect(output().trimEnd().split('\n'), output()).toHaveLength(1)
    return output()
  }

  it.each([
    [
      'of notes',
      Buffer.from('my notes, not a database\n'.repeat(9)),
      /is not a span database: it begins with "my notes/,
    ],
    ['of an empty header', Buffer.from('SQLite format 3\0'), /is cut off: 16 bytes/],
    [
      'of another application',
      Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(8192)]),
      /another application/,
    ],
  ])('on a file %s says so in one line and leaves it alone', async (name, content, text) => {
    const data = join(folder, name.replaceAll(' ', '-'))
    mkdirSync(data)
    writeFileSync(join(data, 'spans.db'), content)
    const digest = (): string =>
      createHash('sha256')
        .update(readFileSync(join(data, 'spans.db')))
        .digest('hex')
    const before = digest()
    expect(await refused(data)).toMatch(text)
    expect(digest()).toBe(before)
    expect(readdirSync(data)).toEqual(['spans.db'])
  })

  it('beside a collector on the same folder says so', async () => {
    const data = join(folder, 'shared')
    const first = await start(data)
    expect(await refused(data)).toMatch(/spans\.db is in use by another process/)
    expect((await post(first.port, '[{"traceId":"1","id":"1"}]')).status).toBe(202)
  })

  it.each(['--port', '--otlp-port', '--otlp-grpc-port'])('on a port that is taken names it and %s', async flag => {
    const blocker = createServer()
    await new Promise<void>(resolve => blocker.listen(0, '127.0.0.1', resolve))
    const { port } = blocker.address() as { port: number }
    const data = join(folder, `taken${flag}`)
    expect(await refused(data, [flag, String(port)])).toMatch(
      new RegExp(`^collector: port ${port} on 127\\.0\\.0\\.1 is in use; choose another with ${flag} `),
    )
    await new Promise(resolve => blocker.close(resolve))
  })

  it.each([
    ['/proc/hopscope', /\/proc\/hopscope\/spans\.db cannot be opened \(ENOENT/],
    ['/dev/null/hopscope', /\/dev\/null\/hopscope\/spans\.db cannot be opened \(ENOTDIR/],
  ])('on %s, which cannot be a folder, says so', async (data, text) => {
    expect(await refused(data)).toMatch(text)
  })

  it('with a flag that is none says so', async () => {
    expect(await refused(join(folder, 'flag'), ['--prot', '1'])).toMatch(
      /Unknown option '--prot'; --help lists the flags/,
    )
  })
})

it('SIGTERM answers what is in flight, then ends with 0', async () => {
  const data = join(folder, 'term')
  const { port, child, exit } = await start(data)
  const body = '[{"traceId":"77","id":"1","timestamp":1600000000000000}]'
  let heard = ''
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.on('data', chunk => {
    heard += chunk
  })
  socket.write(
    `POST /api/v2/spans HTTP/1.1\r\nHost: c\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
  )
  await expect.poll(() => heard).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
  child.kill('SIGTERM')
  // It has begun to end when it takes no connections any more.
  await expect.poll(() => connects(port)).toBe(false)
  socket.write(body.slice(5))
  await expect.poll(() => heard).toMatch(/HTTP\/1\.1 202 /)
  expect(await exit).toBe(0)
  const again = await start(data)
  expect(await get(again.port, '/api/v2/trace/77')).toHaveLength(1)
})

function connects(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
