import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'

const children: { child: ChildProcess; name: string }[] = []

/** Starts a program on one core; what it says goes to stderr only when it dies. */
export function pinned(core: number, command: string, args: string[], name: string): ChildProcess {
  const child = spawn('taskset', ['-c', String(core), command, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr!.on('data', chunk => {
    said = (said + chunk).slice(-2000)
  })
  child.on('exit', code => {
    if (!stopping) console.error(`${name} ended with ${code}: ${said}`)
  })
  children.push({ child, name })
  return child
}

let stopping = false

export async function stopAll(): Promise<void> {
  stopping = true
  await Promise.all(
    children.map(({ child }) =>
      child.exitCode !== null
        ? undefined
        : new Promise<void>(resolve => {
            const late = setTimeout(() => child.kill('SIGKILL'), 3000)
            child.on('exit', () => {
              clearTimeout(late)
              resolve()
            })
            child.kill('SIGTERM')
          }),
    ),
  )
}

/** User + system seconds of the process and its threads. (proc(5): fields 14 and 15, in ticks of 1/100 s) */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

export function rssMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

export async function waitForPort(port: number, name: string): Promise<void> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const open = await new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1')
      socket.on('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (open) return
    if (Date.now() > deadline) throw new Error(`${name} did not listen on port ${port} in 10 s`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
