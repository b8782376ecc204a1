import { closeSync, existsSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { StoreError } from '../store.ts'
import { storeError } from './sqlite-error.ts'

/** "hops"; the schema writes it. */
const APPLICATION_ID = 0x686f7073
/** 1 was a row a span. */
const VERSION = 2
const ROW_VERSION = 1
const MAGIC = 'SQLite format 3\0'
const HEADER_BYTES = 100
const PAGE_SIZE = 8192

/** Of `page.id` and `dictionary.id`. */
export const PIECES_PER_SEGMENT = 65_536
/** Of `term.id`. */
export const SEGMENTS_PER_BUCKET = 2 ** 32

export interface SegmentRow {
  id: number
  last: number
  spans: number
  traces: number
  min_ms: number | null
  max_ms: number | null
  untimed: number
  sealed_ms: number
  bytes: number
  gone: number
}

/**
 * Looks at the bytes before SQLite does, since SQLite leaves a log beside what it opens. A file that is not ours, of another
 * version, or cut off is left exactly as it is. (StoreError) Returns whether there is a database yet.
 */
export function inspectDatabase(file: string): boolean {
  const size = fileSize(file)
  if (size === 0) return false
  const header = readHeader(file)
  if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    const begin = JSON.stringify(header.toString('latin1', 0, Math.min(16, size)))
    throw new StoreError(
      'foreign',
      `${file} is not a span database: it begins with ${begin}, a SQLite file was expected`,
    )
  }
  if (size < HEADER_BYTES) throw new StoreError('broken', `${file} is cut off: ${size} bytes`)
  const applicationId = header.readUInt32BE(68)
  if (applicationId !== APPLICATION_ID) {
    throw new StoreError(
      'foreign',
      `${file} is a SQLite database of another application: its application_id is ${hex(applicationId)}, ${hex(APPLICATION_ID)} was expected`,
    )
  }
  const version = header.readUInt32BE(60)
  if (version === ROW_VERSION) {
    throw new StoreError(
      'older',
      `${file} was written by an earlier Hopscope, which kept a row a span (schema version ${version}); this one keeps segments (version ${VERSION}) and has left it as it is: move it away, or choose another folder`,
    )
  }
  if (version > VERSION) {
    throw new StoreError(
      'newer',
      `${file} was written by a newer Hopscope: its schema is version ${version}, this one knows ${VERSION}`,
    )
  }
  const pageSize = header.readUInt16BE(16) === 1 ? 65536 : header.readUInt16BE(16)
  const expected = header.readUInt32BE(28) * pageSize
  // With a log beside it, pages may be in the log that the file does not have yet.
  if (size < expected && fileSize(`${file}-wal`) === 0) {
    throw new StoreError('broken', `${file} is cut off: ${size} bytes, ${expected} were expected`)
  }
  return true
}

/** Opens the span database, or makes it. */
export function openDatabase(file: string): Database.Database {
  let database: Database.Database | undefined
  try {
    if (fileSize(file) === 0) createDatabase(file)
    // SQLite would open it for reading and then fail to make a log, which says less.
    else closeSync(openSync(file, 'r+'))
    database = new Database(file, { timeout: 2000 })
    database.pragma('journal_mode = wal')
    // A segment replaces its log: it must be on the disk before the log goes. (better-sqlite3's default in WAL is NORMAL)
    database.pragma('synchronous = full')
    database.pragma('journal_size_limit = 16777216')
    return database
  } catch (error) {
    database?.close()
    throw storeError(file, error)
  }
}

/** Under another name until it is whole: whoever ends in between leaves no file that is half a database. */
function createDatabase(file: string): void {
  const making = `${file}-new`
  rmSync(making, { force: true })
  const database = new Database(making)
  try {
    database.pragma(`page_size = ${PAGE_SIZE}`)
    database.transaction(() => {
      database.exec(readFileSync(new URL('./schema.sql', import.meta.url), 'utf8'))
      database.pragma(`user_version = ${VERSION}`)
    })()
  } finally {
    database.close()
  }
  renameSync(making, file)
}

function fileSize(file: string): number {
  if (!existsSync(file)) return 0
  const stat = statSync(file)
  if (!stat.isFile()) throw new StoreError('foreign', `${file} is not a file; a span database was expected`)
  return stat.size
}

function readHeader(file: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  try {
    const descriptor = openSync(file, 'r')
    try {
      readSync(descriptor, header, 0, HEADER_BYTES, 0)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw new StoreError('cannot-open', `${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
  return header
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`
