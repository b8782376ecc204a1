import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Of directories below each other, as Envoy bounds them: links may lead in circles. */
const MAX_DEPTH = 16

/**
 * The values below a directory, as text: `fault/http/abort_percent` is `fault.http.abort_percent`. Undefined: there is no such directory.
 * Throws when something in it cannot be read, which spoils the whole layer (a link that leads nowhere, too).
 */
export function readDiskLayer(directory: string): Map<string, string> | undefined {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined
  const values = new Map<string, string>()
  walk(directory, '', 1, values)
  return values
}

function walk(directory: string, prefix: string, depth: number, values: Map<string, string>): void {
  if (depth > MAX_DEPTH) throw new Error(`walk recursion depth exceeded ${MAX_DEPTH}: ${directory}`)
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    const key = prefix === '' ? entry.name : `${prefix}.${entry.name}`
    const what = resolved(entry, path)
    if (what.isDirectory()) walk(path, key, depth + 1, values)
    else if (what.isFile()) values.set(key, textOf(readFileSync(path, 'utf8')))
  }
}

function resolved(entry: Dirent, path: string): Pick<Dirent, 'isDirectory' | 'isFile'> {
  return entry.isSymbolicLink() ? statSync(path) : entry
}

/** Without comments (lines that begin with `#`) and empty lines, and without what is blank at the end. */
function textOf(content: string): string {
  const lines = content.replace(/\s+$/, '').split('\n').filter(line => line !== '') // biome-ignore format: one line
  const last = lines.at(-1)
  // A line that is equal to the last one is taken for it, in Envoy.
  return lines.map(line => (line.startsWith('#') ? '' : line === last ? line : `${line}\n`)).join('')
}
