import { StoreError, type StoreErrorCode } from '../store.ts'

/** SQLite's result codes, by prefix, as what a person can do something about. */
const CAUSES: [code: string, StoreErrorCode, text: string][] = [
  ['SQLITE_BUSY', 'locked', 'is in use by another process'],
  ['SQLITE_LOCKED', 'locked', 'is in use by another process'],
  ['SQLITE_FULL', 'full', 'cannot grow: the disk is full'],
  ['SQLITE_READONLY', 'readonly', 'cannot be written: it, or its folder, is read-only'],
  ['SQLITE_NOTADB', 'broken', 'is damaged'],
  ['SQLITE_CORRUPT', 'broken', 'is damaged'],
  ['SQLITE_CANTOPEN', 'cannot-open', 'cannot be opened'],
  ['SQLITE_PERM', 'cannot-open', 'cannot be opened'],
  ['SQLITE_IOERR', 'cannot-open', 'cannot be read or written'],
  ['EROFS', 'readonly', 'cannot be written: it, or its folder, is read-only'],
  ['EACCES', 'readonly', 'cannot be written: it, or its folder, is read-only'],
  ['ENOSPC', 'full', 'cannot grow: the disk is full'],
  ['EDQUOT', 'full', 'cannot grow: the disk quota is used up'],
  ['EEXIST', 'cannot-open', 'cannot be opened'],
  ['ENOTDIR', 'cannot-open', 'cannot be opened'],
  ['ENOENT', 'cannot-open', 'cannot be opened'],
]

/** Any other that the operating system has. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/

/** A StoreError that names the file; what is no fault of file or disk comes back as it is. */
export function storeError(file: string, error: unknown): unknown {
  if (error instanceof StoreError || !(error instanceof Error) || !('code' in error)) return error
  const code = String(error.code)
  const cause = CAUSES.find(([prefix]) => code.startsWith(prefix))
  if (cause === undefined) {
    if (!SYSTEM_CODE.test(code)) return error
    return new StoreError('cannot-open', `${file} cannot be read or written (${error.message})`, { cause: error })
  }
  return new StoreError(cause[1], `${file} ${cause[2]} (${error.message})`, { cause: error })
}
