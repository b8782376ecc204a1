// Makes src/segments/json-kernel.wasm of json-kernel.ts: node packages/store/assembly/build.ts
// AssemblyScript comes from npm into .cache/assemblyscript: a hundred megabytes that only this needs.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const VERSION = '0.28.20'
const SOURCE = fileURLToPath(new URL('json-kernel.ts', import.meta.url))
const OUTPUT = fileURLToPath(new URL('../src/segments/json-kernel.wasm', import.meta.url))
const CACHE = fileURLToPath(new URL('../../../.cache/assemblyscript', import.meta.url))
const COMPILER = join(CACHE, 'node_modules/assemblyscript')
/** Of 64 KB: what MEMORY_BYTES of the kernel needs. */
const PAGES = '160'

interface Compiler {
  main(
    args: string[],
    files: { readFile: (name: string) => string | null; writeFile: (name: string, bytes: Uint8Array | string) => void },
  ): Promise<{ error: Error | null; stderr: { toString(): string } }>
}

export function isCompilerThere(): boolean {
  if (!existsSync(join(COMPILER, 'package.json'))) return false
  return JSON.parse(readFileSync(join(COMPILER, 'package.json'), 'utf8')).version === VERSION
}

/** The kernel, compiled. Throws with the compiler's words when it does not compile. */
export async function compileKernel(): Promise<Buffer> {
  const { default: compiler }: { default: Compiler } = await import(pathToFileURL(join(COMPILER, 'dist/asc.js')).href)
  const source = readFileSync(SOURCE, 'utf8')
  const args = ['json-kernel.ts', '--outFile', 'json-kernel.wasm', '-O3', '--runtime', 'stub', '--noAssert']
  args.push('--enable', 'simd,bulk-memory', '--initialMemory', PAGES, '--maximumMemory', PAGES)
  let compiled: Uint8Array | string = ''
  const { error, stderr } = await compiler.main(args, {
    readFile: name => (name === 'json-kernel.ts' ? source : null),
    writeFile: (_name, bytes) => {
      compiled = bytes
    },
  })
  if (error !== null) throw new Error(`${error.message}\n${stderr}`)
  return Buffer.concat([Buffer.from(compiled), sourceSection(source)])
}

/** A custom section that tells of which source the binary was made. */
function sourceSection(source: string): Buffer {
  const name = Buffer.from('source')
  const hash = createHash('sha256').update(source).digest()
  return Buffer.concat([Buffer.from([0, 1 + name.length + hash.length, name.length]), name, hash])
}

function install(): void {
  mkdirSync(CACHE, { recursive: true })
  writeFileSync(join(CACHE, 'package.json'), '{ "private": true }\n')
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `assemblyscript@${VERSION}`]
  const { status } = spawnSync('npm', args, { cwd: CACHE, stdio: 'inherit' })
  if (status !== 0) throw new Error(`npm could not install assemblyscript@${VERSION} into ${CACHE}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!isCompilerThere()) install()
  writeFileSync(OUTPUT, await compileKernel())
  console.log(`wrote ${OUTPUT}`)
}
