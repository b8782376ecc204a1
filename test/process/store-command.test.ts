import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Span } from '@hopscope/model'
import { decodeJsonV2, encodeJsonV2 } from '@hopscope/model/formats'
import { generateTrace, seededRandom } from '@hopscope/model/testing'
import { SegmentStore } from '@hopscope/store/sqlite'
import Database from 'better-sqlite3'
import { afterAll, expect, it } from 'vitest'

const CLI = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'hopscope-store-command-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Result {
  code: number | null
  out: string
  errors: string
}

function hopscope(args: string[], input = ''): Promise<Result> {
  const child = spawn(process.execPath, [CLI, 'store', ...args])
  const result: Result = { code: null, out: '', errors: '' }
  child.stdout.on('data', data => {
    result.out += data
  })
  child.stderr.on('data', data => {
    result.errors += data
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise(resolve => child.once('close', code => resolve({ ...result, code })))
}

const random = seededRandom(9)
const traces = Array.from({ length: 6 }, () => generateTrace({ spans: 8 }, random))
const sorted = (spans: Span[]): string[] => spans.map(span => encodeJsonV2([span])).sort()

/** Two segments, and a log as a kill leaves it. */
async function makeStore(data: string): Promise<void> {
  const making = mkdtempSync(join(folder, 'making-'))
  const store = new SegmentStore({ file: join(making, 'spans.db') })
  for (const batch of [traces.slice(0, 2), traces.slice(2, 4)]) {
    await store.accept(batch.flat())
    await store.seal()
  }
  await store.accept(traces.slice(4).flat())
  cpSync(making, data, { recursive: true })
  await store.close()
}

it('inspects, verifies, exports and imports a store', async () => {
  const data = join(folder, 'data')
  await makeStore(data)
  const before = readdirSync(data).sort()
  const count = traces.flat().length

  const inspected = await hopscope(['inspect', '--data', data])
  expect(inspected.errors).toBe('')
  expect(inspected.out).toContain(`${count} spans in 2 segments and 1 logs`)
  const report = JSON.parse((await hopscope(['inspect', '--json', '--data', data])).out)
  expect(report.segments.map((one: { id: number }) => one.id)).toEqual([1, 2])
  expect(report.logs[0].spans).toBe(traces.slice(4).flat().length)

  expect(await hopscope(['verify', '--data', data])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/as it was written/),
  })

  const exported = await hopscope(['export', '--data', data])
  expect(exported.code).toBe(0)
  const spans = exported.out
    .trimEnd()
    .split('\n')
    .flatMap(line => decodeJsonV2(Buffer.from(`[${line}]`)))
  expect(sorted(spans)).toEqual(sorted(traces.flat()))
  // None of these changes the store.
  expect(readdirSync(data).sort()).toEqual(before)

  const copy = join(folder, 'copy')
  const imported = await hopscope(['import', '--data', copy], exported.out)
  expect(imported).toMatchObject({ code: 0, out: expect.stringContaining(`${count} spans stored`) })
  const store = new SegmentStore({ file: join(copy, 'spans.db') })
  for (const trace of traces) expect(sorted(await store.getTrace(trace[0]!.traceId))).toEqual(sorted(trace))
  await store.close()
}, 60_000)

it('names what is damaged, and exports the rest', async () => {
  const data = join(folder, 'damaged')
  await makeStore(data)
  const database = new Database(join(data, 'spans.db'))
  database
    .prepare("update page set piece = cast(substr(piece, 1, length(piece) - 1) || x'ff' as blob) where id / 65536 = 1")
    .run()
  database.close()
  const verified = await hopscope(['verify', '--data', data])
  expect(verified.code).toBe(1)
  expect(verified.out).toMatch(
    /spans\.db: segment 1, page 0 is not as it was written: its checksum differs\n.*: 1 problems\n$/,
  )
  const exported = await hopscope(['export', '--data', data])
  expect(exported.code).toBe(1)
  expect(exported.errors).toMatch(/^store: .*segment 1, page 0 .*left out\n$/)
  expect(exported.out.trimEnd().split('\n')).toHaveLength(traces.slice(2).flat().length)
}, 60_000)

it('says in a line what is wrong with a call or an input, and makes nothing', async () => {
  const data = join(folder, 'none')
  for (const command of ['inspect', 'verify', 'export']) {
    const { code, errors } = await hopscope([command, '--data', data])
    expect([code, errors]).toEqual([1, `store: ${join(data, 'spans.db')} is not there; a span database was expected\n`])
  }
  expect(existsSync(data)).toBe(false)
  expect(await hopscope(['compact'])).toMatchObject({
    code: 2,
    errors: expect.stringMatching(/inspect, verify, export or import was expected/),
  })
  expect(await hopscope(['inspect', '--dat', 'x'])).toMatchObject({
    code: 2,
    errors: expect.stringMatching(/^store: Unknown option '--dat'\n$/),
  })
  mkdirSync(data)
  writeFileSync(join(data, 'spans.db'), 'my notes '.repeat(50))
  expect(await hopscope(['inspect', '--data', data])).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/is not a span database/),
  })
  const bad = await hopscope(
    ['import', '--data', join(folder, 'import')],
    '{"traceId":"1","id":"1"}\n{"traceId":"x"}\n',
  )
  expect(bad).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/^store: line 2: .* should be lower-hex .*; 1 spans before it are stored\n$/),
  })
}, 60_000)
