/**
 * Ways for `--concurrency 2` to share a port: node test/bench/proxy/workers.ts [--rounds 5] [--seconds 2] [--connections 64]
 *
 * Two processes answer 1 KB over node:net, without a proxy's work, so that what is compared is who gets which connection: SO_REUSEPORT
 * (the kernel deals), node:cluster with one listening handle for all (whoever is awake takes), and with round robin (the parent accepts
 * and hands over). Needs wrk on the PATH.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { freePorts } from '../../conformance/free-ports.ts'
import { cpuSeconds } from './processes.ts'

const WAYS = ['SO_REUSEPORT', 'cluster, shared handle', 'cluster, round robin'] as const
const WORKERS = 2
const ANSWER = `HTTP/1.1 200 OK\r\ncontent-length: 1024\r\n\r\n${'x'.repeat(1024)}`

const { WAY, PORT } = process.env
if (WAY === undefined) await compare()
else if (cluster.isPrimary) await share(WAY)
else serve(WAY === 'SO_REUSEPORT', Number(PORT))

function serve(reusePort: boolean, port: number): void {
  const server = createServer({ noDelay: true }, socket => {
    socket.on('error', () => {})
    socket.on('data', () => void socket.write(ANSWER))
  })
  server.listen({ port, host: '127.0.0.1', reusePort, exclusive: reusePort }, () => process.send!('ready'))
}

async function share(way: string): Promise<void> {
  cluster.schedulingPolicy = way === 'cluster, round robin' ? cluster.SCHED_RR : cluster.SCHED_NONE
  const workers = Array.from({ length: WORKERS }, () => cluster.fork())
  await Promise.all(workers.map(worker => once(worker, 'message')))
  process.send!(workers.map(({ process: { pid } }) => pid))
}

async function compare(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      connections: { type: 'string', default: '64' },
    },
  })
  const ports = await freePorts(WAYS.length)
  const parents: ChildProcess[] = []
  try {
    const running: { way: string; port: number; parent: number; workers: number[] }[] = []
    for (const [i, way] of WAYS.entries()) {
      const port = ports[i]!
      const env = { ...process.env, WAY: way, PORT: String(port) }
      const parent = spawn(process.execPath, [import.meta.filename], {
        env,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      parents.push(parent)
      const [workers] = await once(parent, 'message')
      running.push({ way, port, parent: parent.pid!, workers })
    }
    console.log('| way | req/CPU-s | busiest worker, share | p99 ms |\n|---|---|---|---|')
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const { way, port, parent, workers } of running) {
        const pids = [parent, ...workers]
        const before = pids.map(cpuSeconds)
        const args = [
          '-t',
          '1',
          '-c',
          values.connections,
          '-d',
          `${values.seconds}s`,
          '--latency',
          `http://127.0.0.1:${port}/`,
        ]
        const text = spawnSync('wrk', args, { encoding: 'utf8' }).stdout
        const cpu = pids.map((pid, n) => cpuSeconds(pid) - before[n]!)
        const all = cpu.reduce((sum, one) => sum + one, 0)
        const requests = Number(/(\d+) requests in/.exec(text)?.[1])
        const p99 = /^\s+99%\s+(\S+)/m.exec(text)?.[1]
        const share = Math.max(...cpu.slice(1)) / all
        console.log(`| ${way} | ${Math.round(requests / all)} | ${share.toFixed(2)} | ${p99} |`)
      }
    }
  } finally {
    for (const parent of parents) parent.kill()
  }
}
