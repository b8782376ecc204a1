import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Span } from '@hopscope/model'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { PIECES_PER_SEGMENT } from './database.ts'
import { SegmentStore } from './segment-store.ts'

vi.setConfig({ testTimeout: 60_000 })

const folder = mkdtempSync(join(tmpdir(), 'hopscope-damage-'))
afterAll(() => rmSync(folder, { recursive: true }))

const NOW = 1_750_000_000_000
let folders = 0
let spans = 0
const span = (fields: Partial<Span> = {}): Span => {
  const id = (++spans).toString(16).padStart(16, '0')
  return { traceId: id, id, timestamp: NOW * 1000 + spans, localEndpoint: { serviceName: 'web' }, ...fields }
}
const window = { endTs: NOW + 86_400_000, lookback: 2 * 86_400_000, limit: 1000 }
const ids = (traces: Span[][]): string[] => traces.map(([first]) => first!.id).sort()

/** The files of a store as they are while it is open: what a kill would leave. */
function snapshot(file: string): string {
  const copy = join(folder, `${++folders}`)
  cpSync(join(file, '..'), copy, { recursive: true })
  return join(copy, 'spans.db')
}

const newFile = (): string => join(folder, `${++folders}`, 'spans.db')

/** A store whose spans lie in a log, one batch a record. */
async function logged(batches: Span[][]): Promise<string> {
  const file = newFile()
  const store = new SegmentStore({ file })
  for (const batch of batches) await store.accept(batch)
  const copy = snapshot(file)
  await store.close()
  return copy
}

/** A store of as many segments as there are batches. */
async function sealed(batches: Span[][]): Promise<string> {
  const file = newFile()
  const store = new SegmentStore({ file })
  for (const batch of batches) {
    await store.accept(batch)
    await store.seal()
  }
  await store.close()
  return file
}

async function reopen(file: string): Promise<{ store: SegmentStore; warnings: string[] }> {
  const warnings: string[] = []
  return { store: new SegmentStore({ file, warn: line => warnings.push(line) }), warnings }
}

const logOf = (file: string): string =>
  join(file, '..', readdirSync(join(file, '..')).find(name => /-log-\d+$/.test(name))!)

describe('a log', () => {
  it.each([
    ['half a record', (log: Buffer) => log.subarray(0, log.length - 20)],
    ['half a header of a record', (log: Buffer) => Buffer.concat([log, Buffer.from([200, 1, 0])])],
    ['zeros behind it, as some file systems leave', (log: Buffer) => Buffer.concat([log, Buffer.alloc(4096)])],
    ['a record whose pages came in part', (log: Buffer) => Buffer.concat([log.subarray(0, -50), Buffer.alloc(50)])],
  ])('that ends in %s is read up to there, and goes on', async (_name, tear) => {
    const file = await logged([[span()], [span()], [span()]])
    const log = logOf(file)
    const whole = readFileSync(log)
    writeFileSync(log, tear(whole))
    const { store, warnings } = await reopen(file)
    const found = store.stats().spans
    expect(found).toBeGreaterThanOrEqual(2)
    expect(warnings).toEqual([])
    const later = span()
    await store.accept([later])
    const again = await reopen(snapshot(file))
    expect(again.store.stats().spans).toBe(found + 1)
    expect(await again.store.getTrace(later.traceId)).toEqual([later])
    await again.store.close()
    await store.close()
  })

  it('with a flipped bit in the middle is named, kept aside, and read up to there', async () => {
    const batches = [[span()], [span()], [span()]]
    const file = await logged(batches)
    const log = logOf(file)
    const bytes = readFileSync(log)
    bytes[Math.floor(bytes.length / 2)]! ^= 4
    writeFileSync(log, bytes)
    const { store, warnings } = await reopen(file)
    expect(warnings).toEqual([expect.stringMatching(/spans\.db-log-1 is damaged at byte \d+ of \d+: .*\.damaged$/)])
    expect(readFileSync(`${log}.damaged`)).toEqual(bytes)
    expect(await store.getTrace(batches[0]![0]!.traceId)).toEqual(batches[0])
    await store.close()
    const again = await reopen(file)
    expect(again.warnings).toEqual([])
    expect(again.store.stats().spans).toBe(1)
    await again.store.close()
  })

  it('in which the length of a record was changed is named and kept aside, and not taken for torn', async () => {
    const batches = [[span()], [span()], [span()]]
    const file = await logged(batches)
    const log = logOf(file)
    const bytes = readFileSync(log)
    // Of the second record, behind the header of the log and the first.
    const second = 16 + 8 + bytes.readUInt32LE(16)
    bytes[second + 3]! ^= 64
    writeFileSync(log, bytes)
    const { store, warnings } = await reopen(file)
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`damaged at byte ${second} of ${bytes.length}`))])
    expect(readFileSync(`${log}.damaged`)).toEqual(bytes)
    expect(await store.getTrace(batches[0]![0]!.traceId)).toEqual(batches[0])
    expect(store.stats().spans).toBe(1)
    await store.close()
  })

  it('whose header is damaged is named and kept aside', async () => {
    const file = await logged([[span()]])
    const log = logOf(file)
    const bytes = readFileSync(log)
    bytes[9]! ^= 1
    writeFileSync(log, bytes)
    const { store, warnings } = await reopen(file)
    expect(warnings).toEqual([expect.stringMatching(/damaged at byte 0 of/)])
    expect(readFileSync(`${log}.damaged`)).toEqual(bytes)
    await store.close()
  })
})

describe('a segment', () => {
  const three = (): Span[][] => [[span()], [span()], [span()]]

  async function damaged(batches: Span[][], sql: string, ...values: unknown[]): Promise<string> {
    const file = await sealed(batches)
    const database = new Database(file)
    expect(database.prepare(sql).run(...values).changes).toBeGreaterThan(0)
    database.close()
    return file
  }
  // The last byte of a piece: of its data.
  const FLIPPED = "cast(substr(piece, 1, length(piece) - 1) || x'ff' as blob)"

  it.each([
    ['a flipped page', `update page set piece = ${FLIPPED} where id = ?`, PIECES_PER_SEGMENT * 2, /segment 2, page 0/],
    [
      'a page cut short',
      'update page set piece = substr(piece, 1, 3) where id = ?',
      PIECES_PER_SEGMENT * 2,
      /segment 2, page 0 is cut off/,
    ],
    ['a page that is gone', 'delete from page where id = ?', PIECES_PER_SEGMENT * 2, /segment 2, page 0 is missing/],
    [
      'a flipped dictionary',
      `update dictionary set piece = ${FLIPPED} where id = ?`,
      PIECES_PER_SEGMENT * 2,
      /segment 2, dictionary 0/,
    ],
    [
      'a flipped table of traces',
      "update segment set traces_at = cast(substr(traces_at, 1, length(traces_at) - 1) || x'ff' as blob) where id = ?",
      2,
      /segment 2, table of traces/,
    ],
    [
      'flipped ids',
      "update segment set ids = cast(substr(ids, 1, length(ids) - 1) || x'ff' as blob) where id = ?",
      2,
      /segment 2, ids/,
    ],
  ])('with %s is named once, and the others are served', async (_name, sql, id, text) => {
    const batches = three()
    const file = await damaged(batches, sql, id)
    const { store, warnings } = await reopen(file)
    const whole = [batches[0]![0]!.id, batches[2]![0]!.id]
    expect(ids(await store.getTraces(window))).toEqual(whole)
    expect(ids(await store.getTraces(window))).toEqual(whole)
    expect(await store.getTrace(batches[1]![0]!.traceId)).toEqual([])
    expect(await store.getTrace(batches[2]![0]!.traceId)).toEqual(batches[2])
    expect(warnings.filter(line => text.test(line))).toHaveLength(1)
    const later = span()
    await store.accept([later])
    expect(await store.getTrace(later.traceId)).toEqual([later])
    await store.close()
  })

  it('in a file with garbage in its middle: what can be read is served, or the file is refused by name', async () => {
    const batches = Array.from({ length: 20 }, () =>
      Array.from({ length: 60 }, () => span({ tags: { filler: Math.random().toString(36).repeat(20) } })),
    )
    const file = await sealed(batches)
    const bytes = readFileSync(file)
    for (const share of [0.3, 0.5, 0.7]) {
      const broken = Buffer.from(bytes)
      const at = Math.floor((bytes.length * share) / 8192) * 8192
      broken.fill(0xa5, at, at + 8192)
      writeFileSync(file, broken)
      const warnings: string[] = []
      let store: SegmentStore
      try {
        store = new SegmentStore({ file, warn: line => warnings.push(line) })
      } catch (error) {
        expect((error as Error).message).toContain(file)
        continue
      }
      const found = await store.getTraces({ ...window, limit: 5000 })
      expect(found.length).toBeLessThanOrEqual(1200)
      // Nothing is made up.
      for (const [one] of found) expect(one!.tags!.filler!.length).toBeGreaterThan(20)
      await store.close()
    }
  })

  it('of which the file was cut off is refused', async () => {
    const file = await sealed(three())
    truncateSync(file, 8192 * 3)
    expect(() => new SegmentStore({ file })).toThrow(/is cut off: 24576 bytes/)
  })
})
