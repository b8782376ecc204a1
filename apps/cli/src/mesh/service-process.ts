import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { checkout } from '../checkout.ts'
import { systemProblem, UserError } from '../user-error.ts'
import type { ProcessPlan } from './process-plan.ts'

/** SIGTERM has this long to work before SIGKILL, ms. */
const PATIENCE_AT_END = 3000
/** A service that has not answered by then will not, ms. */
const PATIENCE_AT_START = 60_000
/** No program listens sooner after its start, ms: looking before that only takes time from those that start. */
const FIRST_LOOK = 75
/** Between two looks whether a service is ready, ms. */
const LOOK_AGAIN = 20

/**
 * What V8's compilers needed for a moment `malloc` keeps, in an arena a thread: a sidecar of 37 MB has 64 after its first thousand
 * requests. With one arena, and what is large given back at once, it has 52.
 */
const FOR_SMALL_PROCESSES = {
  NODE_COMPILE_CACHE: join(checkout, '.cache', 'compile'),
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '32768',
}

/** One service as a process of this machine. */
export class ServiceProcess {
  readonly name: string
  readonly logFile: string
  /** It ended by itself, after it had been ready. */
  onUnexpectedEnd: (message: string) => void = () => {}
  #plan: ProcessPlan
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #stopping = false
  #ready = false

  constructor(plan: ProcessPlan, folder: string) {
    this.#plan = plan
    this.name = plan.name
    this.logFile = join(folder, 'logs', `${this.name}.log`)
  }

  get plan(): ProcessPlan {
    return this.#plan
  }

  set plan(plan: ProcessPlan) {
    this.#plan = plan
  }

  get pid(): number | undefined {
    return this.running ? this.#child?.pid : undefined
  }

  /** It has answered, and runs. */
  get ready(): boolean {
    return this.#ready && this.running
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Spawns it and waits until it is ready. @throws UserError with its last lines when it ends instead */
  async start(signal?: AbortSignal): Promise<void> {
    for (const [path, text] of Object.entries(this.#plan.files)) {
      try {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, text)
      } catch (error) {
        throw new UserError(`${this.name}: ${systemProblem(error, path) ?? (error as Error).message}`)
      }
    }
    this.#spawn()
    await this.#untilReady(signal)
    this.#ready = true
  }

  async stop(): Promise<void> {
    if (!this.running) return
    this.#stopping = true
    this.#child!.kill('SIGTERM')
    const late = setTimeout(() => this.#child!.kill('SIGKILL'), PATIENCE_AT_END)
    await this.#ended
    clearTimeout(late)
  }

  output(): string {
    try {
      return readFileSync(this.logFile, 'utf8')
    } catch {
      return ''
    }
  }

  lastLines(count = 8): string {
    const lines = this.output().trimEnd().split('\n').slice(-count)
    return lines.map(line => `  ${this.name} | ${line}`).join('\n')
  }

  #spawn(): void {
    const { command, args, environment } = this.#plan
    const log = openSync(this.logFile, 'a')
    const child = spawn(command, args, {
      cwd: checkout,
      stdio: ['ignore', log, log],
      env: { ...inherited(), ...FOR_SMALL_PROCESSES, ...environment },
    })
    closeSync(log)
    this.#child = child
    this.#stopping = false
    this.#ready = false
    this.#ended = new Promise(resolve => {
      child.once('error', error => {
        writeFileSync(this.logFile, `${command}: ${error.message}\n`, { flag: 'a' })
        resolve()
      })
      child.once('exit', (code, killedBy) => {
        resolve()
        if (this.#ready && !this.#stopping && code !== 0) this.onUnexpectedEnd(this.#endMessage(code, killedBy))
      })
    })
  }

  /** When it is its file that is wrong: what, with line and column of the original. */
  #wrongFile(): string | undefined {
    const { validate } = this.#plan
    if (validate === undefined) return undefined
    const { status, stdout, stderr } = spawnSync(validate.command, validate.args, {
      cwd: process.cwd(),
      encoding: 'utf8',
      timeout: 30_000,
    })
    if (status === 0 || status === null) return undefined
    const lines = `${stdout}${stderr}`.trimEnd().split('\n')
    return `${this.name} does not start, its file is wrong:\n${lines.map(line => `  ${line}`).join('\n')}`
  }

  #endMessage(code: number | null, killedBy: NodeJS.Signals | null): string {
    const how = killedBy === null ? `with exit code ${code}` : `by ${killedBy}`
    return `${this.name} ended ${how}. Its last words:\n${this.lastLines()}`
  }

  async #untilReady(signal?: AbortSignal): Promise<void> {
    const { readiness } = this.#plan
    const deadline = Date.now() + PATIENCE_AT_START
    if (readiness !== undefined) await wait(FIRST_LOOK)
    while (readiness !== undefined && !((await listens(readiness)) && (await answers(readiness)))) {
      signal?.throwIfAborted()
      if (!this.running && this.#stopping) return
      if (!this.running)
        throw new UserError(this.#wrongFile() ?? this.#endMessage(this.#child!.exitCode, this.#child!.signalCode))
      if (Date.now() > deadline) {
        throw new UserError(
          `${this.name} was not ready in ${PATIENCE_AT_START / 1000} s (${readiness}). Its last words:\n${this.lastLines()}`,
        )
      }
      await wait(LOOK_AGAIN)
    }
  }
}

function wait(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** What belongs to the outer npm or to an outer test run does not belong to a service. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV$|NODE_OPTIONS$|OTEL_)/.test(name)),
  )
}

/** A fifth of what a request that is refused costs; a dozen processes are asked many times while they start. */
function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  return new Promise(resolve => {
    const socket = connect(Number(port), hostname)
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

function answers(url: string): Promise<boolean> {
  return new Promise(resolve => {
    const request = get(url, { agent: false, timeout: 1000 }, response => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
  })
}
