import { StoreError } from '../store.ts'

export interface ClickHouseOptions {
  /** `http://host:8123` */
  url: string
  database: string
  user?: string | undefined
  password?: string | undefined
}

export type Parameters = Readonly<Record<string, string | number | readonly string[]>>

/** ClickHouse's HTTP interface, as much as a store needs. What it cannot do is a StoreError in its own words. */
export class ClickHouseClient {
  readonly #url: string
  readonly #database: string
  readonly #headers: Record<string, string>

  constructor({ url, database, user, password }: ClickHouseOptions) {
    this.#url = url.replace(/\/+$/, '')
    this.#database = database
    this.#headers = {
      ...(user !== undefined && { 'x-clickhouse-user': user }),
      ...(password !== undefined && { 'x-clickhouse-key': password }),
    }
  }

  /** Resolves when it is done. `database`: another than the store's own. */
  async run(sql: string, database = this.#database): Promise<void> {
    await (await this.#send(sql, {}, undefined, undefined, database)).text()
  }

  /** Rows of a table, each a line of JSON; resolves when they are stored. */
  async insert(table: string, lines: string): Promise<void> {
    await (await this.#send(`INSERT INTO ${table} FORMAT JSONEachRow`, {}, lines)).text()
  }

  /** Rows as they come, so that an answer of many is never whole in memory. Parameters stand as `{name:Type}`. */
  async *rows<Row>(sql: string, parameters: Parameters = {}, signal?: AbortSignal): AsyncGenerator<Row> {
    const response = await this.#send(`${sql} FORMAT JSONEachRow`, parameters, undefined, signal)
    let rest = ''
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) if (line !== '') yield this.#row<Row>(line)
    }
    if (rest !== '') yield this.#row<Row>(rest)
  }

  async all<Row>(sql: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<Row[]> {
    const rows: Row[] = []
    for await (const row of this.rows<Row>(sql, parameters, signal)) rows.push(row)
    return rows
  }

  #row<Row>(line: string): Row {
    try {
      return JSON.parse(line) as Row
    } catch {
      // A failure in the middle of an answer is told in its body.
      throw new StoreError('broken', `ClickHouse: ${line.slice(0, 500)}`)
    }
  }

  async #send(
    sql: string,
    parameters: Parameters,
    body?: string,
    signal?: AbortSignal,
    database = this.#database,
  ): Promise<Response> {
    const query = new URLSearchParams({
      database,
      // 64-bit numbers as numbers: all that are read here are exact.
      output_format_json_quote_64bit_integers: '0',
    })
    if (body !== undefined) query.set('query', sql)
    for (const [name, value] of Object.entries(parameters)) query.set(`param_${name}`, formatParameter(value))
    let response: Response
    try {
      response = await fetch(`${this.#url}/?${query}`, {
        method: 'POST',
        headers: this.#headers,
        body: body ?? sql,
        ...(signal && { signal }),
      })
    } catch (error) {
      signal?.throwIfAborted()
      const { message, cause } = error as Error
      const why = cause instanceof Error ? cause.message : message
      throw new StoreError('cannot-open', `ClickHouse at ${this.#url} cannot be reached: ${why}`, { cause: error })
    }
    if (response.ok) return response
    const text = (await response.text()).trim().slice(0, 500)
    throw new StoreError('broken', `ClickHouse at ${this.#url} answered ${response.status}: ${text}`)
  }
}

/** Text as ClickHouse reads a parameter: escaped as in its tab-separated format; in lists quoted as well. */
function formatParameter(value: string | number | readonly string[]): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return escapeText(value)
  return `[${value.map(item => `'${escapeText(item).replaceAll("'", "\\'")}'`).join(',')}]`
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r', '\0': '\\0' }

function escapeText(text: string): string {
  return text.toWellFormed().replace(/[\\\t\n\r\0]/g, character => ESCAPES[character]!)
}
