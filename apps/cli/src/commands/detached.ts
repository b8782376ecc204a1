import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '../checkout.ts'
import { writableFolders } from '../mesh/run-folder.ts'
import { nearest } from '../scenario/nearest.ts'
import { UserError } from '../user-error.ts'
import { detachedState, isRunning, type MeshState, readStates } from './mesh-state.ts'

/** A mesh ends within this, ms: three seconds for each service, all at once. */
const PATIENCE_AT_END = 30_000

/** Starts `hopscope up` with the same arguments in the background and returns when it is ready. */
export async function detach(args: readonly string[], options: { docker?: boolean }): Promise<number> {
  if (options.docker) throw new UserError('--detach is for processes; with Docker, docker compose up -d does it')
  const other = detachedState()
  if (other !== undefined) throw new UserError(`${other.scenario} runs already: ./hopscope down ends it`)
  const logFile = logFileOf(process.pid)
  const log = openSync(logFile, 'w')
  const child = spawn(process.execPath, [join(checkout, 'apps/cli/src/main.ts'), ...args], {
    cwd: checkout,
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, HOPSCOPE_DETACHED: '1' },
  })
  closeSync(log)
  child.unref()
  while (detachedState()?.pid !== child.pid) {
    if (child.exitCode !== null)
      throw new UserError(
        readFileSync(logFile, 'utf8')
          .trim()
          .replace(/^hopscope: /gm, ''),
      )
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  const first = readStates().find(state => state.detached && state.pid !== child.pid)
  if (first !== undefined) {
    process.kill(child.pid!, 'SIGTERM')
    throw new UserError(`${first.scenario} runs already: ./hopscope down ends it`)
  }
  console.log(readFileSync(logFile, 'utf8').trim().replace('Ctrl-C', './hopscope down'))
  return 0
}

export async function ps(): Promise<number> {
  const { scenario, services } = aMesh()
  console.log(scenario)
  for (const { name, pid } of services) console.log(`  ${name.padEnd(20)} ${String(pid).padStart(7)}  ${memoryOf(pid)}`)
  return 0
}

export async function logs(service: string | undefined): Promise<number> {
  const { services } = aMesh()
  const wanted = service === undefined ? services : services.filter(({ name }) => name === service)
  if (wanted.length === 0) {
    const names = services.map(({ name }) => name)
    throw new UserError(`there is no service ${service}${nearest(service!, names)} (there are ${names.join(', ')})`)
  }
  for (const { name, logFile } of wanted) {
    for (const line of readFileSync(logFile, 'utf8').split('\n').slice(0, -1))
      console.log(service === undefined ? `${name} | ${line}` : line)
  }
  return 0
}

export async function down(): Promise<number> {
  const { pid, scenario } = detachedMesh()
  process.kill(pid, 'SIGTERM')
  const deadline = Date.now() + PATIENCE_AT_END
  while (isRunning(pid)) {
    if (Date.now() > deadline)
      throw new UserError(`${scenario} (pid ${pid}) did not end in ${PATIENCE_AT_END / 1000} s`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  console.log(`${scenario} has ended`)
  return 0
}

/** What the process in the background writes: in the checkout, or where there is room for it. */
function logFileOf(pid: number): string {
  for (const folder of writableFolders('detached')) {
    try {
      mkdirSync(folder, { recursive: true })
      return join(folder, `${pid}.log`)
    } catch {
      // the next one
    }
  }
  throw new UserError('there is no place for the log of a mesh in the background')
}

/** The detached one, else the one that was started last in another terminal. */
function aMesh(): MeshState {
  const state = detachedState() ?? readStates().at(-1)
  if (state === undefined) throw new UserError('no mesh runs in this checkout: ./hopscope up starts one')
  if (state.services.length === 0)
    throw new UserError(`${state.scenario} runs with Docker, which has its own ps and logs`)
  return state
}

function detachedMesh(): MeshState {
  const state = detachedState()
  if (state !== undefined) return state
  const other = readStates().at(-1)
  throw new UserError(
    other === undefined
      ? 'no detached mesh runs: ./hopscope up --detach starts one'
      : `${other.scenario} is not detached: Ctrl-C in its terminal ends it (pid ${other.pid})`,
  )
}

function memoryOf(pid: number): string {
  try {
    const kilobytes = Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1])
    return `${Math.round(kilobytes / 1024)} MB`
  } catch {
    return isRunning(pid) ? '' : 'ended'
  }
}
