import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Span } from '@hopscope/model'
import { SegmentStore } from '@hopscope/store/sqlite'
import { afterAll, describe, expect, it } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'hopscope-disk-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const NOBODY = 65534
const isRoot = process.getuid?.() === 0
const NOW_US = 1_750_000_000_000_000
let spans = 0
const span = (fields: Partial<Span> = {}): Span => {
  const id = (++spans).toString(16).padStart(16, '0')
  return { traceId: id, id, timestamp: NOW_US + spans, localEndpoint: { serviceName: 'web' }, ...fields }
}
const heavy = (): Span[] =>
  Array.from({ length: 50 }, () => span({ tags: { filler: randomBytes(600).toString('base64') } }))

/** A small file system of its own; undefined where that is not allowed. */
function smallDisk(): string | undefined {
  const mountPoint = join(folder, 'small')
  mkdirSync(mountPoint)
  if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', mountPoint]).status !== 0)
    return undefined
  return mountPoint
}

const disk = smallDisk()
afterAll(() => {
  if (disk !== undefined) execFileSync('umount', [disk])
})

describe('a full disk', () => {
  it.skipIf(disk === undefined)(
    'refuses spans by name, keeps what it has, answers queries, and goes on when there is room',
    async () => {
      const file = join(disk!, 'store', 'spans.db')
      const store = new SegmentStore({ file, segmentSpans: 1000, warn: () => {} })
      const kept: Span[] = []
      const fill = async (): Promise<unknown> => {
        for (;;) {
          const batch = heavy()
          try {
            await store.accept(batch)
          } catch (error) {
            // Nothing of a batch that was refused is there.
            for (const { traceId } of batch) expect(await store.getTrace(traceId)).toEqual([])
            return error
          }
          kept.push(...batch)
        }
      }
      const allThere = async (): Promise<void> => {
        for (const one of kept) expect(await store.getTrace(one.traceId)).toEqual([one])
        const found = await store.getTraces({ endTs: NOW_US / 1000 + 100_000, lookback: 200_000, limit: 5 })
        expect(found.map(([first]) => first!.id)).toEqual(
          kept
            .slice(-5)
            .map(({ id }) => id)
            .reverse(),
        )
      }
      const filler = join(disk!, 'filler')
      writeFileSync(filler, randomBytes(2 * 1024 * 1024))
      expect(await fill()).toMatchObject({ code: 'full', message: expect.stringMatching(/spans\.db.* full/) })
      await expect(store.check()).rejects.toMatchObject({ code: 'full' })
      expect(kept.length).toBeGreaterThan(1000)
      await allThere()

      rmSync(filler)
      const small = span()
      await store.accept([small])
      kept.push(small)
      await allThere()
      await expect
        .poll(() =>
          store.check().then(
            () => 'well',
            error => error.message,
          ),
        )
        .toBe('well')

      // Full again, to the last byte, and ended so: what was acknowledged is read from where it is.
      await fill()
      try {
        writeFileSync(filler, Buffer.alloc(statfsSync(disk!).bavail * statfsSync(disk!).bsize))
      } catch {
        // As much as there was.
      }
      await store.close()
      rmSync(filler, { force: true })
      const again = new SegmentStore({ file, segmentSpans: 1000, warn: () => {} })
      for (const one of kept) expect(await again.getTrace(one.traceId)).toEqual([one])
      await again.close()
    },
    120_000,
  )
})

describe('a folder that becomes read-only', () => {
  it('refuses spans when a new log is due, answers queries, and goes on when it can be written', async () => {
    const data = join(folder, 'read-only')
    mkdirSync(data)
    if (isRoot) {
      chmodSync(folder, 0o755)
      chownSync(data, NOBODY, NOBODY)
      // Root may write everything: it steps down to nobody for as long as this takes.
      process.seteuid!(NOBODY)
    }
    try {
      const store = new SegmentStore({ file: join(data, 'spans.db'), segmentSpans: 10, warn: () => {} })
      const batch = (): Span[] => Array.from({ length: 10 }, () => span())
      const kept = batch()
      await store.accept(kept)
      chmodSync(data, 0o555)
      const refused = batch()
      await expect(store.accept(refused)).rejects.toMatchObject({
        code: 'readonly',
        message: expect.stringMatching(/spans\.db-log-2 cannot be written: it, or its folder, is read-only/),
      })
      await expect(store.check()).rejects.toMatchObject({ code: 'readonly' })
      for (const one of kept) expect(await store.getTrace(one.traceId)).toEqual([one])
      expect(await store.getTrace(refused[0]!.traceId)).toEqual([])
      chmodSync(data, 0o755)
      await store.accept(refused)
      kept.push(...refused)
      await expect
        .poll(() =>
          store.check().then(
            () => 'well',
            error => error.message,
          ),
        )
        .toBe('well')
      for (const one of kept) expect(await store.getTrace(one.traceId)).toEqual([one])
      await store.close()
    } finally {
      if (isRoot) process.seteuid!(0)
      chmodSync(data, 0o755)
    }
  }, 60_000)
})
