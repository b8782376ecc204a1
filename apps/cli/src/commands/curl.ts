import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../user-error.ts'
import { readStates } from './mesh-state.ts'

/**
 * `hopscope curl PATH_OR_URL …`: the system's curl, through the entry of the mesh that was started last. Prints status and
 * headers, the body as it comes, and where the trace is to be seen. Resolves to curl's exit code.
 */
export async function curl(target: string, args: readonly string[]): Promise<number> {
  const mesh = readStates().at(-1)
  const isUrl = /^https?:\/\//.test(target)
  if (!isUrl && !target.startsWith('/'))
    throw new UserError(`expected a path (/get) or an address (http://…), got ${target}`)
  if (mesh === undefined && !isUrl) throw new UserError('no mesh runs in this checkout: ./hopscope up starts one')
  const folder = mkdtempSync(join(tmpdir(), 'hopscope-curl-'))
  const headFile = join(folder, 'head')
  try {
    const url = isUrl ? target : `${mesh!.entry}${target}`
    const { code, body } = await runCurl(['-sS', '-D', headFile, ...args, url])
    const head = code === 0 ? readFileSync(headFile, 'utf8').replaceAll('\r', '') : ''
    process.stdout.write(head)
    process.stdout.write(body)
    const traceId = /^x-b3-traceid: *([0-9a-f]+)/im.exec(head)?.[1]
    if (mesh !== undefined && traceId !== undefined) {
      const lineFeed = body.length > 0 && body.at(-1) !== 10 ? '\n' : ''
      process.stdout.write(`${lineFeed}\ntrace: ${mesh.collector}/zipkin/traces/${traceId}\n`)
    }
    return code
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function runCurl(args: readonly string[]): Promise<{ code: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const child = spawn('curl', args, { stdio: ['inherit', 'pipe', 'inherit'] })
    const chunks: Buffer[] = []
    child.stdout.on('data', chunk => chunks.push(chunk))
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new UserError('curl is not installed here') : error),
    )
    child.once('close', code => resolve({ code: code ?? 1, body: Buffer.concat(chunks) }))
  })
}
