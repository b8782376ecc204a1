import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** A mesh that runs: real sidecars, real applications, a real collector with the viewer. */
export interface RunningScenario {
  /** The collector's, which serves the viewer too. */
  origin: string
  /** A call into the mesh, when all its spans are stored: the ids of its traces, the entry's first. */
  call(path: string, traces: number, spans: number): Promise<string[]>
  stop(): Promise<void>
}

/** `hopscope up`, as a person runs it; `options` as on its command line. */
export async function startScenario(name: string, ...options: string[]): Promise<RunningScenario> {
  const child = spawn(process.execPath, ['apps/cli/src/main.ts', 'up', name, ...options], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk
      if (/^\s+end\s+Ctrl-C/m.test(output)) resolve()
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', code => reject(new Error(`hopscope up ${name} ended with ${code}: ${output}`)))
  })
  const addressOf = (what: string) => {
    const address = new RegExp(`^\\s+${what}\\s+(http://[^/\\s]+)`, 'm').exec(output)?.[1]
    if (!address) throw new Error(`hopscope up ${name} does not say its ${what}: ${output}`)
    return address
  }
  const origin = addressOf('viewer')
  const entry = addressOf('entry')
  const stored = async (since: number): Promise<{ traceId: string; timestamp?: number }[][]> => {
    const query = `endTs=${Date.now() + 1_000}&lookback=${Date.now() - since + 2_000}&limit=100`
    return (await fetch(`${origin}/zipkin/api/v2/traces?${query}`)).json() as Promise<{ traceId: string }[][]>
  }
  return {
    origin,
    async call(path, traces, spans) {
      const since = Date.now()
      const known = new Set((await stored(since)).map(trace => trace[0]!.traceId))
      await (await fetch(entry + path)).arrayBuffer()
      const deadline = since + 60_000
      for (;;) {
        const fresh = (await stored(since)).filter(trace => !known.has(trace[0]!.traceId))
        const count = fresh.reduce((sum, trace) => sum + trace.length, 0)
        if (fresh.length === traces && count === spans) {
          const startOf = (trace: { timestamp?: number }[]) => Math.min(...trace.map(({ timestamp = 0 }) => timestamp))
          return fresh.sort((a, b) => startOf(a) - startOf(b)).map(trace => trace[0]!.traceId)
        }
        if (Date.now() > deadline) {
          throw new Error(`${path}: expected ${traces} traces of ${spans} spans, got ${fresh.length} of ${count}`)
        }
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    },
    async stop() {
      child.kill('SIGINT')
      await ended
    },
  }
}

/** `hopscope compare --view`, when it has measured and waits for somebody to look. */
export async function startComparison(name: string, ...options: string[]) {
  const child = spawn(process.execPath, ['apps/cli/src/main.ts', 'compare', name, '--view', ...options], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const link = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk
      const found = /^\s+viewer\s+(\S+)\n/m.exec(output)
      if (found) resolve(found[1]!)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', code => reject(new Error(`hopscope compare ${name} ended with ${code}: ${output}`)))
  })
  return {
    link,
    output,
    origin: new URL(link).origin,
    async stop() {
      child.kill('SIGINT')
      await ended
    },
  }
}
