import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { type Replayed, replay } from './log-record.ts'

export interface LogFile {
  number: number
  path: string
}

/** The logs beside a database file, oldest first. */
export function logFiles(file: string): LogFile[] {
  const folder = dirname(resolve(file))
  const prefix = `${basename(file)}-log-`
  return readdirSync(folder)
    .filter(name => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map(name => ({ number: Number(name.slice(prefix.length)), path: join(folder, name) }))
    .sort((a, b) => a.number - b.number)
}

/** What a log that was not sealed holds; undefined, and the log is gone, when that is nothing. Of a damaged one a copy is kept. */
export function recoverLog({ number, path }: LogFile, warn: (line: string) => void): Replayed | undefined {
  const bytes = readFileSync(path)
  const replayed = replay(bytes, number)
  if ((replayed === undefined || replayed.rest === 'damaged') && bytes.length > 16) {
    const kept = `${path}.damaged`
    writeFileSync(kept, bytes)
    warn(
      `${path} is damaged at byte ${replayed?.end ?? 0} of ${bytes.length}: what stands before is kept, a copy is ${kept}`,
    )
  }
  if (replayed !== undefined && replayed.head.spanCount > 0) return replayed
  rmSync(path, { force: true })
  return undefined
}
