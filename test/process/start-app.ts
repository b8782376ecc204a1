import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface App {
  /** All that it wrote until now, stdout and stderr in order of arrival. */
  output(): string
  /** Resolves with the match as soon as the output has it; rejects when the process ends without. */
  saw(pattern: RegExp): Promise<RegExpExecArray>
  signal(name: NodeJS.Signals): void
  /** Resolves when the process is gone. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** Starts `node apps/NAME/src/main.ts`, as a user would from the checkout, with nothing but `env` in its environment. */
export function startApp(
  name: string,
  { env = {}, argv = [] }: { env?: Record<string, string>; argv?: string[] } = {},
): App {
  const main = fileURLToPath(new URL(`../../apps/${name}/src/main.ts`, import.meta.url))
  const child = spawn(process.execPath, [main, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  const watchers = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      for (const watch of watchers) watch()
    })
  }
  const ended: App['ended'] = new Promise(resolve => child.once('close', (code, signal) => resolve({ code, signal })))
  return {
    output: () => text,
    saw: pattern =>
      new Promise((resolve, reject) => {
        const watch = () => {
          const match = pattern.exec(text)
          if (match === null) return
          watchers.delete(watch)
          resolve(match)
        }
        watchers.add(watch)
        watch()
        ended.then(({ code }) => reject(new Error(`${name} ended with ${code} before it printed ${pattern}:\n${text}`)))
      }),
    signal: name => child.kill(name),
    ended,
  }
}
