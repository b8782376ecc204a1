import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { freePorts } from '../free-ports.ts'
import { bootstrap, cluster } from './harness/config.ts'
import { findEnvoy, HOW_TO_GET_ENVOY, type ProgramName, startProgram } from './harness/program.ts'
import { ok, Upstream } from './harness/upstream.ts'

/** No byte tells of it: what the kernel was told of a connection to an upstream is looked at, in Envoy and in ours. */
const CASES: Record<string, object | undefined> = {
  none: undefined,
  'as the system has it': {},
  'a time': { keepalive_time: 300 },
  'all three': { keepalive_time: 20, keepalive_interval: 5, keepalive_probes: 3 },
}
const PROGRAMS: [ProgramName, Record<string, string>][] = [
  ['envoy', {}],
  ['hopscope', { HOPSCOPE_TRANSPORT: 'handle' }],
  ['hopscope', { HOPSCOPE_TRANSPORT: 'socket' }],
]

/** SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT of another process's descriptor, through pidfd_getfd(2). */
const READ_OPTIONS = `
import ctypes, os, socket, sys
pid, fd = map(int, sys.argv[1:])
own = ctypes.CDLL(None, use_errno=True).syscall(438, os.pidfd_open(pid), fd, 0)
if own < 0: sys.exit(os.strerror(ctypes.get_errno()))
s = socket.socket(fileno=own)
print(s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), *[s.getsockopt(socket.IPPROTO_TCP, o) for o in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)])
`

function readOptions(pid: number, fd: number): string {
  const { stdout, stderr } = spawnSync('python3', ['-c', READ_OPTIONS, `${pid}`, `${fd}`], { encoding: 'utf8' })
  return `${stdout}${stderr}`.trim()
}

/** Not where Python or the right to look is missing (it takes what a debugger needs). */
async function canLook(): Promise<boolean> {
  const child = spawn(process.execPath, ['-e', "require('node:net').createServer().listen(0, () => console.log('up'))"])
  await once(child.stdout, 'data')
  const socket = readdirSync(`/proc/${child.pid}/fd`).filter(fd => readlinkSync(`/proc/${child.pid}/fd/${fd}`).startsWith('socket:')) // biome-ignore format: one line
  const looks = socket.some(fd => /^0 \d+ \d+ \d+$/.test(readOptions(child.pid!, Number(fd))))
  child.kill()
  return looks
}

/** Lines of the kernel's table of connections to `port`, in fields. */
function linesTo(port: number, pid: number): string[][] {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[2]?.endsWith(remote) && fields[3] === '01')
}

/** When the next question is due, to ten seconds: all that anybody may know of another's connection. */
function timersTo(port: number, pid: number): string[] {
  return linesTo(port, pid).map(fields => {
    const [kind, hundredths = ''] = fields[5]!.split(':')
    return kind === '02' ? `${Math.ceil(Number.parseInt(hundredths, 16) / 1000) * 10} s` : 'never'
  })
}

/** The process's descriptors that are connections to `port`. */
function connectionsTo(port: number, pid: number): number[] {
  const inodes = linesTo(port, pid).map(fields => `socket:[${fields[9]}]`)
  return readdirSync(`/proc/${pid}/fd`)
    .filter(fd => {
      try {
        return inodes.includes(readlinkSync(`/proc/${pid}/fd/${fd}`))
      } catch {
        return false
      }
    })
    .map(Number)
}

async function optionsOf([name, environment]: (typeof PROGRAMS)[number]): Promise<Record<string, string[]>> {
  const folder = mkdtempSync(join(tmpdir(), 'keep-alive-'))
  const upstreams = await Promise.all(Object.keys(CASES).map(() => Upstream.open(ok())))
  const [listener, admin] = (await freePorts(2)) as [number, number]
  const clusters = Object.values(CASES).map((tcp_keepalive, i) =>
    cluster(`c${i}`, upstreams[i]!.port, tcp_keepalive && { upstream_connection_options: { tcp_keepalive } }),
  )
  const routes = clusters.map((_, i) => ({ match: { path: `/${i}` }, route: { cluster: `c${i}` } }))
  const file = join(folder, 'envoy.json')
  const ports = { listener, admin, collector: 1, dead: 1, upstream: {} }
  writeFileSync(file, JSON.stringify(bootstrap({ clusters, routes, hcm: { access_log: [] } }, ports, '')))
  const running = await startProgram(name, file, admin, [], environment)
  try {
    const options: Record<string, string[]> = {}
    for (const [i, what] of Object.keys(CASES).entries()) {
      expect((await fetch(`http://127.0.0.1:${listener}/${i}`)).status).toBe(200)
      const { port } = upstreams[i]!
      options[what] = mayLook
        ? connectionsTo(port, running.pid).map(fd => readOptions(running.pid, fd))
        : timersTo(port, running.pid)
    }
    return options
  } finally {
    await running.stop()
    await Promise.all(upstreams.map(upstream => upstream.close()))
    rmSync(folder, { recursive: true, force: true })
  }
}

const skipReason =
  findEnvoy() === undefined
    ? HOW_TO_GET_ENVOY
    : Socket.prototype.setKeepAlive.length < 4
      ? 'needs a Node that can set all of it (24)'
      : process.platform !== 'linux'
        ? 'needs Linux'
        : undefined
if (skipReason !== undefined) console.warn(`skipped: TCP keepalive ${skipReason}`)
const mayLook = skipReason === undefined && (await canLook())
if (skipReason === undefined && !mayLook)
  console.warn(
    'TCP keepalive: only when it begins. The rest needs Python 3.9 and the right to look at sockets of others (ptrace)',
  )

describe.skipIf(skipReason)('tcp_keepalive of a cluster', () => {
  test('the kernel is told the same', async () => {
    const [envoy, ...ours] = await Promise.all(PROGRAMS.map(optionsOf))
    expect(envoy!['all three']).toEqual([mayLook ? '1 20 5 3' : '20 s'])
    expect(envoy!.none![0]).toMatch(mayLook ? /^0 / : 'never')
    for (const options of ours) expect(options).toEqual(envoy)
  })
})
