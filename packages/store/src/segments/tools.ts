import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Milliseconds, Span } from '@hopscope/model'
import Database from 'better-sqlite3'
import { StoreError } from '../store.ts'
import { inspectDatabase, PIECES_PER_SEGMENT, SEGMENTS_PER_BUCKET } from './database.ts'
import type { Head } from './head.ts'
import { verifyKeptLinks } from './linked-table.ts'
import { replay } from './log-record.ts'
import { DamageError } from './piece.ts'
import { RecentPieces } from './piece-cache.ts'
import { PieceReader, Segment, type SegmentMeta } from './segment.ts'
import { storeError } from './sqlite-error.ts'

const CACHE_BYTES = 64 * 1024 * 1024

export interface LogReport {
  file: string
  bytes: number
  spans: number
  /** What is wrong with it; a torn end is what a kill leaves, and nothing that was acknowledged. */
  problem: string | undefined
  isTorn: boolean
}

export interface SegmentReport extends SegmentMeta {
  pageBytes: number
  dictionaryBytes: number
  termBytes: number
}

export interface StoreReport {
  file: string
  segments: SegmentReport[]
  logs: LogReport[]
  spans: number
  /** Of all pieces and logs. */
  bytes: number
  minMs: Milliseconds | undefined
  maxMs: Milliseconds | undefined
}

/** What a store consists of. Reads only: it may be in use. Throws StoreError when there is none, or it cannot be read. */
export function inspectStore(file: string): StoreReport {
  return withStore(file, (database, reader) => {
    const size = (table: string) =>
      database
        .prepare<[number, number], number>(
          `select coalesce(sum(length(piece)), 0) from ${table} where id >= ? and id < ?`,
        )
        .pluck()
    const pages = size('page')
    const chunks = size('dictionary')
    const terms = new Map(
      database
        .prepare<[], [number, number]>(
          `select id % ${SEGMENTS_PER_BUCKET}, sum(length(piece)) from term group by id % ${SEGMENTS_PER_BUCKET}`,
        )
        .raw()
        .all(),
    )
    const segments = live(reader).map(meta => {
      const range = [meta.id * PIECES_PER_SEGMENT, (meta.id + 1) * PIECES_PER_SEGMENT] as const
      return {
        ...meta,
        pageBytes: pages.get(...range)!,
        dictionaryBytes: chunks.get(...range)!,
        termBytes: terms.get(meta.id) ?? 0,
      }
    })
    const logs = logsOf(file, sealedLog(database)).map(({ report }) => report)
    const times = segments.flatMap(({ minMs, maxMs }) => (minMs === null || maxMs === null ? [] : [minMs, maxMs]))
    return {
      file,
      segments,
      logs,
      spans: sum(segments, one => one.spans) + sum(logs, one => one.spans),
      bytes: sum(segments, one => one.bytes) + sum(logs, one => one.bytes),
      minMs: times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b)),
      maxMs: times.length === 0 ? undefined : times.reduce((a, b) => Math.max(a, b)),
    }
  })
}

/** Reads every page of SQLite, every piece and every log. Gives one line a problem; none: all is as it was written. */
export function* verifyStore(file: string): Generator<string> {
  const { database, close } = openForReading(file)
  try {
    const found = database.pragma('integrity_check(100)') as { integrity_check: string }[]
    for (const { integrity_check: line } of found) if (line !== 'ok') yield `${file}: ${line}`
    const reader = new PieceReader(database)
    for (const meta of live(reader)) {
      for (const problem of segmentOf(reader, meta).verify()) yield `${file}: ${problem}`
    }
    for (const problem of verifyKeptLinks(database)) yield `${file}: ${problem}`
    for (const { report } of logsOf(file, sealedLog(database)))
      if (report.problem && !report.isTorn) yield `${report.file}: ${report.problem}`
  } catch (error) {
    throw storeError(file, error)
  } finally {
    close()
  }
}

/** Every span, as it came; those of a trace together as far as they lie together. `damaged` hears of what cannot be read. */
export function* exportSpans(file: string, damaged: (problem: string) => void): Generator<Span> {
  const { database, close } = openForReading(file)
  try {
    const reader = new PieceReader(database)
    for (const meta of live(reader)) {
      const segment = segmentOf(reader, meta)
      let told = ''
      for (let trace = 0; trace < meta.traces; trace++) {
        let spans: Span[]
        try {
          spans = segment.spans(trace)
        } catch (error) {
          if (!(error instanceof DamageError)) throw error
          if (error.message !== told) damaged(error.message)
          told = error.message
          continue
        }
        yield* spans
      }
    }
    for (const { report, head } of logsOf(file, sealedLog(database))) {
      if (report.problem && !report.isTorn) damaged(`${report.file}: ${report.problem}`)
      if (head !== undefined) for (let row = 0; row < head.spanCount; row++) yield head.span(row)
    }
  } catch (error) {
    throw storeError(file, error)
  } finally {
    close()
  }
}

function withStore<T>(file: string, read: (database: Database.Database, reader: PieceReader) => T): T {
  const { database, close } = openForReading(file)
  try {
    return read(database, new PieceReader(database))
  } catch (error) {
    throw storeError(file, error)
  } finally {
    close()
  }
}

function openForReading(file: string): { database: Database.Database; close: () => void } {
  if (!existsSync(file)) throw new StoreError('cannot-open', `${file} is not there; a span database was expected`)
  if (!inspectDatabase(file)) throw new StoreError('broken', `${file} is empty; a span database was expected`)
  try {
    const database = new Database(file, { readonly: true, timeout: 2000 })
    return { database, close: () => database.close() }
  } catch (error) {
    throw storeError(file, error)
  }
}

const live = (reader: PieceReader): SegmentMeta[] =>
  reader
    .all()
    .filter(({ gone }) => !gone)
    .map(({ meta }) => meta)

const segmentOf = (reader: PieceReader, meta: SegmentMeta): Segment =>
  Segment.of(reader, meta, new RecentPieces(CACHE_BYTES))

const sealedLog = (database: Database.Database): number =>
  database.prepare<[], number>('select log from sealed').pluck().get() ?? 0

function logsOf(file: string, sealed: number): { report: LogReport; head: Head | undefined }[] {
  const folder = dirname(resolve(file))
  const prefix = `${basename(file)}-log-`
  return readdirSync(folder)
    .filter(name => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map(name => ({ path: join(folder, name), number: Number(name.slice(prefix.length)) }))
    .filter(({ number }) => number > sealed)
    .sort((a, b) => a.number - b.number)
    .map(({ path, number }) => {
      const bytes = readFileSync(path)
      const replayed = replay(bytes, number)
      const at = `byte ${replayed?.end ?? 0} of ${bytes.length}`
      const problem =
        replayed === undefined
          ? `is no log, or its header is damaged`
          : replayed.rest === 'damaged'
            ? `is damaged at ${at}`
            : replayed.rest === 'torn'
              ? `ends in a record that is not whole, at ${at}`
              : undefined
      const report = {
        file: path,
        bytes: bytes.length,
        spans: replayed?.head.spanCount ?? 0,
        problem,
        isTorn: replayed?.rest === 'torn',
      }
      return { report, head: replayed?.head }
    })
}

const sum = <T>(of: readonly T[], value: (one: T) => number): number => of.reduce((total, one) => total + value(one), 0)
