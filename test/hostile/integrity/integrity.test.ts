import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { Client, credentials } from '@grpc/grpc-js'
import type { Span } from '@hopscope/model'
import { type Random, randomInteger, seededRandom } from '@hopscope/model/testing'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { WAYS, type Way } from './encode-message.ts'
import { numberInTrace, traceIdOf, traceNumber, uniqueSpan } from './unique-spans.ts'

/*
 * What one writer was promised is compared with what readers see, while all of it goes on: memory that is used again too early would
 * put a piece of one span into another.
 */

/** By hand: HOPSCOPE_MESSAGES=2000 HOPSCOPE_SEED=7 npm test -- process hostile/integrity */
const MESSAGES = Number(process.env.HOPSCOPE_MESSAGES ?? 60)
const SEED = Number(process.env.HOPSCOPE_SEED ?? 1)
const MOST_SPANS = 100
const READERS = 3
/** Their line has to be below 16 KiB. */
const IDS_AT_ONCE = 300

const COLLECTOR = fileURLToPath(new URL('../../../apps/collector/src/main.ts', import.meta.url))
const STORE_COMMAND = fileURLToPath(new URL('../../../apps/cli/src/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'hopscope-integrity-'))
const running = new Set<ChildProcess>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Collector {
  port: number
  grpcPort: number
  /** Ends it in order. */
  end: () => Promise<void>
}

async function start(data: string, maxBytes: number): Promise<Collector> {
  const args = [COLLECTOR, '--port', '0', '--otlp-port', 'off', '--otlp-grpc-port', '0', '--data', data]
  const child = spawn(process.execPath, [...args, '--max-bytes', String(maxBytes)])
  running.add(child)
  let output = ''
  const exit = new Promise<number | null>(resolve =>
    child.once('close', code => {
      running.delete(child)
      resolve(code)
    }),
  )
  const [port, grpcPort] = await new Promise<[number, number]>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      output += chunk
      const found = /:(\d+)\/zipkin\/ +gRPC \S+:(\d+)/.exec(output)
      if (found) resolve([Number(found[1]), Number(found[2])])
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    exit.then(code => reject(new Error(`the collector ended with ${code}: ${output}`)))
  })
  const end = async (): Promise<void> => {
    child.kill('SIGTERM')
    expect(await exit).toBe(0)
    expect(output.trimEnd().split('\n'), output).toHaveLength(1)
  }
  return { port, grpcPort, end }
}

const agent = new Agent({ keepAlive: true })
afterAll(() => agent.destroy())

function ask(port: number, path: string, headers = {}, body?: Buffer): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode!, text: Buffer.concat(chunks).toString() }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}

const asIs = (bytes: Buffer): Buffer => bytes

/** Sends messages one after the other, and remembers which spans were acknowledged. */
class Writer {
  readonly writer: number
  readonly way: Way
  readonly #random: Random
  readonly #collector: Collector
  readonly #grpc: Client | undefined
  /** Spans that were acknowledged: all below this. */
  acknowledged = 0
  /** Of each acknowledged message, where it begins. */
  readonly begins: number[] = []

  constructor(writer: number, way: Way, collector: Collector) {
    this.writer = writer
    this.way = way
    this.#collector = collector
    this.#random = seededRandom(SEED * 1000 + writer)
    const grpcPort = way.isOtlp ? collector.grpcPort : collector.port
    if (!way.path.startsWith('/api') && !way.path.startsWith('/v1')) {
      this.#grpc = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure())
    }
  }

  close(): void {
    this.#grpc?.close()
  }

  /** As it is to be read back. The spans of a message are of one service. */
  span(number: number): Span {
    const message = this.begins.findLast(begin => begin <= number)!
    return uniqueSpan({ writer: this.writer, isOtlp: this.way.isOtlp }, number, `service-${message % 7}`)
  }

  async write(): Promise<void> {
    const first = this.acknowledged
    const count = 1 + randomInteger(this.#random, MOST_SPANS)
    this.begins.push(first)
    const spans = Array.from({ length: count }, (_, i) => this.span(first + i))
    const message = this.way.encode(spans)
    // A message whose end is missing is refused, and so nothing of it may be seen: it would be there twice, or in part.
    if (randomInteger(this.#random, 5) === 0) {
      expect(await this.#send(message.subarray(0, -3)), this.way.name).toBe('refused')
    }
    expect(await this.#send(message), this.way.name).toBe('acknowledged')
    this.acknowledged += count
  }

  async #send(message: Buffer): Promise<'acknowledged' | 'refused' | number> {
    const { path, headers } = this.way
    if (this.#grpc !== undefined) {
      const grpc = this.#grpc
      const error = await new Promise<{ code: number } | null>(resolve =>
        grpc.makeUnaryRequest(path, asIs, asIs, message, resolve),
      )
      return error === null ? 'acknowledged' : 'refused'
    }
    const { status } = await ask(
      this.#collector.port,
      path,
      headers,
      'content-encoding' in headers ? gzipSync(message) : message,
    )
    if (status === 400) return 'refused'
    return status === (this.way.isOtlp ? 200 : 202) ? 'acknowledged' : status
  }
}

/** The same text for the same span, whatever the order of its keys. */
const textOf = (span: Span): string =>
  JSON.stringify(span, (_, value) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )

/** Compares spans that were read with what was written. */
function compare(writers: readonly Writer[], spans: readonly Span[]): void {
  for (const span of spans) {
    const writer = writers[Number.parseInt(span.id.slice(0, 8), 16)]!
    const written = writer.span(Number.parseInt(span.id.slice(8), 16) - 1)
    if (textOf(span) !== textOf(written)) expect(span, writer.way.name).toEqual(written)
  }
}

const numberOf = (span: Span): number => Number.parseInt(span.id.slice(8), 16) - 1
const byNumber = (a: Span, b: Span): number => numberOf(a) - numberOf(b)

/** A trace of which all was acknowledged; undefined: none yet. */
function someTrace(writers: readonly Writer[], random: Random) {
  const writer = writers[randomInteger(random, writers.length)]!
  const complete = traceNumber(writer.acknowledged) - 1
  if (complete < 1) return undefined
  const trace = 1 + randomInteger(random, complete)
  return { writer, trace, traceId: traceIdOf(writer.writer, trace, writer.way.isOtlp) }
}

const WINDOW = 'endTs=1800000000000&lookback=200000000000'

/**
 * Reads what was acknowledged in all ways there are, until writing has ended. Returns how many spans it has compared. Where the
 * oldest are dropped meanwhile, what is found is compared.
 */
async function read(
  port: number,
  writers: readonly Writer[],
  random: Random,
  isDropping: boolean,
  isWriting: () => boolean,
) {
  let compared = 0
  const get = async <T>(path: string, missing?: T): Promise<T> => {
    const { status, text } = await ask(port, path)
    if (status === 404 && isDropping && missing !== undefined) return missing
    expect([path, status, status === 200 ? '' : text]).toEqual([path, 200, ''])
    return JSON.parse(text) as T
  }
  const look = (spans: readonly Span[], trace: number): void => {
    const numbers = spans.map(numberOf).sort((a, b) => a - b)
    const all = upTo(numberInTrace(trace), numberInTrace(trace + 1))
    // What is dropped is the older part of a trace.
    expect(numbers).toEqual(isDropping ? all.slice(all.length - numbers.length) : all)
    compare(writers, spans)
    compared += spans.length
  }
  while (isWriting()) {
    const some = someTrace(writers, random)
    if (some === undefined) {
      await new Promise(resolve => setImmediate(resolve))
      continue
    }
    const { writer, trace, traceId } = some
    look(await get<Span[]>(`/api/v2/trace/${traceId}`, []), trace)
    // By a tag that no other span has; by what all have.
    const mark = `w${writer.writer}n${numberInTrace(trace) + 2}`
    const found = await get<Span[][]>(`/api/v2/traces?${WINDOW}&annotationQuery=mark%3D${mark}`)
    if (!isDropping) expect(found).toHaveLength(1)
    expect(found.length).toBeLessThan(2)
    for (const spans of found) look(spans, trace)
    for (const spans of await get<Span[][]>(`/api/v2/traces?${WINDOW}&limit=20&annotationQuery=same.everywhere`)) {
      compare(writers, spans)
      compared += spans.length
    }
    const services = await get<string[]>('/api/v2/services')
    expect(services.filter(name => !/^service-[0-6]$/.test(name))).toEqual([])
    for (const { parent, child } of await get<{ parent: string; child: string }[]>(`/api/v2/dependencies?${WINDOW}`)) {
      expect(`${parent} ${child}`).toMatch(/^service-[0-6] (service-[0-6]|callee-[0-2])$/)
    }
  }
  return compared
}

/** Writes and reads at once. */
async function load(collector: Collector, isDropping: boolean): Promise<Writer[]> {
  const writers = WAYS.map((way, writer) => new Writer(writer, way, collector))
  let isWriting = true
  const readers = Array.from({ length: READERS }, (_, reader) =>
    read(collector.port, writers, seededRandom(SEED * 77 + reader), isDropping, () => isWriting),
  )
  const written = Promise.all(
    writers.map(async writer => {
      for (let message = 0; message < MESSAGES; message++) await writer.write()
    }),
  ).finally(() => {
    isWriting = false
    for (const writer of writers) writer.close()
  })
  const [compared] = await Promise.all([Promise.all(readers), written])
  for (const count of compared) expect(count).toBeGreaterThan(0)
  return writers
}

/** Ascending. Each head and each merge takes the next number. */
function segmentIds(data: string): number[] {
  const args = [STORE_COMMAND, 'store', 'inspect', '--json', '--data', data]
  const { segments } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  return (segments as { id: number }[]).map(({ id }) => id).sort((a, b) => a - b)
}

/** All spans of a store, each as often as it is there, by writer and number. */
function exported(data: string, writers: readonly Writer[]): Span[][] {
  const output = execFileSync(process.execPath, [STORE_COMMAND, 'store', 'export', '--data', data], {
    maxBuffer: 2 ** 30,
    encoding: 'utf8',
  })
  const spans = output
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Span)
  compare(writers, spans)
  return writers.map(({ writer }) =>
    spans.filter(span => Number.parseInt(span.id.slice(0, 8), 16) === writer).sort(byNumber),
  )
}

async function spansOf(port: number, writer: Writer): Promise<Span[]> {
  const ids = Array.from({ length: traceNumber(writer.acknowledged - 1) + 1 }, (_, trace) =>
    traceIdOf(writer.writer, trace, writer.way.isOtlp),
  )
  const spans: Span[] = []
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    // At least two ids are wanted.
    const { text } = await ask(port, `/api/v2/traceMany?traceIds=${['feedfeed', ...ids.slice(at, at + IDS_AT_ONCE)]}`)
    for (const trace of JSON.parse(text) as Span[][]) spans.push(...trace)
  }
  return spans.sort(byNumber)
}

const upTo = (first: number, last: number): number[] => Array.from({ length: last - first }, (_, i) => first + i)

describe('spans of nine writers, read while they are written, sealed and merged', () => {
  it('come back as they were acknowledged, each once, also after a start', async () => {
    const data = join(folder, 'whole')
    // A log of an eighth of it is sealed; all of it is never reached.
    const maxBytes = MESSAGES * 400_000
    const collector = await start(data, maxBytes)
    const writers = await load(collector, false)
    const check = async (port: number): Promise<void> => {
      for (const writer of writers) {
        const spans = await spansOf(port, writer)
        expect(spans.map(numberOf), writer.way.name).toEqual(upTo(0, writer.acknowledged))
        compare(writers, spans)
      }
    }
    await check(collector.port)
    await collector.end()
    // Heads were sealed while all this went on, and not at the end alone.
    expect(segmentIds(data).at(-1)).toBeGreaterThan(3)
    for (const [writer, spans] of exported(data, writers).entries()) {
      expect(spans.map(numberOf)).toEqual(upTo(0, writers[writer]!.acknowledged))
    }
    const again = await start(data, maxBytes)
    await check(again.port)
    await again.end()
  }, 180_000)

  it('and dropped: what is left is each writer’s last messages, whole and as they were acknowledged', async () => {
    const data = join(folder, 'dropped')
    const collector = await start(data, MESSAGES * 50_000)
    const writers = await load(collector, true)
    await collector.end()
    let dropped = 0
    for (const [number, spans] of exported(data, writers).entries()) {
      const { begins, acknowledged } = writers[number]!
      const first = spans.length === 0 ? acknowledged : numberOf(spans[0]!)
      expect([...begins, acknowledged]).toContain(first)
      expect(spans.map(numberOf)).toEqual(upTo(first, acknowledged))
      dropped += first
    }
    expect(dropped).toBeGreaterThan(0)
  }, 180_000)
})
