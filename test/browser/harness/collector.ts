import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Span } from '@hopscope/model'
import { freePorts } from '../../conformance/free-ports.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

export interface Collector {
  origin: string
  /** Reports spans; they can be read when this resolves. */
  send(spans: readonly Span[]): Promise<void>
  stop(): Promise<void>
}

/** Our collector on a free port, with a data folder of its own, serving the viewer that was built. */
export async function startCollector(): Promise<Collector> {
  const data = mkdtempSync(join(tmpdir(), 'hopscope-browser-'))
  const [port] = (await freePorts(1)) as [number]
  const child = spawn(
    process.execPath,
    ['apps/collector/src/main.ts', '--port', String(port), '--otlp-port', 'off', '--data', data],
    { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let stderr = ''
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const origin = `http://127.0.0.1:${port}`
  await untilHealthy(`${origin}/health`, child, () => stderr)
  return {
    origin,
    async send(spans) {
      const response = await fetch(`${origin}/api/v2/spans`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(spans),
      })
      if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`)
    },
    async stop() {
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      rmSync(data, { recursive: true, force: true })
    },
  }
}

/** As users get it: the test runner's NODE_ENV would build React for development. */
export function buildViewer(): Promise<void> {
  const vite = join(ROOT, 'apps/viewer/node_modules/.bin/vite')
  const child = spawn(vite, ['build', '--logLevel', 'error'], {
    cwd: join(ROOT, 'apps/viewer'),
    stdio: 'inherit',
    env: { ...process.env, NODE_ENV: 'production' },
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => (code === 0 ? resolve() : reject(new Error(`vite build ended with ${code}`))))
  })
}

async function untilHealthy(url: string, child: ChildProcess, stderr: () => string): Promise<void> {
  const deadline = Date.now() + 60_000
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the collector ended with ${child.exitCode}: ${stderr()}`)
    const isUp = await fetch(url).then(
      response => response.ok,
      () => false,
    )
    if (isUp) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`the collector does not answer: ${stderr()}`)
}
