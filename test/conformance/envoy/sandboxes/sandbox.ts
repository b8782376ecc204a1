import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { freePorts } from '../../free-ports.ts'
import { type ProgramName, startProgram } from '../harness/program.ts'

/** What a service does with a request; it says how it was asked in `asked`. */
export type Service = (request: IncomingMessage, response: ServerResponse) => void

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: string
}

/** A running topology, as its checks see it. */
export interface Sandbox {
  get(path: string, options?: { headers?: Record<string, string>; method?: string; listener?: string }): Promise<Answer>
  admin(path: string, method?: 'GET' | 'POST'): Promise<string>
  /** The present value of a counter or gauge. */
  stat(name: string): Promise<number>
  /** What each service was asked: `GET /path`, with its headers. */
  asked: Record<string, { line: string; headers: IncomingMessage['headers'] }[]>
  /** Values of the runtime's disk layer, by key with slashes: a directory of them is put in the place of the one before. */
  setRuntime(values: Record<string, string>): Promise<void>
  /** The port of a service goes away. */
  kill(service: string): Promise<void>
}

interface Options {
  /** Of the YAML file beside this one. */
  file: string
  /** By the names of the file's `$placeholders`; `listener` and `admin` are ports of the program, `runtime` a directory for its runtime. */
  services: Record<string, Service>
  listeners?: string[]
}

/** Starts the services and the program on the file, runs the checks, ends all of it. */
export async function withSandbox(
  program: ProgramName,
  { file, services, listeners = ['listener'] }: Options,
  checks: (sandbox: Sandbox) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-'))
  const asked: Sandbox['asked'] = {}
  const servers: Record<string, Server> = {}
  try {
    const ports: Record<string, number> = {}
    for (const [name, service] of Object.entries(services)) {
      asked[name] = []
      servers[name] = await listen((incoming, response) => {
        asked[name]!.push({ line: `${incoming.method} ${incoming.url}`, headers: incoming.headers })
        incoming.resume()
        service(incoming, response)
      })
      ports[name] = portOf(servers[name])
    }
    const own = [...listeners, 'admin']
    const free = await freePorts(own.length)
    for (const [i, name] of own.entries()) ports[name] = free[i]!
    const text = readFileSync(join(import.meta.dirname, file), 'utf8').replace(/\$(\w+)/g, (_, name: string) => {
      if (name === 'runtime') return folder
      const port = ports[name]
      if (port === undefined) throw new Error(`${file} asks for $${name}, there is ${Object.keys(ports).join(', ')}`)
      return String(port)
    })
    const configFile = join(folder, 'envoy.yaml')
    writeFileSync(configFile, text)
    swapRuntime(folder, {})
    const running = await startProgram(program, configFile, ports.admin!)
    try {
      const admin: Sandbox['admin'] = async (path, method = 'GET') =>
        (await fetch(`http://127.0.0.1:${ports.admin}${path}`, { method })).text()
      await checks({
        asked,
        admin,
        get: (path, options = {}) => ask(ports[options.listener ?? 'listener']!, path, options),
        async stat(name) {
          const line = (await admin('/stats')).split('\n').find(one => one.startsWith(`${name}: `))
          return Number(line?.slice(name.length + 2) ?? Number.NaN)
        },
        async setRuntime(values) {
          const loads = async () => Number(/^runtime.load_success: (\d+)$/m.exec(await admin('/stats'))?.[1])
          const before = await loads()
          swapRuntime(folder, values)
          while ((await loads()) === before) await new Promise(resolve => setTimeout(resolve, 10))
        },
        kill: name => close(servers[name]!),
      })
    } finally {
      await running.stop()
    }
  } finally {
    for (const server of Object.values(servers)) await close(server)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `FOLDER/current` is a link to a directory of values; another one is moved onto it. */
function swapRuntime(folder: string, values: Record<string, string>): void {
  const directory = mkdtempSync(join(folder, 'values-'))
  for (const [key, value] of Object.entries(values)) {
    const file = join(directory, key)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${value}\n`)
  }
  symlinkSync(directory, join(folder, 'next'))
  renameSync(join(folder, 'next'), join(folder, 'current'))
}

/** Answers with a text. */
export const says =
  (body: string, status = 200): Service =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'text/plain' }).end(body)

async function listen(service: Service): Promise<Server> {
  const server = createServer(service)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

function portOf(server: Server): number {
  return (server.address() as { port: number }).port
}

function close(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise(resolve => server.close(() => resolve()))
}

function ask(
  port: number,
  path: string,
  { headers = {}, method = 'GET' }: { headers?: Record<string, string>; method?: string },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, method, headers, agent: false }, response => {
      let body = ''
      response.setEncoding('latin1')
      response.on('data', chunk => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    sent.on('error', reject)
    sent.end()
  })
}
