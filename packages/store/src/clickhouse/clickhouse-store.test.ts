import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import type { Span } from '@hopscope/model'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { storeContract } from '../contract.ts'
import { StoreError } from '../store.ts'
import { ChdbServer, skipReason } from './chdb-server.ts'
import { ClickHouseStore } from './clickhouse-store.ts'

let server: ChdbServer
let databases = 0
const span = (n: number, rest: Partial<Span> = {}): Span => ({
  traceId: n.toString(16).padStart(16, '0'),
  id: n.toString(16).padStart(16, '0'),
  timestamp: 1_750_000_000_000_000,
  ...rest,
})

describe.skipIf(skipReason)(`with ClickHouse's engine${skipReason ? ` (skipped: ${skipReason})` : ''}`, () => {
  beforeAll(async () => {
    server = await ChdbServer.start()
  })
  afterAll(() => server?.close())
  const create = (options: object = {}): ClickHouseStore =>
    new ClickHouseStore({ ...options, url: server.url, database: `t${++databases}` })

  storeContract('clickhouse', create, { limitsCount: false, generatedQueries: 100 })

  it('inserts what arrives side by side together', async () => {
    const store = create()
    await store.accept([span(1)])
    const before = server.inserts
    await Promise.all(Array.from({ length: 200 }, (_, i) => store.accept([span(10 + i)])))
    expect(server.inserts - before).toBeLessThan(10)
    expect(await store.getTracesByIds(Array.from({ length: 200 }, (_, i) => span(10 + i).traceId))).toHaveLength(200)
    await store.close()
  })
  it('searches for whatever text, quotes and backslashes too', async () => {
    const store = create()
    const odd = `a'b\\c"d\te\nf{x:string}%é\0`
    await store.accept([span(1, { name: odd, localEndpoint: { serviceName: odd }, tags: { [odd]: odd } }), span(2)])
    const request = { endTs: 1_750_000_000_000, lookback: 10, limit: 10 }
    const found = await store.getTraces({
      ...request,
      serviceName: odd,
      spanName: odd,
      annotationQuery: new Map([[odd, odd]]),
    })
    expect(found.flat()).toMatchObject([{ name: odd }])
    expect(await store.getSpanNames(odd)).toEqual([odd])
    await store.close()
  })
  it('hands out a sample of a window, of a service, until it has enough', async () => {
    const store = create()
    const spans = Array.from({ length: 200 }, (_, i) =>
      span(i + 1, {
        timestamp: 1_750_000_000_000_000 + i * 1000,
        localEndpoint: { serviceName: i % 10 === 0 ? 'rare' : 'usual' },
      }),
    )
    await store.accept(spans)
    const window = { endTs: 1_750_000_000_159, lookback: 159 }
    const sample = async (request: object, most: number): Promise<[numbers: number[], of: number]> => {
      const numbers: number[] = []
      const visit = ([one]: Span[]): boolean => numbers.push(Number.parseInt(one!.id, 16) - 1) < most
      return [numbers, await store.sampleTraces({ ...window, ...request }, visit)]
    }
    const [all, of] = await sample({}, Infinity)
    expect([all.sort((a, b) => a - b), of]).toEqual([Array.from({ length: 160 }, (_, i) => i), 160])
    expect((await sample({ serviceName: 'rare' }, Infinity))[0]).toHaveLength(16)
    const [some, about] = await sample({}, 40)
    expect([some.length, about]).toEqual([40, 160])
    for (const quarter of [0, 1, 2, 3]) {
      expect(some.filter(n => Math.floor(n / 40) === quarter).length).toBeGreaterThan(3)
    }
    await store.close()
  })
  it('is shared by several collectors', async () => {
    const a = create()
    const other = new ClickHouseStore({ url: server.url, database: `t${databases}` })
    await a.accept([span(1)])
    await other.accept([span(1, { id: '00000000000000ff', name: 'b' })])
    expect(await a.getTrace(span(1).traceId)).toHaveLength(2)
    expect(await other.getTrace(span(1).traceId)).toEqual(await a.getTrace(span(1).traceId))
    await Promise.all([a.close(), other.close()])
  })
  it.each([
    [10, ['middle', 'old', 'young']],
    [3, ['middle', 'young']],
    [1, ['young']],
  ])('keeps for %i days, by when spans came', async (ttlDays, kept) => {
    const store = create({ ttlDays })
    const database = `t${databases}`
    const ids: Record<string, string> = { young: span(1).traceId, middle: span(2).traceId, old: span(3).traceId }
    await store.accept([span(1, { localEndpoint: { serviceName: 'young' } })])
    // The same once more under other names, as it would be had it come days ago.
    const again = (service: string, days: number): void => {
      const id = ids[service]!
      const came = `stored_at - INTERVAL ${days} DAY AS stored_at`
      const key = `'${id}' AS low_id, '${id}' AS trace_id`
      const json = `replaceAll(json, '"${ids.young}"', '"${id}"') AS json`
      const of = (table: string) => `FROM (SELECT * FROM ${table} WHERE stored_at > now() - INTERVAL 12 HOUR)`
      const name = `'${service}' AS service, ${came}`
      server.run(database, `INSERT INTO spans SELECT * REPLACE (${key}, ${json}, ${came}) ${of('spans')}`)
      server.run(database, `INSERT INTO moments SELECT * REPLACE (${key}, ${name}) ${of('moments')}`)
      server.run(database, `INSERT INTO names SELECT * REPLACE (${name}) ${of('names')}`)
    }
    again('middle', 2)
    again('old', 4)
    // What ClickHouse does by itself, when it likes.
    for (const table of ['spans', 'moments', 'names']) server.run(database, `OPTIMIZE TABLE ${table} FINAL`)
    expect(await store.getServiceNames()).toEqual(kept)
    const found = await store.getTraces({ endTs: 1_750_000_000_000, lookback: 10, limit: 10 })
    expect(found.map(([one]) => one!.traceId).sort()).toEqual(kept.map(service => ids[service]).sort())
    for (const [service, id] of Object.entries(ids)) {
      expect(await store.getTrace(id)).toHaveLength(kept.includes(service) ? 1 : 0)
    }
    await store.close()
  })
  it('says what ClickHouse says', async () => {
    const store = new ClickHouseStore({ url: server.url, database: 'no-name' })
    await expect(store.accept([span(1)])).rejects.toThrow('no-name is no name of a database')
    await store.close()
    await expect(store.getTrace('1')).rejects.toMatchObject({ code: 'closed' })
  })
})

it('tells where ClickHouse cannot be reached, and goes on when it can', async () => {
  // Where there is one, an address that no outgoing connection comes from: none takes the port meanwhile.
  const host = process.platform === 'linux' ? '127.9.9.9' : '127.0.0.1'
  const port = await new Promise<number>(resolve => {
    const probe = createServer().listen(0, host, () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
  const store = new ClickHouseStore({ url: `http://${host}:${port}`, database: 'd' })
  await expect(store.accept([span(1)])).rejects.toThrow(StoreError)
  await expect(store.check()).rejects.toThrow(`ClickHouse at http://${host}:${port} cannot be reached`)
  const fake = createHttpServer((_request, response) => response.end())
  await new Promise<void>(resolve => fake.listen(port, host, resolve))
  await store.accept([span(1)])
  await store.close()
  await new Promise(resolve => fake.close(resolve))
})
