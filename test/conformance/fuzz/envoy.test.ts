import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom, mutate, REQUESTS, RESPONSES } from '@hopscope/proxy/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootstrap } from '../envoy/harness/config.ts'
import { HttpReader } from '../envoy/harness/http-reader.ts'
import { findEnvoy, type ProgramName, type Running, startProgram } from '../envoy/harness/program.ts'
import { freePorts } from '../free-ports.ts'

/**
 * Mutated bytes through the real Envoy and through ours. Where both pass a message on it is the same message, and ours passes on
 * nothing that Envoy does not. Longer: HOPSCOPE_FUZZ_CASES=20000 HOPSCOPE_FUZZ_SEED=7 npm test -- conformance fuzz
 */
const CASES = Number(process.env.HOPSCOPE_FUZZ_CASES ?? 300)
const SEED = Number(process.env.HOPSCOPE_FUZZ_SEED ?? 1)
const AT_ONCE = 10
const TIMEOUT = 120_000 + CASES * 200
/** Milliseconds without a byte after which an exchange is taken for over; the others are for those that seem to disagree. */
const SILENCE = [150, 1_500, 8_000] as const

const OWN = 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nown'
const PROGRAMS: ProgramName[] = ['envoy', 'hopscope']
const ports = {} as Record<ProgramName, number>
const running: Running[] = []
const folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
/** What an upstream of the second test says to a request, by the number in its path. */
const answers: string[] = []

/** Says what it was asked, in its answer; what it cannot read it answers 400. */
const reader = createServer((request, response) => {
  const hash = createHash('sha1')
  request.on('data', chunk => hash.update(chunk))
  request.on('end', () => {
    const { method, url, headers } = request
    response.end(JSON.stringify([method, url, headers.host, hash.digest('hex').slice(0, 8)]))
  })
  request.on('error', () => response.destroy())
})

const speaker = createTcpServer(socket => {
  let text = ''
  socket.on('error', () => {})
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
    if (!text.includes('\r\n\r\n')) return
    const [, number = 'own'] = /\/says\/(\d+)/.exec(text) ?? []
    text = ''
    // Left open, so that it would be used again if ours did not know better.
    socket.write(Buffer.from(number === 'own' ? OWN : answers[Number(number)]!, 'latin1'))
  })
})

const listen = (server: typeof reader | typeof speaker) =>
  new Promise<number>(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })

describe.skipIf(findEnvoy() === undefined)('mutated bytes, beside the real Envoy', () => {
  beforeAll(async () => {
    const upstream = { app: await listen(reader), speaker: await listen(speaker) }
    for (const name of PROGRAMS) {
      const [listener, admin] = (await freePorts(2)) as [number, number]
      const options = {
        hcm: { access_log: [], http_protocol_options: { accept_http_10: true } },
        routes: [
          { match: { prefix: '/says/' }, route: { cluster: 'speaker' } },
          { match: { prefix: '/' }, route: { cluster: 'app' } },
        ],
      }
      const file = join(folder, `${name}.json`)
      writeFileSync(file, JSON.stringify(bootstrap(options, { listener, admin, collector: 1, dead: 1, upstream }, '')))
      running.push(await startProgram(name, file, admin))
      ports[name] = listener
    }
  })
  afterAll(async () => {
    await Promise.all(running.map(program => program.stop()))
    reader.closeAllConnections()
    reader.close()
    speaker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Status and body of each final answer. */
  function exchange(name: ProgramName, bytes: string, silence: number): Promise<string[]> {
    return new Promise(resolve => {
      const messages = new HttpReader('response')
      const got: string[] = []
      const keep = (list: ReturnType<HttpReader['push']>) => {
        for (const { head, body } of list) {
          const status = head[0]!.split(' ')[1]!
          if (!status.startsWith('1')) got.push(`${status} ${body}`)
        }
      }
      const socket = connect(ports[name], '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')))
      const done = () => {
        keep(messages.end())
        socket.destroy()
        resolve(got)
      }
      socket.setTimeout(silence, done)
      socket.on('data', chunk => keep(messages.push(chunk)))
      socket.on('end', done)
      socket.on('error', done)
    })
  }

  /** Why the two must not both be let be; undefined: they may. */
  function disagreement(envoy: readonly string[], ours: readonly string[]): string | undefined {
    for (let i = 0; i < Math.max(envoy.length, ours.length); i++) {
      const [a, b] = [envoy[i], ours[i]]
      if (b === undefined)
        return ours.length > 0 || a === undefined || !a.startsWith('200') ? undefined : 'no answer from ours'
      // Refused, or broken off where the message breaks: nobody takes that for a whole one.
      if (!b.startsWith('200') || b.startsWith('200 (cut off)')) return undefined
      if (a !== b) return `answer ${i} differs`
    }
    return undefined
  }

  async function compare(i: number, bytes: string): Promise<string | undefined> {
    let problem: string | undefined
    for (const silence of SILENCE) {
      const [envoy, ours] = await Promise.all(PROGRAMS.map(name => exchange(name, bytes, silence)))
      const reason = disagreement(envoy!, ours!)
      if (reason === undefined) return undefined
      problem = `case ${i}: ${reason}\n${JSON.stringify(bytes)}\nEnvoy: ${JSON.stringify(envoy)}\nours: ${JSON.stringify(ours)}`
    }
    return problem
  }

  async function all(check: (i: number) => Promise<string | undefined>): Promise<string[]> {
    const problems: string[] = []
    let next = 0
    const work = async () => {
      while (next < CASES) {
        const problem = await check(next++)
        if (problem !== undefined) problems.push(problem)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return problems
  }

  test('requests', { timeout: TIMEOUT }, async () => {
    const random = createRandom(SEED)
    const cases = Array.from({ length: CASES }, (_, i) => mutate(REQUESTS[i % REQUESTS.length]!, REQUESTS, random))
    expect(await all(i => compare(i, cases[i]!))).toEqual([])
  })

  test('responses; the next client gets its own', { timeout: TIMEOUT }, async () => {
    const random = createRandom(SEED + 1)
    for (let i = 0; i < CASES; i++) answers[i] = mutate(RESPONSES[i % RESPONSES.length]!, RESPONSES, random)
    const problems = await all(async i => {
      // A second answer behind a whole one: Envoy refuses both when one read brings them, ours passes on the first and closes.
      if (answers[i]!.split('HTTP/1.').length > 2) return ownAnswer(i)
      const problem = await compare(i, `GET /says/${i} HTTP/1.1\r\nhost: a\r\n\r\n`)
      return problem === undefined ? ownAnswer(i) : `${problem}\nanswered: ${JSON.stringify(answers[i])}`
    })
    expect(problems).toEqual([])

    /** After one that may have left something behind: of the same upstream, which leaves its connections open. */
    async function ownAnswer(i: number): Promise<string | undefined> {
      await exchange('hopscope', `GET /says/${i} HTTP/1.1\r\nhost: a\r\n\r\n`, SILENCE[0])
      const [own] = await exchange('hopscope', 'GET /says/own HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 5_000)
      // Or none at all, when what was left over came in between.
      return own === '200 own' || own?.startsWith('503 ') ? undefined : `case ${i}: the next client got ${own}`
    }
  })
})
