import { createHash } from 'node:crypto'
import { accessSync, constants, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkout } from '../checkout.ts'
import { UserError } from '../user-error.ts'

/** A folder for one run: translated files, data, logs. In the checkout, or where temporary files go when that is read-only. */
export function makeRunFolder(): string {
  const problems: string[] = []
  for (const base of writableFolders('run')) {
    const folder = join(base, `${process.pid}-${Date.now().toString(36)}`)
    try {
      for (const name of ['envoy', 'data', 'logs']) mkdirSync(join(folder, name), { recursive: true })
      accessSync(folder, constants.W_OK)
      return folder
    } catch (error) {
      problems.push(`${base} (${(error as NodeJS.ErrnoException).code})`)
      rmSync(folder, { recursive: true, force: true })
    }
  }
  throw new UserError(`there is no place for the files of a run: neither ${problems.join(' nor ')} can be written to`)
}

/** Where something of this checkout may be kept, the best place first. */
export function writableFolders(what: string): string[] {
  const name = createHash('sha256').update(checkout).digest('hex').slice(0, 8)
  return [join(checkout, '.hopscope', what), join(tmpdir(), `hopscope-${name}`, what)]
}
