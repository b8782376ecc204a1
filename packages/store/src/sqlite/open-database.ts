import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import Database from 'better-sqlite3'
import { StoreError } from '../store.ts'
import { storeError } from './sqlite-error.ts'

/** "hops"; the first migration writes it. */
const APPLICATION_ID = 0x686f7073
const MAGIC = 'SQLite format 3\0'
const HEADER_BYTES = 100

interface Migration {
  version: number
  file: URL
}

/**
 * Opens (or makes) a span database, alone: a second process is refused.
 * A file that is not ours, newer than we are, or broken is left exactly as it is, and so is its folder. (StoreError)
 */
export function openDatabase(file: string): Database.Database {
  const migrations = listMigrations()
  const version = inspect(file, migrations.length)
  let database: Database.Database | undefined
  try {
    if (version === undefined) mkdirSync(dirname(resolve(file)), { recursive: true })
    // SQLite would open it for reading and then fail to make a log, which says less.
    else closeSync(openSync(file, 'r+'))
    database = new Database(file, { timeout: 500 })
    // Alone, SQLite needs no shared memory file, and a damaged file is left without a log beside it.
    database.pragma('locking_mode = exclusive')
    if (version !== undefined) probe(database)
    migrate(database, migrations)
    database.pragma('journal_mode = wal')
    // A commit returns after fdatasync of the log: this is what 202 promises. (better-sqlite3's default in WAL is NORMAL)
    database.pragma('synchronous = full')
    // 32 MB of log before pages are copied to the file: a page that many commits touch is then copied once. Measured with
    // 4 KB pages, SQLite's own size: half the bytes written of 8 KB pages and the default of 1000.
    database.pragma('wal_autocheckpoint = 8000')
    database.pragma('journal_size_limit = 67108864')
    database.exec('begin immediate; commit')
    return database
  } catch (error) {
    database?.close()
    throw storeError(file, error)
  }
}

function listMigrations(): Migration[] {
  const folder = new URL('./migrations/', import.meta.url)
  return readdirSync(folder)
    .filter(name => name.endsWith('.sql'))
    .sort()
    .map((name, index) => ({ version: index + 1, file: new URL(name, folder) }))
}

/** Applies what is missing, each migration whole or not at all. */
function migrate(database: Database.Database, migrations: Migration[]): void {
  const applied = database.pragma('user_version', { simple: true }) as number
  for (const { version, file } of migrations.slice(applied)) {
    database.transaction(() => {
      database.exec(readFileSync(file, 'utf8'))
      database.pragma(`user_version = ${version}`)
    })()
  }
}

/**
 * Looks at the bytes before SQLite does, since SQLite leaves a log beside what it opens.
 * Returns the schema version, undefined when there is no database yet.
 */
function inspect(file: string, newest: number): number | undefined {
  const size = fileSize(file)
  if (size === 0) return undefined
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
  if (version > newest) {
    throw new StoreError(
      'newer',
      `${file} was written by a newer Hopscope: its schema is version ${version}, this one knows up to ${newest}`,
    )
  }
  const pageSize = header.readUInt16BE(16) === 1 ? 65536 : header.readUInt16BE(16)
  const expected = header.readUInt32BE(28) * pageSize
  // With a log beside it, pages may be in the log that the file does not have yet.
  if (size < expected && fileSize(`${file}-wal`) === 0) {
    throw new StoreError('broken', `${file} is cut off: ${size} bytes, ${expected} were expected`)
  }
  return version
}

/** Reads a little of every table: what is damaged is refused before anything is written. */
function probe(database: Database.Database): void {
  database.prepare('select sum(spans) from trace').get()
  database.prepare('select count(*) from service').get()
  database.prepare('select spans from part order by id desc limit 1').get()
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
