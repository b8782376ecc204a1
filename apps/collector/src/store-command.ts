import { createReadStream } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { DecodeError, decodeJsonV2, encodeJsonV2 } from '@hopscope/model/formats'
import { StoreError } from '@hopscope/store'
import { exportSpans, inspectStore, verifyStore } from '@hopscope/store/tools'

export const STORE_HELP = `Usage: hopscope store COMMAND [--data FOLDER]

  inspect        segments, logs, sizes
  verify         reads everything; names what is not as it was written, and ends with 1 then
  export         every span on stdout, one Zipkin JSON object a line
  import [FILE]  spans into the store, from FILE or stdin: an object or a list a line; no collector may run on it

  --data FOLDER  where spans are kept (HOPSCOPE_DATA, .hopscope/collector)
  --json         inspect: as JSON
`

/** Spans of an import that are stored at a time. */
const IMPORT_BATCH = 5_000
/** Lines of an export that are written at a time. */
const EXPORT_LINES = 500

class UsageError extends Error {}

/** `hopscope store …`. Resolves to the exit code: 0, 1 for what is wrong with the store or the input, 2 for a wrong call. */
export async function storeCommand(argv: string[], environment: Record<string, string | undefined>): Promise<number> {
  try {
    const { values, positionals } = readArguments(argv)
    const [command, input] = positionals
    const file = join(resolve(values.data ?? (environment.HOPSCOPE_DATA || '.hopscope/collector')), 'spans.db')
    if (values.help || command === undefined) {
      console.log(STORE_HELP)
      return command === undefined && !values.help ? 2 : 0
    }
    if (positionals.length > (command === 'import' ? 2 : 1))
      throw new UsageError(`store ${command} takes no ${positionals.at(-1)}`)
    switch (command) {
      case 'inspect':
        return inspect(file, values.json === true)
      case 'verify':
        return verify(file)
      case 'export':
        return await exportAll(file)
      case 'import':
        return await importAll(file, input)
      default:
        throw new UsageError(`store ${command}: inspect, verify, export or import was expected`)
    }
  } catch (error) {
    if (error instanceof UsageError || error instanceof StoreError) console.error(`store: ${error.message}`)
    else if ((error as NodeJS.ErrnoException).code === 'EPIPE') return 0
    else throw error
    return error instanceof UsageError ? 2 : 1
  }
}

function readArguments(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: { data: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0])
  }
}

function inspect(file: string, asJson: boolean): number {
  const report = inspectStore(file)
  if (asJson) {
    console.log(JSON.stringify(report, null, 2))
    return 0
  }
  const { segments, logs, spans, bytes, minMs, maxMs } = report
  const perSpan = spans === 0 ? '' : `, ${(bytes / spans).toFixed(1)} bytes a span`
  console.log(
    `${file}: ${spans} spans in ${segments.length} segments and ${logs.length} logs, ${bytes} bytes${perSpan}`,
  )
  if (minMs !== undefined && maxMs !== undefined) console.log(`from ${iso(minMs)} to ${iso(maxMs)}`)
  if (segments.length > 0) {
    table([
      ['segment', 'spans', 'traces', 'from', 'to', 'bytes', 'rows', 'dictionary', 'terms'],
      ...segments.map(({ id, spans: count, traces, minMs: from, maxMs: to, bytes: size, ...pieces }) => [
        id,
        count,
        traces,
        from === null ? '-' : iso(from),
        to === null ? '-' : iso(to),
        size,
        pieces.pageBytes,
        pieces.dictionaryBytes,
        pieces.termBytes,
      ]),
    ])
  }
  for (const log of logs)
    console.log(`${log.file}: ${log.spans} spans, ${log.bytes} bytes${log.problem ? `; ${log.problem}` : ''}`)
  return 0
}

const iso = (ms: number): string => {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString()
}

function table(rows: (string | number)[][]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => String(row[column]).length)))
  for (const row of rows) console.log(row.map((cell, column) => String(cell).padStart(widths[column]!)).join('  '))
}

function verify(file: string): number {
  let problems = 0
  for (const problem of verifyStore(file)) {
    problems++
    console.log(problem)
  }
  console.log(problems === 0 ? `${file}: all is as it was written` : `${file}: ${problems} problems`)
  return problems === 0 ? 0 : 1
}

async function exportAll(file: string): Promise<number> {
  let problems = 0
  const damaged = (problem: string): void => {
    problems++
    console.error(`store: ${file}: ${problem}; left out`)
  }
  let lines: string[] = []
  for (const span of exportSpans(file, damaged)) {
    lines.push(encodeJsonV2([span]).slice(1, -1))
    if (lines.length < EXPORT_LINES) continue
    await write(`${lines.join('\n')}\n`)
    lines = []
  }
  if (lines.length > 0) await write(`${lines.join('\n')}\n`)
  return problems === 0 ? 0 : 1
}

function write(text: string): Promise<void> {
  return new Promise((done, fail) => process.stdout.write(text, error => (error ? fail(error) : done())))
}

async function importAll(file: string, input: string | undefined): Promise<number> {
  const { SegmentStore } = await import('@hopscope/store/sqlite')
  const store = new SegmentStore({ file })
  const source = input === undefined || input === '-' ? process.stdin : createReadStream(input)
  let line = 0
  let stored = 0
  let batch: ReturnType<typeof decodeJsonV2> = []
  const flush = async (): Promise<void> => {
    await store.accept(batch)
    stored += batch.length
    batch = []
  }
  try {
    for await (const text of createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY })) {
      line++
      if (text.trim() === '') continue
      batch.push(...decodeJsonV2(Buffer.from(text.trimStart().startsWith('[') ? text : `[${text}]`)))
      if (batch.length >= IMPORT_BATCH) await flush()
    }
    await flush()
  } catch (error) {
    await flush().catch(() => {})
    if (error instanceof DecodeError)
      console.error(`store: line ${line}: ${error.message}; ${stored} spans before it are stored`)
    else if ((error as NodeJS.ErrnoException).code === 'ENOENT') console.error(`store: ${input} is not there`)
    else throw error
    return 1
  } finally {
    await store.close()
  }
  console.log(`${file}: ${stored} spans stored`)
  return 0
}
