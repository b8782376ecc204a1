import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** For tests: ClickHouse's engine from the npm package chdb, behind as much of its HTTP interface as the client speaks. */
const folder = process.env.HOPSCOPE_CHDB ?? ''
export const skipReason = existsSync(join(folder, 'node_modules/chdb'))
  ? undefined
  : 'HOPSCOPE_CHDB names no folder with it: npm install --prefix FOLDER chdb@3.4.0'

interface Session {
  query(sql: string, format?: string): string
  queryBind(sql: string, parameters: object, format?: string): string
  cleanup(): void
}

export class ChdbServer {
  readonly #session: Session
  readonly #server: Server
  readonly #data = mkdtempSync(join(tmpdir(), 'hopscope-chdb-'))
  url = ''
  /** How often something was inserted. */
  inserts = 0

  private constructor() {
    const { Session } = createRequire(join(folder, 'package.json'))('chdb') as {
      Session: new (path: string) => Session
    }
    this.#session = new Session(this.#data)
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const body = Buffer.concat(chunks).toString()
      const parameters = new URL(request.url!, 'http://x').searchParams
      try {
        response.end(this.#answer(parameters, body))
      } catch (error) {
        response.writeHead(500).end((error as Error).message)
      }
    })
  }

  static async start(): Promise<ChdbServer> {
    const server = new ChdbServer()
    await new Promise<void>(resolve => server.#server.listen(0, '127.0.0.1', resolve))
    server.url = `http://127.0.0.1:${(server.#server.address() as AddressInfo).port}`
    return server
  }

  /** A statement of a test's own. */
  run(database: string, sql: string): string {
    this.#session.query(`USE ${database}`)
    return this.#session.query(sql)
  }

  #answer(parameters: URLSearchParams, body: string): string {
    this.#session.query(`USE ${parameters.get('database')}`)
    const query = parameters.get('query')
    if (query !== null) this.inserts++
    if (query !== null) return this.#session.query(`${query}\n${body}`)
    const bound: Record<string, string> = {}
    const sql = body.replace(/ FORMAT JSONEachRow$/, '')
    for (const [key, value] of parameters) {
      if (!key.startsWith('param_')) continue
      const name = key.slice(6)
      // Over HTTP a text comes escaped, to the engine it goes as it is.
      bound[name] = sql.includes(`{${name}:String}`) ? unescapeText(value) : value
    }
    return Object.keys(bound).length > 0
      ? this.#session.queryBind(sql, bound, 'JSONEachRow')
      : this.#session.query(sql, 'JSONEachRow')
  }

  async close(): Promise<void> {
    await new Promise(resolve => this.#server.close(resolve))
    this.#session.cleanup()
    rmSync(this.#data, { recursive: true, force: true })
  }
}

const MEANT: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '0': '\0' }

function unescapeText(text: string): string {
  return text.replace(/\\(.)/gs, (_, character: string) => MEANT[character] ?? character)
}
