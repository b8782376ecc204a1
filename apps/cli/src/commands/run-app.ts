import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { checkout } from '../checkout.ts'

/** `hopscope validate FILE`: the sidecar's own `--mode validate`, so that both say the same. Resolves to its exit code. */
export function validate(file: string): Promise<number> {
  return runApp('sidecar', ['--mode', 'validate', '-c', resolve(file)])
}

/** `hopscope load …`: the load client with its own arguments. */
export function load(args: readonly string[]): Promise<number> {
  return runApp('client', args)
}

/** `hopscope store …`: the collector's own subcommand, with its own arguments. */
export function store(args: readonly string[]): Promise<number> {
  return runApp('collector', ['store', ...args])
}

function runApp(app: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [join(checkout, 'apps', app, 'src/main.ts'), ...args], { stdio: 'inherit' })
  // Ctrl-C reaches the child through the terminal; this process waits for its end.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('close', (code, signal) => done(code ?? (signal === 'SIGINT' ? 130 : 143)))
  })
}
