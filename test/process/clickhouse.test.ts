import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ChdbServer, skipReason } from '@hopscope/store/clickhouse/chdb-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const COLLECTOR = fileURLToPath(new URL('../../apps/collector/src/main.ts', import.meta.url))
const TIMESTAMP = 1_600_000_000_000_000
const WINDOW = `endTs=${TIMESTAMP / 1000 + 100_000}&lookback=200000`

interface Collector {
  address: string
  child: ChildProcess
  exit: Promise<unknown>
}

let engine: ChdbServer
const running = new Set<ChildProcess>()

function start(): Promise<Collector> {
  const child = spawn(process.execPath, [COLLECTOR, '--port', '0', '--otlp-port', 'off'], {
    env: { ...process.env, STORAGE_TYPE: 'clickhouse', CLICKHOUSE_URL: engine.url, CLICKHOUSE_DATABASE: 'shared' },
  })
  running.add(child)
  const exit = new Promise(resolve => child.once('exit', resolve)).finally(() => running.delete(child))
  let output = ''
  child.stderr.on('data', chunk => {
    output += chunk
  })
  return new Promise((resolve, reject) => {
    child.stdout.on('data', chunk => {
      output += chunk
      const port = /:(\d+)\/zipkin\//.exec(output)?.[1]
      if (port) resolve({ address: `http://127.0.0.1:${port}`, child, exit })
    })
    exit.then(() => reject(new Error(output)))
  })
}

/** A client's half and a server's half of one call, reported to different collectors. */
const half = (n: number, kind: 'CLIENT' | 'SERVER') => ({
  traceId: n.toString(16).padStart(16, '0'),
  id: kind === 'CLIENT' ? '1' : '2',
  ...(kind === 'SERVER' && { parentId: '1' }),
  kind,
  name: 'call',
  timestamp: TIMESTAMP + n * 1000,
  duration: 100,
  localEndpoint: { serviceName: kind === 'CLIENT' ? 'web' : 'app' },
})

const post = (address: string, spans: object[]): Promise<number | undefined> =>
  fetch(`${address}/api/v2/spans`, { method: 'POST', body: JSON.stringify(spans) }).then(
    ({ status }) => status,
    () => undefined,
  )
const get = async (address: string, path: string): Promise<unknown> => (await fetch(`${address}${path}`)).json()

describe.skipIf(skipReason)(`collectors before one ClickHouse${skipReason ? ` (skipped: ${skipReason})` : ''}`, () => {
  beforeAll(async () => {
    engine = await ChdbServer.start()
  }, 180_000)
  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL')
    await engine?.close()
  })

  it('start at once, take halves of traces, answer alike, and are not missed', async () => {
    const [a, b, c] = (await Promise.all([start(), start(), start()])) as [Collector, Collector, Collector]
    // The tables are made by whoever is first, and all are.
    const numbers = Array.from({ length: 40 }, (_, i) => i + 1)
    const sent = numbers.flatMap(n => [
      post([a, b, c][n % 3]!.address, [half(n, 'CLIENT')]),
      post([b, c, a][n % 3]!.address, [half(n, 'SERVER')]),
    ])
    expect(new Set(await Promise.all(sent))).toEqual(new Set([202]))
    for (const path of [
      '/api/v2/services',
      '/api/v2/spans?serviceName=app',
      `/api/v2/dependencies?${WINDOW}`,
      `/api/v2/traces?${WINDOW}&limit=100`,
    ]) {
      const answers = await Promise.all([a, b, c].map(({ address }) => get(address, path)))
      expect(answers[1], path).toEqual(answers[0])
      expect(answers[2], path).toEqual(answers[0])
    }
    expect(await get(a.address, `/api/v2/dependencies?${WINDOW}`)).toEqual([
      { parent: 'web', child: 'app', callCount: 40 },
    ])

    // One dies in the middle of its work: what it acknowledged is there, and the others take what comes.
    const acknowledged: number[] = []
    let next = 1000
    const reporters = [a, a, a, b].map(async ({ address }) => {
      for (let i = 0; i < 200; i++) {
        const n = next++
        const status = await post(address, [half(n, 'CLIENT')])
        if (status === undefined) return
        if (status === 202) acknowledged.push(n)
        if (acknowledged.length === 60) a.child.kill('SIGKILL')
      }
    })
    await Promise.all(reporters)
    await a.exit
    expect(acknowledged.length).toBeGreaterThanOrEqual(200)
    for (let at = 0; at < acknowledged.length; at += 100) {
      const ids = acknowledged.slice(at, at + 100).map(n => n.toString(16))
      // At least two ids are wanted.
      const traces = (await get(
        c.address,
        `/api/v2/traceMany?traceIds=${[...ids, 'feedfeedfeed'].join(',')}`,
      )) as unknown[]
      expect(traces).toHaveLength(ids.length)
    }
  }, 180_000)
})
