import Database from 'better-sqlite3'
import { StoreError } from '../store.ts'
import { storeError } from './sqlite-error.ts'

/**
 * Keeps a store for one process: an empty file beside it, locked by the operating system for as long as the process lives,
 * however it ends. (Node has no file locks; SQLite has.) Returns what lets go.
 */
export function lockStore(file: string): () => void {
  let database: Database.Database | undefined
  try {
    database = new Database(`${file}-lock`, { timeout: 500 })
    database.exec('begin exclusive')
  } catch (error) {
    database?.close()
    const told = storeError(`${file}-lock`, error)
    if (told instanceof StoreError && told.code === 'locked') {
      throw new StoreError('locked', `${file} is in use by another process`, { cause: error })
    }
    throw told
  }
  const held = database
  return () => held.close()
}
