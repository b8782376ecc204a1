import type { Database } from 'better-sqlite3'
import { BytesReader, BytesWriter } from '../../../packages/store/src/segments/bytes.ts'
import { openDatabase, PIECES_PER_SEGMENT, SEGMENTS_PER_BUCKET } from '../../../packages/store/src/segments/database.ts'
import { packPiece, unpackPiece } from '../../../packages/store/src/segments/piece.ts'
import { PieceReader, type SegmentMeta } from '../../../packages/store/src/segments/segment.ts'
import { DAY_MS } from '../query/build-store.ts'

/**
 * Makes a store of one day one of many: each segment is copied to the days that follow, its traces with other ids and later
 * times, everything else as it is. A fraction of what it costs to write so many spans, and as good to read. No store may
 * have the file open. `told` hears of each day.
 */
export function copySegments(file: string, days: number, told: (day: number) => void): void {
  const database = openDatabase(file)
  try {
    const reader = new PieceReader(database)
    const firstDay = reader.all().filter(({ gone }) => !gone)
    const step = Math.max(...firstDay.map(({ meta }) => meta.id)) + 1
    for (let day = 1; day < days; day++) {
      database.transaction(() => {
        for (const { meta } of firstDay) copySegment(database, reader, meta, meta.id + day * step, day)
        database.prepare('update sealed set log = ?').run((day + 1) * step)
      })()
      told(day + 1)
    }
    database.pragma('wal_checkpoint(truncate)')
  } finally {
    database.close()
  }
}

function copySegment(database: Database, reader: PieceReader, meta: SegmentMeta, id: number, day: number): void {
  const shift = day * DAY_MS
  const ids = Buffer.from(unpackPiece(reader.column(meta.id, 'ids'), 'ids'))
  for (let at = 0; at < meta.traces * 8; at += 4) {
    ids.writeUInt32LE((ids.readUInt32LE(at) ^ Math.imul(day, at % 8 === 0 ? 0x85ebca6b : 0x9e3779b1)) >>> 0, at)
  }
  const table = Buffer.from(unpackPiece(reader.column(meta.id, 'traces_at'), 'table'))
  const offsets = shiftTable(table, meta.traces, shift)

  const page = database.prepare('insert into page (id, piece) values (?, ?)')
  for (const [number, starts] of offsets.entries()) {
    const rows = Buffer.from(unpackPiece(reader.page(meta.id, number), 'page'))
    for (const start of starts) shiftVarint(rows, start, shift * 1000)
    page.run(id * PIECES_PER_SEGMENT + number, packPiece(rows))
  }
  database
    .prepare('insert into dictionary select id + ?, piece from dictionary where id >= ? and id < ?')
    .run((id - meta.id) * PIECES_PER_SEGMENT, meta.id * PIECES_PER_SEGMENT, (meta.id + 1) * PIECES_PER_SEGMENT)
  const term = database.prepare('insert into term select ?, piece from term where id = ?')
  for (let bucket = 0; bucket < 64; bucket++) {
    term.run(bucket * SEGMENTS_PER_BUCKET + id, bucket * SEGMENTS_PER_BUCKET + meta.id)
  }
  database
    .prepare(
      `insert into segment (id, last, spans, traces, min_ms, max_ms, untimed, sealed_ms, bytes, ids, traces_at, names, links)
       select ?, ?, spans, traces, min_ms + ?, max_ms + ?, untimed, sealed_ms, bytes, ?, ?, names, links from segment where id = ?`,
    )
    .run(id, id, shift, shift, packPiece(ids), packPiece(table), meta.id)
}

/** Moves the first start, which all others are counted from; returns where the traces of each page begin. */
function shiftTable(table: Buffer, traces: number, shift: number): number[][] {
  const from = new BytesReader(table)
  const offsets: number[][] = []
  let isShifted = false
  let page = 0
  for (let trace = 0; trace < traces; trace++) {
    const flags = table[from.at++]!
    if (flags & 1) {
      // A zigzag number is twice the number.
      if (!isShifted) shiftVarint(table, from.at, shift * 2)
      isShifted = true
      from.varint()
      from.varint()
    }
    from.at++
    page += from.varint()
    offsets[page] ??= []
    offsets[page]!.push(from.varint())
    from.varint()
  }
  return offsets
}

/** Times of our days all have the same length. 0 is no time. */
function shiftVarint(bytes: Buffer, at: number, by: number): void {
  const from = new BytesReader(bytes, at)
  const value = from.varint()
  if (value === 0) return
  const out = new BytesWriter(8)
  out.varint(value + by)
  if (out.length !== from.at - at) throw new Error(`${value} + ${by} is longer than what it replaces`)
  bytes.set(out.view(), at)
}
