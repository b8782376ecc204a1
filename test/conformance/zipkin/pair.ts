import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { freePorts } from '../free-ports.ts'

const COLLECTOR = fileURLToPath(new URL('../../../apps/collector/src/main.ts', import.meta.url))

/** zipkin-server's jar, or undefined and why the tests beside it are skipped. */
export const ZIPKIN_JAR = process.env.HOPSCOPE_ZIPKIN_JAR
export const skipReason =
  ZIPKIN_JAR !== undefined && existsSync(ZIPKIN_JAR)
    ? undefined
    : 'HOPSCOPE_ZIPKIN_JAR does not name the jar of zipkin-server 3.6.1 (io.zipkin:zipkin-server:3.6.1:exec on Maven Central)'

export interface Request {
  method?: string
  path: string
  headers?: Record<string, string>
  body?: string | Buffer
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** Headers that clients act on. Dates, lengths and the server's name are each server's own. */
const COMPARED_HEADERS = [
  'cache-control',
  'location',
  'vary',
  'content-encoding',
  'access-control-allow-origin',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'access-control-max-age',
  'access-control-allow-credentials',
]

/** The real zipkin-server and our collector, with the same environment; what is sent, is sent to both. */
export class Pair {
  #processes: ChildProcess[] = []
  #ports: [zipkin: number, hopscope: number] = [0, 0]
  #data = mkdtempSync(join(tmpdir(), 'hopscope-zipkin-'))

  static async start(environment: Record<string, string> = {}): Promise<Pair> {
    const pair = new Pair()
    const viewer = join(pair.#data, 'viewer')
    writeViewer(viewer)
    const [zipkin, hopscope] = (await freePorts(2)) as [number, number]
    pair.#ports = [zipkin, hopscope]
    pair.#spawn('java', ['-Xmx512m', '-jar', ZIPKIN_JAR!], { ...environment, QUERY_PORT: String(zipkin) })
    pair.#spawn(process.execPath, [COLLECTOR, '--otlp-port', 'off', '--data', pair.#data], {
      HOPSCOPE_VIEWER: viewer,
      ...environment,
      QUERY_PORT: String(hopscope),
    })
    try {
      await Promise.all(pair.#ports.map(healthy))
    } catch (error) {
      await pair.close()
      throw error
    }
    return pair
  }

  /** For other protocols than HTTP/1.1. */
  get ports(): [zipkin: number, hopscope: number] {
    return this.#ports
  }

  #spawn(command: string, args: string[], environment: Record<string, string>): void {
    this.#processes.push(spawn(command, args, { env: { ...process.env, ...environment }, stdio: 'ignore' }))
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#processes.map(child => {
        const exited = new Promise(resolve => child.once('exit', resolve))
        child.kill('SIGTERM')
        return exited
      }),
    )
    rmSync(this.#data, { recursive: true })
  }

  send(request: Request): Promise<[zipkin: Answer, hopscope: Answer]> {
    return Promise.all([sendTo(this.#ports[0], request), sendTo(this.#ports[1], request)])
  }

  sendToHopscope(request: Request): Promise<Answer> {
    return sendTo(this.#ports[1], request)
  }

  /** Sends to both; everything a client could act on must be equal. Returns the answer. */
  async same(request: Request | string, view: (answer: Answer) => unknown = whole): Promise<Answer> {
    const [zipkin, hopscope] = await this.send(typeof request === 'string' ? { path: request } : request)
    expect(view(hopscope), JSON.stringify(request).slice(0, 300)).toEqual(view(zipkin))
    return hopscope
  }

  /** Posts spans that both must take, and waits until zipkin-server, which answers before it stores, shows them. */
  async store(spans: object[] | string, traceIds: string[]): Promise<void> {
    const body = typeof spans === 'string' ? spans : JSON.stringify(spans)
    const answer = await this.same({ method: 'POST', path: '/api/v2/spans', body })
    expect(answer.status, answer.body).toBe(202)
    for (const traceId of traceIds) await this.waitFor(`/api/v2/trace/${traceId}`, ({ status }) => status === 200)
  }

  /** Asks both until both give what is waited for. */
  async waitForBoth(request: Request, isReady: (answer: Answer) => boolean): Promise<[Answer, Answer]> {
    for (let attempt = 0; attempt < 1200; attempt++) {
      const answers = await this.send(request)
      if (answers.every(isReady)) return answers
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    throw new Error(`not both show ${request.path}`)
  }

  /** Asks zipkin-server until it gives what is waited for. */
  async waitFor(path: string, isReady: (answer: Answer) => boolean): Promise<void> {
    for (let attempt = 0; attempt < 3000; attempt++) {
      if (isReady(await sendTo(this.#ports[0], { path }))) return
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    throw new Error(`zipkin-server does not show ${path}`)
  }
}

/** Status, what stands in the body, and the headers that matter. */
export function whole(answer: Answer): unknown {
  const headers = Object.fromEntries(COMPARED_HEADERS.map(name => [name, answer.headers[name]]))
  // zipkin-server sends its error texts as `text/*`, which is no type; nobody looks.
  const contentType = answer.status < 300 ? answer.headers['content-type'] : undefined
  return { ...headers, contentType, ...statusAndBody(answer) }
}

export function statusAndBody({ status, headers, body }: Answer): { status: number; body: unknown } {
  return { status, body: (headers['content-type'] ?? '').includes('json') ? JSON.parse(body) : withoutHelp(body) }
}

export const statusOnly = ({ status }: Answer): unknown => status

/** Gson's messages end in a link to its help page. */
const withoutHelp = (text: string): string => text.replace(/\nSee https:\/\/\S+/, '')

/** Spans inside a trace have no promised order. */
export function tracesView(answer: Answer): unknown {
  const { status, body } = statusAndBody(answer)
  if (!Array.isArray(body)) return { status, body }
  const sort = (trace: unknown[]): unknown[] =>
    trace.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  return { status, body: Array.isArray(body[0]) ? body.map(sort) : sort(body) }
}

/** As much of a built viewer as its links need, whether there is one in this checkout or not. */
function writeViewer(folder: string): void {
  mkdirSync(join(folder, 'assets'), { recursive: true })
  writeFileSync(join(folder, 'assets/app.js'), 'export {}')
  writeFileSync(join(folder, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><base href="/zipkin/"><script type="module" src="/zipkin/assets/app.js"></script>',
  )
}

function sendTo(port: number, { method = 'GET', path, headers = {}, body }: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const bytes = Buffer.concat(chunks)
        const text = response.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes
        resolve({ status: response.statusCode!, headers: response.headers, body: text.toString() })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

async function healthy(port: number): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const answer = await sendTo(port, { path: '/health' }).catch(() => undefined)
    if (answer?.status === 200) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error(`nothing healthy on port ${port} within 100 s`)
}
