import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Span } from '@hopscope/model'
import { afterAll, vi } from 'vitest'
import { storeContract } from '../contract.ts'
import { SegmentStore } from './segment-store.ts'

// Each store that seals starts a thread.
vi.setConfig({ testTimeout: 60_000 })

const folder = mkdtempSync(join(tmpdir(), 'hopscope-segments-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
const newFile = (): string => join(folder, `${++files}`, 'spans.db')

/** Seals what it was given before it says that it has it. */
class SealedStore extends SegmentStore {
  override async accept(spans: readonly Span[]): Promise<void> {
    await super.accept(spans)
    await this.seal()
  }
}

storeContract('sqlite, from the log', options => new SegmentStore({ ...options, file: newFile() }))
storeContract('sqlite, from segments', options => new SealedStore({ ...options, file: newFile() }))
storeContract(
  'sqlite, traces split over log and segments of ten spans',
  options => new SegmentStore({ ...options, file: newFile(), segmentSpans: 10 }),
)
