import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApp } from './start-app.ts'

let server: Server
let url: string
let paths: string[] = []
let inFlight = 0
let mostInFlight = 0
/** Nobody is answered before so many wait for it: then all of them, a moment later, should more come. */
let together = 1
const waiting: (() => void)[] = []
/** Requests on a connection that brought one before: their sender has read the answer to that. */
let following = 0
const known = new WeakSet<Socket>()

beforeAll(async () => {
  server = createServer((request, response) => {
    paths.push(request.url!)
    if (known.has(request.socket)) following++
    known.add(request.socket)
    mostInFlight = Math.max(mostInFlight, ++inFlight)
    waiting.push(() => {
      inFlight--
      response.writeHead(request.url === '/bad' ? 503 : 200).end('ok')
    })
    if (waiting.length < together) return
    const answered = waiting.splice(0)
    setTimeout(() => {
      for (const answer of answered) answer()
    }, 20)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

async function client(argv: string[], env: Record<string, string> = {}, atOnce = 1) {
  paths = []
  mostInFlight = 0
  together = atOnce
  const app = startApp('client', { argv, env })
  const { code } = await app.ended
  return { code, output: app.output(), lines: app.output().trimEnd().split('\n') }
}

describe("Posta's client", () => {
  it('makes five calls in one thread, and says so in his words', async () => {
    const { code, lines } = await client([], { URL_UNDER_TEST: `${url}/get` })
    expect(code).toBe(0)
    expect(lines[0]).toMatch(/^pool-1-thread-1: successes=\[5\], failures=\[0\], duration=\[\d+ms\]$/)
    expect(lines[1]).toMatch(/^5 requests in .*: 5 × 200; p50 .* p90 .* p99 /)
    expect(paths).toEqual(new Array(5).fill('/get'))
    expect(mostInFlight).toBe(1)
  })

  it('reads variables, and flags over them', async () => {
    const env = { URL_UNDER_TEST: `${url}/bad`, NUM_THREADS: '2', NUM_CALLS_PER_CLIENT: '9', DELAY_BETWEEN_CALLS: '1' }
    const { output } = await client(['--calls', '3'], env)
    expect(output).toMatch(/pool-1-thread-1: successes=\[0\], failures=\[3\]/)
    expect(output).toMatch(/pool-1-thread-2: successes=\[0\], failures=\[3\]/)
    expect(paths).toHaveLength(6)
  })

  it('sends in batches when parallel', async () => {
    await client(['--url', url, '--parallel', '--batch', '4', '--calls', '8'], {}, 4)
    expect(paths).toHaveLength(8)
    expect(mostInFlight).toBe(4)
  })

  it('mixes response times', async () => {
    await client(['--url', `${url}/get`, '--mix', '--calls', '10'])
    expect(paths).toHaveLength(10)
    for (const path of paths) expect(path).toMatch(/^\/delay\/[0-4]$/)
  })

  it('counts a server that is not there as failures', async () => {
    const { code, lines } = await client(['--url', 'http://127.0.0.1:1/', '--calls', '2'])
    expect(code).toBe(0)
    expect(lines[0]).toMatch(/successes=\[0\], failures=\[2\]/)
    expect(lines[1]).toContain('2 × ECONNREFUSED')
  })
})

describe('the steady mode', () => {
  it('sends at its rate whether or not answers come', async () => {
    // Two are on their way before any has its answer.
    const { output } = await client(['--url', `${url}/get`, '--rate', '100', '--duration', '400ms', '--json'], {}, 2)
    const summary = JSON.parse(output)
    expect(summary).toMatchObject({ requests: 40, successes: 40, failures: 0, statuses: { '200': 40 } })
    expect(summary.latency.p50).toBeGreaterThanOrEqual(19)
    expect(summary.latency.p99).toBeLessThanOrEqual(summary.latency.max)
  })

  it('runs until a signal, then says how it went', async () => {
    following = 0
    together = 1
    const app = startApp('client', { argv: ['--url', url, '--rate', '50'] })
    await expect.poll(() => following).toBeGreaterThan(3)
    app.signal('SIGTERM')
    expect(await app.ended).toMatchObject({ code: 0 })
    expect(app.output()).toMatch(/^\d+ requests in .* × 200/)
  })
})

describe('bad input', () => {
  it.each([
    [[], {}, 'load: no URL: pass --url or set URL_UNDER_TEST\n'],
    [['--url', 'nowhere'], {}, "load: option '--url <url>' argument 'nowhere' is invalid. Expected an http:// URL.\n"],
    [
      ['--url', 'http://a/'],
      { NUM_THREADS: '0' },
      'load: NUM_THREADS: "0" is invalid. Expected a whole number from 1.\n',
    ],
    [['--url', 'http://a/', '--duration', '1s'], {}, 'load: --duration needs --rate\n'],
  ])('%j %j', async (argv, env, expected) => {
    const { code, output } = await client(argv, env)
    expect(output).toBe(expected)
    expect(code).toBe(64)
  })
})
