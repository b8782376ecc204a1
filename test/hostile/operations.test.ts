import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'

const COLLECTOR = fileURLToPath(new URL('../../apps/collector/src/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'hopscope-operations-'))
const running = new Set<ChildProcess>()
const isRoot = process.getuid?.() === 0
const NOBODY = 65534
const TIMESTAMP = 1_600_000_000_000_000

afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Collector {
  port: number
  child: ChildProcess
  exit: Promise<number | null>
  output: () => string
}

/** Resolves when it listens, or has ended. */
async function start(data: string, environment: Record<string, string> = {}, options: object = {}): Promise<Collector> {
  const child = spawn(process.execPath, [COLLECTOR, '--port', '0', '--otlp-port', 'off', '--data', data], {
    env: { ...process.env, ...environment },
    ...options,
  })
  running.add(child)
  let output = ''
  child.stderr!.on('data', chunk => {
    output += chunk
  })
  const exit = new Promise<number | null>(resolve =>
    child.once('close', code => {
      running.delete(child)
      resolve(code)
    }),
  )
  const port = new Promise<number>(resolve =>
    child.stdout!.on('data', chunk => {
      output += chunk
      const found = /:(\d+)\/zipkin\//.exec(output)?.[1]
      if (found) resolve(Number(found))
    }),
  )
  return { port: await Promise.race([port, exit.then(() => 0)]), child, exit, output: () => output }
}

/** Status and text; undefined: no answer came. */
function ask(
  port: number,
  path: string,
  body?: string,
  agent?: Agent,
): Promise<{ status: number; text: string } | undefined> {
  return new Promise(resolve => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const method = body === undefined ? 'GET' : 'POST'
    const request = httpRequest(
      { host: '127.0.0.1', port, path, method, headers, ...(agent && { agent }) },
      response => {
        let text = ''
        response.on('data', chunk => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode!, text }))
        response.on('error', () => resolve(undefined))
      },
    )
    request.on('error', () => resolve(undefined))
    request.end(body)
  })
}

const idOf = (n: number): string => n.toString(16).padStart(16, '0')

/** What /prometheus says of the spans of each transport. */
async function outcomes(port: number): Promise<Record<string, Record<string, number>>> {
  const { text } = (await ask(port, '/prometheus'))!
  const result: Record<string, Record<string, number>> = {}
  for (const [, outcome, transport, value] of text.matchAll(
    /^hopscope_collector_spans_(\w+)_total\{transport="(\w+)"\} (\d+)$/gm,
  )) {
    result[transport!] = { ...result[transport!], [outcome!]: Number(value) }
  }
  return result
}

describe('the arithmetic', () => {
  it('accepted = stored + rejected + dropped, at every moment of a load that is partly refused', async () => {
    const { port, child, exit } = await start(join(folder, 'arithmetic'), {
      HOPSCOPE_MAX_PENDING_BYTES: '40000',
      HOPSCOPE_MAX_REQUEST_SPANS: '150',
      COLLECTOR_SAMPLE_RATE: '0.5',
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 24 })
    let next = 1
    /** As the sender knows it: spans of messages that were answered with success, and those that OTLP named. */
    const known = { http: 0, otlp: 0, rejected: 0 }
    const statuses = new Map<number, number>()
    const zipkin = (count: number): string =>
      JSON.stringify(
        Array.from({ length: count }, () => ({
          traceId: idOf(Math.floor(Math.random() * 2 ** 48) * 65_536 + 1),
          id: idOf(next++),
          timestamp: TIMESTAMP,
        })),
      )
    const otlp = (count: number): string =>
      JSON.stringify({
        resourceSpans: [
          {
            scopeSpans: [
              {
                spans: Array.from({ length: count }, (_, i) => ({
                  traceId: i % 4 === 0 ? 'bad' : `${idOf(7)}${idOf(next)}`,
                  spanId: idOf(next++),
                })),
              },
            ],
          },
        ],
      })
    const sender = async (kind: number): Promise<void> => {
      for (let i = 0; i < 40; i++) {
        const isOtlp = (i + kind) % 3 === 0
        const count = [100, 8, 20, 151][(i + kind) % 4]!
        const body = (i + kind) % 7 === 0 ? '[{"traceId":"1"}]' : isOtlp ? otlp(count) : zipkin(count)
        const answer = (await ask(port, isOtlp ? '/v1/traces' : '/api/v2/spans', body, agent))!
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        if (answer.status === 202) known.http += count
        if (answer.status === 200) {
          const rejected = Number(JSON.parse(answer.text).partialSuccess?.rejectedSpans ?? 0)
          if (body.includes('resourceSpans')) known.otlp += count
          known.rejected += rejected
        }
      }
    }
    let isSending = true
    const watched = (async () => {
      let looks = 0
      while (isSending) {
        for (const { accepted, stored, rejected, dropped } of Object.values(await outcomes(port))) {
          expect(accepted).toBe(stored! + rejected! + dropped!)
        }
        looks++
      }
      return looks
    })()
    await Promise.all(Array.from({ length: 24 }, (_, kind) => sender(kind)))
    isSending = false
    expect(await watched).toBeGreaterThan(3)
    agent.destroy()

    // Every kind of answer was among them.
    for (const status of [200, 202, 400, 413, 503]) expect(statuses.get(status) ?? 0, `${status}`).toBeGreaterThan(0)
    const { http, otlp: overOtlp } = await outcomes(port)
    expect([http!.accepted, overOtlp!.accepted, overOtlp!.rejected]).toEqual([known.http, known.otlp, known.rejected])
    expect(http!.dropped).toBeGreaterThan(0)
    const { text } = (await ask(port, '/prometheus'))!
    const inStore = Number(/^hopscope_store_spans (\d+)$/m.exec(text)?.[1])
    expect(inStore).toBe(http!.stored! + overOtlp!.stored!)
    child.kill('SIGTERM')
    expect(await exit).toBe(0)
  }, 120_000)
})

describe('SIGTERM in the middle of a load', () => {
  it('ends with 0; what was acknowledged is there, and nothing that was not is there in part', async () => {
    const data = join(folder, 'terminated')
    const { port, child, exit } = await start(data)
    const agent = new Agent({ keepAlive: true })
    const acknowledged: number[] = []
    const others: number[] = []
    let next = 1
    const senders = Array.from({ length: 8 }, async () => {
      for (;;) {
        const n = next++
        const spans = Array.from({ length: 20 }, (_, i) => ({
          traceId: idOf(n),
          id: idOf(i + 1),
          timestamp: TIMESTAMP,
        }))
        const answer = await ask(port, '/api/v2/spans', JSON.stringify(spans), agent)
        if (answer?.status === 202) acknowledged.push(n)
        else others.push(n)
        if (answer === undefined) return
      }
    })
    while (acknowledged.length < 200) await new Promise(resolve => setTimeout(resolve, 5))
    child.kill('SIGTERM')
    expect(await exit).toBe(0)
    await Promise.all(senders)
    agent.destroy()
    const again = await start(data)
    const sizeOf = async (n: number): Promise<number> => {
      const { status, text } = (await ask(again.port, `/api/v2/trace/${idOf(n)}`))!
      return status === 200 ? JSON.parse(text).length : 0
    }
    for (const n of acknowledged) expect(await sizeOf(n)).toBe(20)
    for (const n of others) expect([0, 20]).toContain(await sizeOf(n))
  }, 120_000)
})

describe('a start on a folder that cannot be written', () => {
  it.skipIf(!isRoot)(
    'says so in one line and ends with 1, whether it is empty or has spans',
    async () => {
      const data = join(folder, 'read-only')
      chmodSync(folder, 0o755)
      const { port, child, exit } = await start(data)
      expect((await ask(port, '/api/v2/spans', '[{"traceId":"1","id":"1"}]'))!.status).toBe(202)
      child.kill('SIGTERM')
      await exit
      const empty = join(folder, 'read-only-empty')
      mkdirSync(empty)
      for (const place of [data, empty]) {
        chownSync(place, 0, 0)
        chmodSync(place, 0o555)
        const before = readdirSync(place)
        // As nobody: root may write everything.
        const refused = await start(place, {}, { uid: NOBODY, gid: NOBODY })
        expect(refused.port).toBe(0)
        expect(await refused.exit).toBe(1)
        const lines = refused.output().trim().split('\n')
        expect(lines).toHaveLength(1)
        expect(lines[0]).toMatch(/^collector: .*(read-only|permission|cannot be)/i)
        expect(lines[0]).toContain(place)
        expect(readdirSync(place)).toEqual(before)
      }
      // And when it may be written again, what was there is there.
      chmodSync(data, 0o755)
      const again = await start(data)
      expect((await ask(again.port, '/api/v2/trace/1'))!.status).toBe(200)
    },
    60_000,
  )
})
