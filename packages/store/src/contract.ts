import { compareForSearch, matches, type QueryRequest, type Span } from '@hopscope/model'
import { afterEach, describe, expect, it } from 'vitest'
import type { SpanStore, StoreOptions } from './store.ts'

/** Today at noon or so, ms. */
const NOW = 1_750_000_000_000
const DAY = 86_400_000

let sequence = 0

/** A span of service `web` at NOW; ids count up. */
function span(fields: Partial<Span> & { service?: string; remote?: string; ms?: number } = {}): Span {
  const { service = 'web', remote, ms = NOW, tags, ...rest } = fields
  const id = (++sequence).toString(16).padStart(16, '0')
  return {
    traceId: id,
    id,
    timestamp: ms * 1000,
    ...(service === '' ? {} : { localEndpoint: { serviceName: service } }),
    ...(remote === undefined ? {} : { remoteEndpoint: { serviceName: remote } }),
    ...rest,
    ...(tags === undefined ? {} : { tags: Object.assign(Object.create(null), tags) }),
  }
}

function without<K extends keyof Span>(of: Span, key: K): Span {
  const { [key]: _, ...rest } = of
  return rest as Span
}

function query(fields: Partial<QueryRequest> = {}): QueryRequest {
  return { endTs: NOW + DAY, lookback: 2 * DAY, limit: 10, ...fields }
}

const ids = (traces: Span[][]): string[] => traces.map(trace => trace[0]!.traceId)

/** In what stores differ. */
export interface StoreTraits {
  /** false: `maxSpans` is no limit of its; spans go by age alone. */
  limitsCount?: boolean
  /** Generated queries that it is asked; fewer where each is a call to another program. */
  generatedQueries?: number
}

/** What every store does. `create` makes an empty one; it is closed by the suite. */
export function storeContract(
  name: string,
  create: (options: StoreOptions) => SpanStore,
  { limitsCount = true, generatedQueries = 400 }: StoreTraits = {},
): void {
  describe(name, () => {
    let store: SpanStore
    const open = (options: StoreOptions = {}): SpanStore => {
      store = create(options)
      return store
    }
    afterEach(async () => {
      await store?.close()
    })

    describe('reads by id', () => {
      it('gives back every field, whatever the keys are called', async () => {
        const rich = span({
          parentId: '00000000000000aa',
          kind: 'SERVER',
          name: 'get /é 😀 \u2028',
          duration: 12,
          remote: 'db',
          annotations: [{ timestamp: 1, value: 'cache miss' }],
          tags: { a: '1', '10': 'x', '9': 'y', '': '', constructor: 'c', 'with\0nul': 'n' },
          debug: true,
          shared: true,
        })
        Object.defineProperty(rich.tags, '__proto__', {
          value: 'p',
          enumerable: true,
          configurable: true,
          writable: true,
        })
        await open().accept([rich])
        const [read] = await store.getTrace(rich.traceId)
        expect(read).toEqual(rich)
        expect(Object.getPrototypeOf(read!.tags)).toBeNull()
        expect(Object.keys(read!.tags!)).toContain('__proto__')
      })

      it('ends a read whose caller has given up', async () => {
        open({ autocompleteKeys: ['env'] })
        const given = AbortSignal.abort(new Error('given up'))
        const reads = [
          () => store.getTraces(query(), given),
          () => store.getTrace('000000000000000a', given),
          () => store.getTracesByIds(['000000000000000a'], given),
          () => store.getServiceNames(given),
          () => store.getSpanNames('web', given),
          () => store.getRemoteServiceNames('web', given),
          () => store.getAutocompleteValues('env', given),
          () => store.getDependencies(NOW + DAY, 2 * DAY, given),
        ]
        for (const read of reads) await expect(read()).rejects.toThrow('given up')
      })

      it('gives back long texts as they came', async () => {
        open()
        for (const length of [4_000, 5_000, 10_000, 100_000]) {
          const text = `${'x'.repeat(length)}\u05d0`
          const given = span({ name: `${length} ${text}`, tags: { long: text, [text]: text } })
          await store.accept([given])
          expect(await store.getTrace(given.traceId)).toEqual([given])
        }
      })

      it('sees at once what was accepted, all of it when accepted side by side', async () => {
        open()
        const batches = Array.from({ length: 20 }, () => [span(), span()])
        await Promise.all(batches.map(batch => store.accept(batch)))
        for (const one of batches.flat()) expect(await store.getTrace(one.traceId)).toEqual([one])
        // A store that asks another for its size has it by then.
        await store.check()
        expect(store.stats()).toMatchObject({ spans: 40, traces: 40 })
      })

      it('collapses spans that are equal in every field, and no others', async () => {
        open()
        const first = span({ tags: { a: '1' } })
        const other = { ...first, duration: 5 }
        await store.accept([first, other])
        await store.accept([structuredClone(first)])
        expect(await store.getTrace(first.traceId)).toEqual([first, other])
      })

      it('reads ordinary JSON itself or not at all', async () => {
        open()
        const spans = [span({ name: 'get', tags: { a: '1' } }), span({ remote: 'db' })]
        const body = Buffer.from(JSON.stringify(spans))
        const accepted = store.acceptBody?.('json', body, 2)
        if (accepted !== undefined) {
          expect(accepted.spans).toBe(2)
          await accepted.committed
          for (const one of spans) expect(await store.getTrace(one.traceId)).toEqual([one])
        }
        const before = store.stats().spans
        expect(store.acceptBody?.('json', body, 1)).toBeUndefined()
        expect(store.acceptBody?.('json', Buffer.from(JSON.stringify([spans[0], { id: '1' }])), 9)).toBeUndefined()
        expect(store.stats().spans).toBe(before)
        const debug = span({ debug: true })
        const sampled = store.acceptBody?.('json', Buffer.from(JSON.stringify([...spans, debug])), 9, () => false)
        if (sampled === undefined) return
        expect(sampled).toMatchObject({ spans: 1, leftOut: 2 })
        await sampled.committed
        expect(store.stats().spans).toBe(before + 1)
        expect(await store.getTrace(debug.traceId)).toEqual([debug])
      })

      it('has nothing for an id it does not know', async () => {
        expect(await open().getTrace('000000000000dead')).toEqual([])
        expect(await store.getTracesByIds(['000000000000dead', '000000000000beef'])).toEqual([])
      })

      it('gives many traces in the order of their ids', async () => {
        open()
        const [a, b] = [span(), span()]
        await store.accept([a, b])
        expect(await store.getTracesByIds([b.traceId, 'f'.repeat(16), a.traceId])).toEqual([[b], [a]])
      })
    })

    describe('trace ids of two widths', () => {
      const low = '48485a3953bb6124'
      const high = `463ac35c9f6413ad${low}`
      const mixed = (): Span[] => [
        span({ traceId: high, service: 'a', tags: { x: '1' } }),
        span({ traceId: low, service: 'b', tags: { y: '1' } }),
      ]

      it('are two traces when strict', async () => {
        const [long, short] = mixed() as [Span, Span]
        await open().accept([long, short])
        expect(await store.getTrace(high)).toEqual([long])
        expect(await store.getTrace(low)).toEqual([short])
        expect((await store.getTraces(query())).length).toBe(2)
        expect(
          await store.getTraces(
            query({
              annotationQuery: new Map([
                ['x', ''],
                ['y', ''],
              ]),
            }),
          ),
        ).toEqual([])
      })

      it('are one trace when lenient, found by either id, given once', async () => {
        const spans = mixed()
        await open({ strictTraceId: false }).accept(spans)
        expect(await store.getTrace(high)).toEqual(spans)
        expect(await store.getTrace(low)).toEqual(spans)
        expect(await store.getTracesByIds([high, low])).toEqual([spans])
        expect(
          await store.getTraces(
            query({
              annotationQuery: new Map([
                ['x', ''],
                ['y', ''],
              ]),
            }),
          ),
        ).toEqual([spans])
      })
    })

    describe('search', () => {
      it('orders by the latest span inside the window, newest first, ties by low trace id', async () => {
        open()
        const early = span({ ms: NOW })
        const late = { ...span({ ms: NOW + 50, service: 'db' }), traceId: early.traceId, parentId: early.id }
        const middle = span({ ms: NOW + 10 })
        const tie = span({ ms: NOW + 10 })
        await store.accept([early, middle, tie])
        await store.accept([late])
        const all = [early, tie, middle].map(s => s.traceId)
        expect(ids(await store.getTraces(query()))).toEqual(all)
        expect(ids(await store.getTraces(query({ serviceName: 'web', limit: 1 })))).toEqual(all.slice(0, 1))
        // With the late span outside, its trace counts by what is inside.
        expect(ids(await store.getTraces(query({ endTs: NOW + 20 })))).toEqual([tie, middle, early].map(s => s.traceId))
        expect(ids(await store.getTraces(query({ endTs: NOW + 20, limit: 1 })))).toEqual([tie.traceId])
      })

      it('gives the whole trace, spans outside the window too', async () => {
        const root = span({ ms: NOW })
        const later = { ...span({ ms: NOW + 3 * DAY }), traceId: root.traceId, parentId: root.id }
        const timeless = without({ ...span(), traceId: root.traceId, parentId: root.id }, 'timestamp')
        await open().accept([root, later, timeless])
        const [trace] = await store.getTraces(query())
        expect(trace).toHaveLength(3)
      })

      it('never finds a trace without any start, though it can be read', async () => {
        const timeless = without(span(), 'timestamp')
        await open().accept([timeless])
        expect(await store.getTraces(query())).toEqual([])
        expect(await store.getTrace(timeless.traceId)).toEqual([timeless])
      })

      it('is not led astray by spans of the far future or of 1970', async () => {
        open()
        const odd = [
          { ...span(), timestamp: 9_223_372_036_854_775_000 },
          { ...span(), timestamp: 2 ** 53 + 2, duration: 2 ** 53 },
          { ...span(), timestamp: 1 },
        ]
        const ordinary = [span({ ms: NOW }), span({ ms: NOW + 1 })]
        await store.accept([odd[0]!, ordinary[0]!, odd[1]!, ordinary[1]!, odd[2]!])
        expect(ids(await store.getTraces(query()))).toEqual(ids([[ordinary[1]!], [ordinary[0]!]]))
        for (const one of odd) expect(await store.getTrace(one.traceId)).toEqual([one])
      })

      it('includes both ends of the window', async () => {
        const at = span({ ms: NOW })
        await open().accept([at])
        expect(ids(await store.getTraces(query({ endTs: NOW, lookback: 1 })))).toEqual([at.traceId])
        expect(ids(await store.getTraces(query({ endTs: NOW + 5, lookback: 5 })))).toEqual([at.traceId])
        expect(await store.getTraces(query({ endTs: NOW - 1, lookback: 5 }))).toEqual([])
        expect(await store.getTraces(query({ endTs: NOW + 6, lookback: 5 }))).toEqual([])
      })

      it('reaches past more traces than it reads at once', async () => {
        open()
        const rare = span({ ms: NOW - 1000, tags: { rare: 'yes' } })
        await store.accept([rare])
        await store.accept(Array.from({ length: 700 }, (_, i) => span({ ms: NOW + (i % 3) })))
        expect(ids(await store.getTraces(query({ annotationQuery: new Map([['rare', 'yes']]) })))).toEqual([
          rare.traceId,
        ])
        expect(await store.getTraces(query({ limit: 1000 }))).toHaveLength(701)
        expect(await store.getTraces(query({ limit: 600 }))).toHaveLength(600)
      })

      it('agrees with matches() on generated traces and queries', async () => {
        const random = seeded(7)
        open()
        const traces = Array.from({ length: 300 }, () => generateTrace(random))
        // In pieces, shuffled, so that traces arrive in several commits.
        const spans = traces.flat().sort(() => random() - 0.5)
        for (let at = 0; at < spans.length; at += 37) await store.accept(spans.slice(at, at + 37))
        let nonEmpty = 0
        for (let i = 0; i < generatedQueries; i++) {
          const request = generateQuery(random)
          const expected = traces
            .filter(trace => matches(request, trace))
            .sort(compareForSearch(request))
            .slice(0, request.limit)
          const found = await store.getTraces(request)
          expect(ids(found), JSON.stringify([request, [...(request.annotationQuery ?? [])]])).toEqual(ids(expected))
          for (const [index, trace] of found.entries()) {
            expect(sortedById(trace)).toEqual(sortedById(expected[index]!))
          }
          if (found.length > 0) nonEmpty++
        }
        // The queries must be such that they find something, or this proves nothing.
        expect(nonEmpty).toBeGreaterThan(generatedQueries / 4)
      }, 120_000)

      it('answers nothing when search is disabled; reads and links still work', async () => {
        const one = span({ name: 'get', remote: 'db', kind: 'CLIENT', tags: { env: 'prod' } })
        await open({ searchEnabled: false, autocompleteKeys: ['env'] }).accept([one])
        expect(await store.getTraces(query())).toEqual([])
        expect(await store.getServiceNames()).toEqual([])
        expect(await store.getSpanNames('web')).toEqual([])
        expect(await store.getRemoteServiceNames('web')).toEqual([])
        expect(await store.getAutocompleteValues('env')).toEqual([])
        expect(await store.getTrace(one.traceId)).toEqual([one])
        expect(await store.getDependencies(NOW + 1, DAY)).toEqual([{ parent: 'web', child: 'db', callCount: 1 }])
      })
    })

    describe('names', () => {
      it('lists local services, and what each was seen with, sorted', async () => {
        await open().accept([
          span({ service: 'web', name: 'post', remote: 'db' }),
          span({ service: 'web', name: 'get', remote: 'cache' }),
          span({ service: 'app', name: 'get' }),
          span({ service: '', name: 'nobody', remote: 'nowhere' }),
        ])
        expect(await store.getServiceNames()).toEqual(['app', 'web'])
        expect(await store.getSpanNames('web')).toEqual(['get', 'post'])
        expect(await store.getRemoteServiceNames('web')).toEqual(['cache', 'db'])
        expect(await store.getRemoteServiceNames('app')).toEqual([])
        expect(await store.getSpanNames('db')).toEqual([])
      })

      it('offers values of the tags that were asked for', async () => {
        await open({ autocompleteKeys: ['env'] }).accept([
          span({ tags: { env: 'prod', user: 'x' } }),
          span({ service: '', tags: { env: 'dev' } }),
          span({ tags: { env: 'prod' } }),
        ])
        expect(await store.getAutocompleteValues('env')).toEqual(['dev', 'prod'])
        expect(await store.getAutocompleteValues('user')).toEqual([])
      })
    })

    describe('links', () => {
      const call = (ms = NOW): [Span, Span] => {
        const client = span({ kind: 'CLIENT', ms })
        return [
          client,
          { ...span({ kind: 'SERVER', service: 'app', ms: ms + 1 }), traceId: client.traceId, parentId: client.id },
        ]
      }
      const link = { parent: 'web', child: 'app', callCount: 1 }

      it('counts a call once: halves that come late, and replays, change nothing', async () => {
        const [client, server] = call()
        await open().accept([server])
        expect(await store.getDependencies(NOW + DAY, 2 * DAY)).toEqual([])
        await store.accept([client])
        await store.accept([server, client])
        expect(await store.getDependencies(NOW + DAY, 2 * DAY)).toEqual([link])
      })

      it('joins the two widths of a trace id even when ids are strict', async () => {
        const [client, server] = call()
        await open().accept([client, { ...server, traceId: `463ac35c9f6413ad${server.traceId}` }])
        expect(await store.getDependencies(NOW + DAY, 2 * DAY)).toEqual([link])
      })

      it('takes traces with any span in the window', async () => {
        const [client, server] = call()
        await open().accept([client, { ...server, timestamp: (NOW + 1000) * 1000 }])
        expect(await store.getDependencies(NOW, 1)).toEqual([link])
        expect(await store.getDependencies(NOW + 1000, 1)).toEqual([link])
        // Around the window, not in it.
        expect(await store.getDependencies(NOW + 500, 100)).toEqual([])
        expect(await store.getDependencies(NOW - 1, DAY)).toEqual([])
      })

      it('shows spans without start only in a window that reaches the epoch', async () => {
        await open().accept(call().map(s => without(s, 'timestamp')))
        expect(await store.getDependencies(NOW, DAY)).toEqual([])
        expect(await store.getDependencies(NOW, NOW)).toEqual([link])
      })
    })

    const retention = () => {
      it('lets the oldest traces go, whole, and names with their last trace', async () => {
        open({ maxSpans: 4 })
        const old = span({ service: 'old', ms: NOW })
        const oldChild = { ...span({ service: 'older', ms: NOW + 1 }), traceId: old.traceId, parentId: old.id }
        await store.accept([old, oldChild])
        const rest = [span({ ms: NOW + 2 }), span({ ms: NOW + 3 }), span({ ms: NOW + 4 })]
        await store.accept(rest)
        expect(await store.getTrace(old.traceId)).toEqual([])
        expect(ids(await store.getTraces(query()))).toEqual(rest.map(s => s.traceId).reverse())
        expect(await store.getServiceNames()).toEqual(['web'])
        expect(await store.getSpanNames('old')).toEqual([])
        expect(store.stats()).toMatchObject({ spans: 3, traces: 3 })
      })

      it('stays within its limit over many batches', async () => {
        open({ maxSpans: 50 })
        let last: Span[] = []
        for (let i = 0; i < 40; i++) {
          last = Array.from({ length: 7 }, (_, j) => span({ ms: NOW + i * 10 + j }))
          await store.accept(last)
          expect(store.stats().spans).toBeLessThanOrEqual(50)
        }
        expect(ids(await store.getTraces(query({ limit: 7 })))).toEqual(last.map(s => s.traceId).reverse())
        expect(await store.getTraces(query({ limit: 100 }))).toHaveLength(store.stats().traces)
      })
    }
    if (limitsCount) describe('retention', retention)

    it('is well, until it is closed', async () => {
      await open().check()
      await store.close()
      await store.close()
    })
  })
}

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const SERVICES = ['web', 'app', 'db', 'cache']
const pick = <T>(random: () => number, of: readonly T[]): T => of[Math.floor(random() * of.length)]!

/** A trace over some seconds, with everything a query can ask for now there and now not. */
function generateTrace(random: () => number): Span[] {
  const start = NOW + Math.floor(random() * 10_000)
  const root = span({ ms: start })
  const count = 1 + Math.floor(random() * 6)
  return Array.from({ length: count }, (_, i) => {
    const one: Span = {
      ...span({
        service: random() < 0.1 ? '' : pick(random, SERVICES),
        ...(random() < 0.5 ? { remote: pick(random, SERVICES) } : {}),
        ...(random() < 0.6 ? { tags: { method: pick(random, ['get', 'post']), error: '' } } : {}),
      }),
      name: pick(random, ['get', 'post', 'query']),
      duration: 1 + Math.floor(random() * 100),
      timestamp: (start + Math.floor(random() * 2000)) * 1000 + Math.floor(random() * 1000),
      traceId: root.traceId,
      ...(i === 0 ? {} : { parentId: root.id }),
    }
    if (random() < 0.3) one.annotations = [{ timestamp: one.timestamp!, value: pick(random, ['retry', 'method']) }]
    return random() < 0.15 ? without(one, 'timestamp') : random() < 0.2 ? without(one, 'duration') : one
  })
}

function generateQuery(random: () => number): QueryRequest {
  const maybe = (share: number): boolean => random() < share
  const request = query({ endTs: NOW + Math.floor(random() * 14_000), lookback: 1 + Math.floor(random() * 8000) })
  request.limit = pick(random, [1, 3, 10, 1000])
  if (maybe(0.6)) request.serviceName = pick(random, [...SERVICES, 'absent'])
  if (maybe(0.3)) request.spanName = pick(random, ['get', 'post', 'absent'])
  if (maybe(0.2)) request.remoteServiceName = pick(random, SERVICES)
  if (maybe(0.4)) {
    request.annotationQuery = new Map([
      pick(random, [
        ['method', 'get'],
        ['method', ''],
        ['error', ''],
        ['retry', ''],
        ['method', 'x'],
      ] as const),
    ])
    if (maybe(0.3)) request.annotationQuery = new Map([...request.annotationQuery, ['error', '']])
  }
  if (maybe(0.3)) {
    request.minDuration = 1 + Math.floor(random() * 100)
    if (maybe(0.5)) request.maxDuration = request.minDuration + Math.floor(random() * 20)
  }
  return request
}

const sortedById = (spans: Span[]): Span[] => spans.toSorted((a, b) => (a.id < b.id ? -1 : 1))
