import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AccessLog } from '@hopscope/envoy-config'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { compileJsonLine } from '../format/json-line.ts'
import { RequestHeaders } from '../http/headers.ts'
import { Runtime } from '../runtime.ts'
import { Stats } from '../stats/stats.ts'
import { StreamInfo } from '../stream-info.ts'
import { type AccessLogs, createAccessLogs } from './create-access-logs.ts'

let folder: string
let logs: AccessLogs
const errors: string[] = []
const services = { runtime: new Runtime([]), random: () => 0 }

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'access-log-'))
  errors.length = 0
  logs = createAccessLogs({
    flushInterval: 60_000,
    stats: new Stats(),
    onError: (path, error) => errors.push(`${path}: ${error.message}`),
  })
})
afterEach(() => {
  logs.close()
  rmSync(folder, { recursive: true })
})

function stream(userAgent = 'curl/7.88.1'): StreamInfo {
  const info = new StreamInfo()
  info.startTime = 1_795_450_263_067_712
  info.startInstant = 0
  info.endInstant = 0.2
  const headers = new RequestHeaders(['user-agent', userAgent, 'x-request-id', '7cf099ff-398e-9551-82f6-a315b2be1660'])
  headers.method = 'GET'
  headers.path = '/dr'
  headers.authority = '127.0.0.1:29902'
  info.requestHeaders = headers
  info.responseCode = 200
  info.bytesSent = 2
  return info
}

const file = (name: string, format?: AccessLog['format']): AccessLog => ({
  sink: { type: 'file', path: join(folder, name) },
  ...(format === undefined ? {} : { format }),
})
const written = (name: string) => readFileSync(join(folder, name), 'utf8')

test("Envoy's default line", () => {
  logs.logger([file('a')], services).log(stream(), 'DownstreamEnd')
  logs.flush()
  expect(written('a')).toBe(
    '[2026-11-23T16:11:03.067Z] "GET /dr HTTP/1.1" 200 - 0 2 0 - "-" "curl/7.88.1" "7cf099ff-398e-9551-82f6-a315b2be1660" "127.0.0.1:29902" "-"\n',
  )
})

test('each line says of which kind it is, and only the wanted are written', () => {
  const kinds = file('a', { text: '%ACCESS_LOG_TYPE%\n' })
  const filter = { type: 'log_type', types: ['DownstreamStart', 'DownstreamEnd'], exclude: false } as const
  const logger = logs.logger([{ ...kinds, filter }], services)
  for (const type of ['DownstreamStart', 'DownstreamPeriodic', 'DownstreamEnd'] as const) logger.log(stream(), type)
  logs.flush()
  expect(written('a')).toBe('DownstreamStart\nDownstreamEnd\n')
})

test('bytes come out as they came in', () => {
  const logger = logs.logger([file('a', { text: 'größe %REQ(USER-AGENT)%\n' })], services)
  logger.log(stream(Buffer.from('a"b\\c\té').toString('latin1')), 'DownstreamEnd')
  logs.flush()
  expect(written('a')).toBe('größe a"b\\c\té\n')
})

test('JSON: sorted, typed, with the escapes of Envoy', () => {
  const line = compileJsonLine(
    {
      zz: '%DURATION%',
      code: '%RESPONSE_CODE%',
      ua: '%REQ(USER-AGENT)%',
      none: '%REQ(nope)%',
      mix: 'a-%REQ(nope)%-%BYTES_SENT%',
      num: 12,
      flt: 1.5,
      boo: true,
      nested: { b: 'x', a: '%PROTOCOL%' },
      emp: '',
      lit: '50%%',
    },
    false,
  )
  const text = line(stream('a"b\\c\td'))
  expect(text).toBe(
    '{"boo":true,"code":200,"emp":"","flt":1.5,"lit":"50%","mix":"a---2","nested":{"a":"HTTP/1.1","b":"x"},"none":null,"num":12,"ua":"a\\"b\\\\c\\td","zz":0}\n',
  )
  expect(JSON.parse(text).ua).toBe('a"b\\c\td')
  expect(line(stream('x\xffy'))).toContain('"ua":"x\\u00ffy"')
  const utf8 = line(stream(Buffer.from('é').toString('latin1')))
  expect(Buffer.from(utf8, 'latin1').toString()).toContain('"ua":"é"')
})

test('lines wait for 64 KiB, a flush, or the interval', async () => {
  const logger = logs.logger([file('a', { text: `${'x'.repeat(1023)}\n` })], services)
  for (let i = 0; i < 63; i++) logger.log(stream(), 'DownstreamEnd')
  expect(written('a')).toBe('')
  logger.log(stream(), 'DownstreamEnd')
  expect(written('a')).toHaveLength(65_536)

  const quick = createAccessLogs({ flushInterval: 5, stats: new Stats(), onError: () => {} })
  quick.logger([file('b', { text: 'line\n' })], services).log(stream(), 'DownstreamEnd')
  await expect.poll(() => written('b')).toBe('line\n')
  quick.close()
})

test('after a rename, reopening writes to a new file', () => {
  const logger = logs.logger([file('a', { text: 'line\n' })], services)
  logger.log(stream(), 'DownstreamEnd')
  renameSync(join(folder, 'a'), join(folder, 'a.1'))
  logs.reopen()
  logger.log(stream(), 'DownstreamEnd')
  logs.flush()
  expect([written('a.1'), written('a')]).toEqual(['line\n', 'line\n'])
})

test('two logs of one path share the file; closing writes what waits', () => {
  logs.logger([file('a', { text: 'one\n' })], services).log(stream(), 'DownstreamEnd')
  logs.logger([file('a', { text: 'two\n' })], services).log(stream(), 'DownstreamEnd')
  logs.close()
  expect(written('a')).toBe('one\ntwo\n')
})

test('a file that cannot be opened is named', () => {
  expect(() => logs.logger([{ sink: { type: 'file', path: join(folder, 'no/such/folder') } }], services)).toThrow(
    `unable to open file '${join(folder, 'no/such/folder')}': No such file or directory`,
  )
})
