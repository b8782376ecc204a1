import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Span } from '@hopscope/model'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { StoreError, type StoreErrorCode, TooManySpansError } from '../store.ts'
import { SegmentStore } from './segment-store.ts'

vi.setConfig({ testTimeout: 60_000 })

const folder = mkdtempSync(join(tmpdir(), 'hopscope-store-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
const newFile = (): string => join(folder, `${++files}`, 'spans.db')

let spans = 0
const span = (fields: Partial<Span> = {}): Span => {
  const id = (++spans).toString(16).padStart(16, '0')
  return { traceId: id, id, timestamp: 1_750_000_000_000_000 + spans, localEndpoint: { serviceName: 'web' }, ...fields }
}

/** Every file of a folder by name and content. */
function contents(path: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(path).map(name => [
      name,
      createHash('sha256')
        .update(readFileSync(join(path, name)))
        .digest('hex'),
    ]),
  )
}

/** Opening must fail with this code and these words, and change nothing. */
function expectRefused(file: string, code: StoreErrorCode, words: RegExp): void {
  const before = contents(join(file, '..'))
  let error: unknown
  try {
    new SegmentStore({ file })
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(StoreError)
  expect((error as StoreError).code).toBe(code)
  expect((error as StoreError).message).toContain(file)
  expect((error as StoreError).message).toMatch(words)
  expect(contents(join(file, '..'))).toEqual(before)
}

async function filled(count = 200): Promise<string> {
  const file = newFile()
  const store = new SegmentStore({ file })
  await store.accept(Array.from({ length: count }, () => span({ name: 'get' })))
  await store.close()
  return file
}

describe('a file', () => {
  it('keeps spans and names over a restart, and counts on', async () => {
    const file = newFile()
    const first = new SegmentStore({ file, autocompleteKeys: ['env'] })
    const one = span({ name: 'get', remoteEndpoint: { serviceName: 'db' }, tags: { env: 'prod' } })
    await first.accept([one])
    await first.close()
    const second = new SegmentStore({ file, autocompleteKeys: ['env'] })
    expect(await second.getTrace(one.traceId)).toEqual([one])
    expect(await second.getServiceNames()).toEqual(['web'])
    expect(await second.getSpanNames('web')).toEqual(['get'])
    expect(await second.getRemoteServiceNames('web')).toEqual(['db'])
    expect(await second.getAutocompleteValues('env')).toEqual(['prod'])
    expect(second.stats()).toMatchObject({ spans: 1, traces: 1 })
    await second.close()
    expect(readdirSync(join(file, '..'))).toEqual(['spans.db', 'spans.db-lock'])
  })

  it('that is text is refused', () => {
    const file = join(mkdtempSync(join(folder, 'foreign-')), 'spans.db')
    writeFileSync(file, 'these are my notes\n'.repeat(20))
    expectRefused(file, 'foreign', /begins with "these are my not"/)
  })

  it('of another application is refused', () => {
    const file = join(mkdtempSync(join(folder, 'foreign-')), 'spans.db')
    const other = new Database(file)
    other.exec('create table photo (id); insert into photo values (1)')
    other.close()
    expectRefused(file, 'foreign', /another application: its application_id is 0x00000000/)
  })

  it('of a newer version is refused', async () => {
    const file = await filled(1)
    const newer = new Database(file)
    newer.pragma('user_version = 99')
    newer.pragma('journal_mode = delete')
    newer.close()
    expectRefused(file, 'newer', /version 99, this one knows 2/)
  })

  it('of the earlier format is refused', async () => {
    const file = await filled(1)
    const older = new Database(file)
    older.pragma('user_version = 1')
    older.pragma('journal_mode = delete')
    older.close()
    expectRefused(file, 'older', /kept a row a span .*move it away/)
  })

  it('that is cut off is refused', async () => {
    const file = await filled()
    truncateSync(file, statSync(file).size - 8192)
    expectRefused(file, 'broken', /cut off/)
    truncateSync(file, 50)
    expectRefused(file, 'broken', /cut off: 50 bytes/)
  })

  it('with garbage where its tables were is refused', async () => {
    const file = await filled()
    const bytes = readFileSync(file)
    bytes.fill(0xa5, 100, bytes.length)
    writeFileSync(file, bytes)
    expectRefused(file, 'broken', /damaged/)
  })

  it('that is a folder is refused', () => {
    const file = mkdtempSync(join(folder, 'folder-'))
    expect(() => new SegmentStore({ file })).toThrow(/is not a file/)
  })

  it('in a folder that cannot be made is refused', () => {
    const blocker = join(folder, 'blocker')
    writeFileSync(blocker, '')
    expect(() => new SegmentStore({ file: join(blocker, 'spans.db') })).toThrow(StoreError)
  })

  it('is for one process at a time', async () => {
    const file = newFile()
    const store = new SegmentStore({ file })
    await store.accept([span()])
    expect(() => new SegmentStore({ file })).toThrow(/in use by another process/)
    await store.accept([span()])
    expect(store.stats().spans).toBe(2)
    await store.close()
  })

  it('that is read-only is refused', async () => {
    const file = await filled(1)
    chmodSync(folder, 0o755)
    chmodSync(file, 0o444)
    chmodSync(join(file, '..'), 0o555)
    // Root may write everything: it steps down to nobody for as long as the file is opened.
    const isRoot = process.getuid?.() === 0
    if (isRoot) process.seteuid!(65534)
    try {
      expectRefused(file, 'readonly', /read-only/)
    } finally {
      if (isRoot) process.seteuid!(0)
      chmodSync(join(file, '..'), 0o755)
    }
  })
})

describe('commit', () => {
  it('happens for what was accepted before close', async () => {
    const file = newFile()
    const store = new SegmentStore({ file })
    const one = span()
    const accepted = store.accept([one])
    await store.close()
    await accepted
    await expect(store.accept([span()])).rejects.toMatchObject({ code: 'closed' })
    const again = new SegmentStore({ file })
    expect(await again.getTrace(one.traceId)).toEqual([one])
    await again.close()
  })
})

describe('retention by bytes', () => {
  it('keeps the file near its limit while spans stream through', async () => {
    const file = newFile()
    const maxBytes = 2 * 1024 * 1024
    const store = new SegmentStore({ file, maxBytes })
    let last: Span | undefined
    for (let i = 0; i < 120; i++) {
      // Bytes that do not shrink.
      const batch = Array.from({ length: 100 }, () => span({ tags: { filler: randomBytes(200).toString('base64') } }))
      last = batch.at(-1)!
      await store.accept(batch)
    }
    await store.settled()
    expect(store.stats().bytes).toBeLessThanOrEqual(maxBytes)
    expect(store.stats().spans).toBeGreaterThan(1000)
    expect(store.stats().spans).toBeLessThan(12_000)
    expect(await store.getTrace(last!.traceId)).toEqual([last])
    await store.close()
    expect(existsSync(`${file}-wal`)).toBe(false)
    expect(statSync(file).size).toBeLessThan(maxBytes * 2)
  })
})

describe('retention by age', () => {
  const HOUR = 3_600_000

  it('drops segments that were sealed too long ago, when spans come and at a start', async () => {
    const file = newFile()
    const store = new SegmentStore({ file, maxAge: HOUR })
    const old = span()
    await store.accept([old])
    await store.seal()
    await store.close()
    const database = new Database(file)
    database.prepare('update segment set sealed_ms = sealed_ms - ?').run(2 * HOUR)
    database.close()
    const again = new SegmentStore({ file, maxAge: HOUR })
    expect(await again.getTrace(old.traceId)).toEqual([])
    expect(again.stats().spans).toBe(0)
    await again.close()
  })

  it('goes on as if nothing was when the clock is set, forward or back', async () => {
    const warnings: string[] = []
    const store = new SegmentStore({ file: newFile(), maxAge: HOUR, warn: line => warnings.push(line) })
    const before = span()
    await store.accept([before])
    await store.seal()
    const now = vi.spyOn(Date, 'now')
    try {
      for (const jump of [365 * 24 * HOUR, -365 * 24 * HOUR]) {
        now.mockReturnValue(Date.UTC(2026, 0, 1) + jump)
        const during = span()
        await store.accept([during])
        await store.seal()
        for (const one of [before, during]) expect(await store.getTrace(one.traceId)).toEqual([one])
        expect(warnings.pop()).toMatch(/^the clock jumped by -?\d+ s: nothing is deleted/)
      }
    } finally {
      now.mockRestore()
    }
    await store.close()
  })
})

describe('small segments in a row', () => {
  it('are merged into one, nothing lost and nothing doubled', async () => {
    const file = newFile()
    const store = new SegmentStore({ file })
    const batches = Array.from({ length: 9 }, () => [span({ name: 'get' }), span({ tags: { a: 'b' } })])
    // A trace that lies in all of them.
    const long = batches.map(() => span({ traceId: 'f'.repeat(16) }))
    for (const [i, batch] of batches.entries()) {
      await store.accept([...batch, long[i]!])
      await store.seal()
    }
    await store.settled()
    const all = batches.flat()
    expect(store.stats().spans).toBe(all.length + long.length)
    for (const one of all) expect(await store.getTrace(one.traceId)).toEqual([one])
    expect(await store.getTrace('f'.repeat(16))).toEqual(long)
    await store.close()
    const database = new Database(file)
    expect(database.prepare('select count(*) from segment where gone = 0').pluck().get()).toBeLessThan(9)
    database.close()
    const again = new SegmentStore({ file })
    expect(await again.getTrace('f'.repeat(16))).toEqual(long)
    expect(await again.getSpanNames('web')).toEqual(['get'])
    expect(again.stats().spans).toBe(all.length + long.length)
    await again.close()
  })

  it('of which one is damaged are left as they are, and the rest is served', async () => {
    const file = newFile()
    const store = new SegmentStore({ file })
    const first = Array.from({ length: 5 }, () => span())
    for (const one of first) {
      await store.accept([one])
      await store.seal()
    }
    await store.close()
    const database = new Database(file)
    database.prepare("update page set piece = x'00' where id / 65536 = 3").run()
    database.close()
    const warnings: string[] = []
    const again = new SegmentStore({ file, warn: line => warnings.push(line) })
    const later = Array.from({ length: 5 }, () => span())
    for (const one of later) {
      await again.accept([one])
      await again.seal()
    }
    await again.settled()
    expect(warnings).toEqual([expect.stringMatching(/segment 3, page 0 is cut off/)])
    for (const one of [...first.filter((_, i) => i !== 2), ...later]) {
      expect(await again.getTrace(one.traceId)).toEqual([one])
    }
    await again.close()
  })
})

describe('a large store', () => {
  it('takes spans while it is being opened; reads wait until it is', async () => {
    const file = newFile()
    const store = new SegmentStore({ file })
    const spans = Array.from({ length: 6 }, (_, i) => span({ name: `call ${i}` }))
    for (const one of spans) {
      await store.accept([one])
      await store.seal()
    }
    await store.close()
    // No time at all: every segment is opened after the constructor.
    const again = new SegmentStore({ file, openingMs: 0 })
    const late = span({ name: 'late' })
    const accepted = again.accept([late])
    const names = again.getSpanNames('web')
    expect(await again.getTrace(spans[0]!.traceId)).toEqual([spans[0]])
    expect(await names).toEqual([...spans.map(({ name }) => name), 'late'])
    await accepted
    expect(await again.getTrace(late.traceId)).toEqual([late])
    await again.close()
    // Ended before it was open.
    const brief = new SegmentStore({ file, openingMs: 0, maxSpans: 3 })
    await brief.close()
    const last = new SegmentStore({ file })
    expect(last.stats().spans).toBeLessThanOrEqual(3)
    await last.close()
  })
})

describe('an answer that may have so many spans', () => {
  it('is not read further when it has more; what collapses, and what is replaced, does not count', async () => {
    const store = new SegmentStore({ file: newFile(), segmentSpans: 8 })
    const traces = Array.from({ length: 10 }, (_, i) => {
      const one = span({ id: '1'.padStart(16, '0') })
      return Array.from({ length: 4 }, (_, n) => ({
        ...one,
        id: (n + 1).toString(16).padStart(16, '0'),
        duration: i + 1,
      }))
    })
    for (const trace of traces) await store.accept(trace)
    // Sent again, into other segments.
    for (const trace of traces) await store.accept(trace)
    await store.settled()
    const query = { endTs: 1_750_000_001_000, lookback: 2_000_000, limit: 10 }
    expect(await store.getTraces(query, undefined, 40)).toHaveLength(10)
    await expect(store.getTraces(query, undefined, 39)).rejects.toThrow(TooManySpansError)
    expect(await store.getTraces({ ...query, limit: 2 }, undefined, 8)).toHaveLength(2)
    const ids = traces.map(trace => trace[0]!.traceId)
    expect(await store.getTrace(ids[3]!, undefined, 4)).toHaveLength(4)
    await expect(store.getTrace(ids[3]!, undefined, 3)).rejects.toThrow(new TooManySpansError(3))
    expect(await store.getTracesByIds(ids, undefined, 40)).toHaveLength(10)
    await expect(store.getTracesByIds(ids, undefined, 39)).rejects.toThrow(TooManySpansError)
    await store.close()
  })
})
