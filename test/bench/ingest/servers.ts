import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

export interface Server {
  name: string
  port: number
  process: ChildProcess
}

const COLLECTOR = fileURLToPath(new URL('../../../apps/collector/src/main.ts', import.meta.url))

export async function startCollector(
  data: string,
  environment: Record<string, string> = {},
  collector = COLLECTOR,
): Promise<Server> {
  const port = await freePort()
  const args = [collector, '--port', String(port), '--otlp-port', 'off', '--data', data]
  return healthy(
    'hopscope',
    port,
    spawn(process.execPath, args, { env: { ...process.env, ...environment }, stdio: 'ignore' }),
  )
}

/** Its default of 500,000 spans in memory takes 1.6 GB: with twice that, its heap is not what is measured. */
export async function startZipkin(jar: string, environment: Record<string, string> = {}): Promise<Server> {
  const port = await freePort()
  const env = { ...process.env, QUERY_PORT: String(port), ...environment }
  return healthy('zipkin-server', port, spawn('java', ['-Xmx4g', '-jar', jar], { env, stdio: 'ignore' }))
}

export async function stop(server: Server): Promise<void> {
  const exited = new Promise(resolve => server.process.once('exit', resolve))
  server.process.kill('SIGTERM')
  await exited
}

/** CPU time of a process so far, seconds. */
export function cpuSeconds({ process }: Server): number {
  const fields = readFileSync(`/proc/${process.pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
  // utime and stime, in ticks of 10 ms; `state`, the third field of stat(5), is the first here.
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Resident memory, MB. */
export function residentMb({ process }: Server): number {
  const [, kb] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${process.pid}/status`, 'latin1'))!
  return Number(kb) / 1024
}

async function healthy(name: string, port: number, process: ChildProcess): Promise<Server> {
  let exited = false
  process.once('exit', () => {
    exited = true
  })
  for (let attempt = 0; attempt < 600; attempt++) {
    if (exited) throw new Error(`${name} ended while it started`)
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined)
    if (answer?.ok) return { name, port, process }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  process.kill()
  throw new Error(`${name} was not healthy within a minute`)
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
