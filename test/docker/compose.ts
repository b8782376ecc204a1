import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Whether an engine answers here, and what drives compose files: the plugin, or else the older docker-compose. */
export const dockerHere = spawnSync('docker', ['version'], { stdio: 'ignore' }).status === 0
const compose =
  spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0
    ? ['docker', 'compose']
    : ['docker-compose']

/** `/shop 0`: a container's name and the exit code with which it ended; 137 is by SIGKILL. */
export function exitOf(container: string): string {
  const form = '{{.Name}} {{.State.ExitCode}}'
  return execFileSync('docker', ['inspect', '--format', form, container], { encoding: 'utf8' }).trim()
}

export interface Mesh {
  /** `build`, `up`, `stop`, …; returns stdout, throws with both streams when it fails. */
  run(...args: string[]): string
  /** Starts all services of the file and returns without waiting for health. */
  up(env?: Record<string, string>): void
  /** Containers, networks and volumes go. */
  down(): void
}

/** A compose file of the checkout (path from its root), under a project name of its own. */
export function mesh(file: string): Mesh {
  const project = `hopscope-test-${file.replace(/[^a-z0-9]+/g, '-')}`
  let variables: Record<string, string> = {}
  const run = (...args: string[]) => {
    const [command, ...first] = compose
    try {
      return execFileSync(command!, [...first, '-p', project, '-f', file, ...args], {
        cwd: ROOT,
        env: { ...process.env, COMPOSE_ANSI: 'never', ...variables },
        stdio: ['ignore', 'pipe', 'pipe'],
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
      })
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string }
      throw new Error(`${compose.join(' ')} ${args.join(' ')} (${file}) failed:\n${stdout}\n${stderr}`)
    }
  }
  return {
    run,
    up(env = {}) {
      variables = env
      run('up', '-d', '--no-build')
    },
    down: () => void run('down', '-v', '--timeout', '3'),
  }
}
