import { accessSync, constants, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkout } from '../checkout.ts'

/** A folder for one run: translated files, data, logs. In the checkout, or where temporary files go when that is read-only. */
export function makeRunFolder(): string {
  for (const base of [join(checkout, '.hopscope', 'run'), join(tmpdir(), 'hopscope-run')]) {
    const folder = join(base, `${process.pid}-${Date.now().toString(36)}`)
    try {
      for (const name of ['envoy', 'data', 'logs']) mkdirSync(join(folder, name), { recursive: true })
      accessSync(folder, constants.W_OK)
      return folder
    } catch {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  throw new Error(`neither ${checkout} nor ${tmpdir()} can be written to`)
}
