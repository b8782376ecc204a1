import { readFileSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { unpackPiece } from './piece.ts'
import type { KeptLink } from './sealer-protocol.ts'

/** Undefined while there is no such table. */
export function linkedReader(database: Database): ((segment: number) => Buffer | undefined) | undefined {
  if (!hasTable(database)) return undefined
  const statement = database.prepare<[number], Buffer>('select piece from linked where segment = ?').pluck()
  return segment => statement.get(segment)
}

const hasTable = (database: Database): boolean =>
  database.prepare("select 1 from sqlite_schema where name = 'linked'").get() !== undefined

/** What is damaged of it. */
export function* verifyKeptLinks(database: Database): Generator<string> {
  if (!hasTable(database)) return
  const statement = database.prepare<[], { segment: number; piece: Buffer }>('select segment, piece from linked')
  for (const { segment, piece } of statement.iterate()) {
    try {
      unpackPiece(piece, `segment ${segment}, kept links`)
    } catch (error) {
      yield (error as Error).message
    }
  }
}

/** The table `linked` for those who write it; made with the first. */
export class LinkedTable {
  #insert
  #delete

  constructor(database: Database) {
    database.exec(readFileSync(new URL('./linked.sql', import.meta.url), 'utf8'))
    this.#insert = database.prepare(
      'insert or replace into linked (segment, piece) select id, ? from segment where id = ? and gone = 0',
    )
    this.#delete = database.prepare('delete from linked where segment = ?')
  }

  put({ segment, piece }: KeptLink): void {
    this.#insert.run(piece, segment)
  }

  delete(segment: number): void {
    this.#delete.run(segment)
  }
}
