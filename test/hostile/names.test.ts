import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootstrap, cluster } from '../conformance/envoy/harness/config.ts'
import { readOtlpSpans, readZipkinSpans } from '../conformance/envoy/harness/protobuf-spans.ts'
import { freePorts } from '../conformance/free-ports.ts'

/**
 * Names that try to break out of where they are written: quotes, brackets, separators of lines, broken UTF-8, in headers, paths, hosts
 * and the configuration. Nothing that a sidecar writes of them may be other than one line, one JSON value, one span, one text of a page.
 */
const EVIL = '"}],"evil":"1\\\u2028\u2029</script><script>evil()</script>\'%00%0A&\t\u00e4'
const BROKEN = '\xff\xfe\xc3("\xed\xa0\x80\xf0\x9f'
/** As bytes, one a character. */
const whole = Buffer.from(EVIL, 'utf8').toString('latin1')
const wire = whole + BROKEN
/** Without the tab, which no path has. */
const inPath = `${encodeURI('"}],"evil":"1').replaceAll('%22', '"')}\\</script><script>evil()'%00%0A&`
const REQUESTS = [
  `GET /plain HTTP/1.1\r\nhost: a.test\r\nx-evil: ${wire}\r\nuser-agent: ${wire}\r\n\r\n`,
  `GET /p${inPath}?${inPath} HTTP/1.1\r\nhost: a.test\r\nreferer: ${wire}\r\nx-client-trace-id: ${wire}\r\n\r\n`,
  `GET /upstream HTTP/1.1\r\nhost: a.test\r\nx-envoy-downstream-service-cluster: ${wire}\r\n\r\n`,
  `GET /named HTTP/1.1\r\nhost: a.test\r\nx-forwarded-for: ${wire}\r\nx-envoy-decorator-operation: ${wire}\r\n\r\n`,
  `GET /grpc HTTP/1.1\r\nhost: a.test\r\ncontent-type: application/grpc\r\ngrpc-timeout: ${wire}\r\nx-evil: ${whole}\r\n\r\n`,
  // What is no id is not sampled by.
  `GET /id HTTP/1.1\r\nhost: a.test\r\nx-request-id: ${wire}\r\n\r\n`,
]
/** A request's span and its attempt's. */
const SPANS = 2 * (REQUESTS.length - 1)
const NAME = EVIL.replaceAll('\t', ' ')

const folder = mkdtempSync(join(tmpdir(), 'hostile-names-'))
let upstream: TcpServer
let upstreamPort: number

beforeAll(async () => {
  upstream = createTcpServer(socket => {
    socket.on('error', () => {})
    socket.on('data', () =>
      socket.write(
        Buffer.from(
          `HTTP/1.1 200 ${BROKEN}\r\ncontent-length: 2\r\nx-answer: ${wire}\r\ngrpc-status: 2\r\ngrpc-message: ${wire}\r\nserver: ${wire}\r\n\r\nok`,
          'latin1',
        ),
      ),
    )
  })
  upstreamPort = await new Promise(resolve =>
    upstream.listen(0, '127.0.0.1', () => resolve((upstream.address() as { port: number }).port)),
  )
})

afterAll(() => {
  upstream?.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Run {
  admin: number
  jsonLog: string
  textLog: string
  reports: { url: string; type: string; body: Buffer }[]
}

/** A sidecar that has been sent all requests. */
async function run(name: string, tracing: object, use: (run: Run) => Promise<void>): Promise<void> {
  const reports: Run['reports'] = []
  const collector: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      reports.push({
        url: request.url!,
        type: request.headers['content-type'] ?? '',
        body: Buffer.concat(chunks),
      })
      response.writeHead(202).end()
    })
  })
  const collectorPort: number = await new Promise(resolve =>
    collector.listen(0, '127.0.0.1', () => resolve((collector.address() as { port: number }).port)),
  )
  const [listener, admin] = (await freePorts(2)) as [number, number]
  const [jsonLog, textLog, file] = ['json.log', 'text.log', 'envoy.json'].map(end =>
    join(folder, `${name}-${end}`),
  ) as [string, string, string]
  const log = (path: string, log_format: object) => ({
    name: 'file',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
      path,
      log_format,
    },
  })
  const operators = [
    '%REQ(X-EVIL)%',
    '%REQ(:PATH)%',
    '%REQ(USER-AGENT)%',
    '%REQ(REFERER)%',
    '%RESP(X-ANSWER)%',
    '%REQ(X-REQUEST-ID)%',
    '%UPSTREAM_CLUSTER%',
    '%ROUTE_NAME%',
    '%DOWNSTREAM_REMOTE_ADDRESS%',
    '%GRPC_STATUS%',
  ]
  const config = bootstrap(
    {
      clusters: [cluster(NAME, upstreamPort)],
      routes: [
        {
          name: NAME,
          match: { prefix: '/named' },
          route: { cluster: NAME },
          decorator: { operation: NAME },
          metadata: { filter_metadata: { [NAME]: { [NAME]: NAME } } },
        },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
      hcm: {
        access_log: [
          log(jsonLog, {
            json_format: { all: operators.join(' '), [NAME]: NAME.replaceAll('%', ''), ...{ list: operators } },
          }),
          log(textLog, { text_format_source: { inline_string: `${operators.join(' ')} end\n` } }),
        ],
      },
      node: { id: NAME, cluster: NAME },
      tracing: {
        ...tracing,
        spawn_upstream_span: true,
        custom_tags: [
          { tag: NAME, literal: { value: NAME } },
          { tag: 'evil-header', request_header: { name: 'x-evil' } },
        ],
      },
    },
    { listener, admin, collector: collectorPort, dead: 1, upstream: { app: upstreamPort } },
    '/dev/null',
  )
  writeFileSync(file, JSON.stringify(config))
  const main = join(import.meta.dirname, '../../apps/sidecar/src/main.ts')
  const sidecar: ChildProcess = spawn(
    process.execPath,
    [main, '-c', file, '-l', 'error', '--file-flush-interval-msec', '20'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let stderr = ''
  sidecar.stderr!.on('data', chunk => {
    stderr += chunk
  })
  try {
    await eventually(async () => {
      if (sidecar.exitCode !== null) throw new Error(`the sidecar has ended: ${stderr}`)
      return (await page(admin, '/ready').catch(() => '')) === 'LIVE\n'
    })
    for (const request of REQUESTS) expect(await answer(listener, request)).toMatch(/^HTTP\/1\.1 200 /)
    await eventually(
      async () => linesOf(textLog).length >= REQUESTS.length && linesOf(jsonLog).length >= REQUESTS.length,
    )
    await use({ admin, jsonLog, textLog, reports })
    expect(stderr).toBe('')
  } finally {
    sidecar.kill('SIGKILL')
    collector.closeAllConnections()
    collector.close()
  }
}

describe('with Zipkin and its JSON', () => {
  test('spans, logs and admin pages hold', async () => {
    await run('zipkin', {}, async ({ admin, jsonLog, textLog, reports }) => {
      const spans: Record<string, unknown>[] = []
      await eventually(async () => {
        spans.length = 0
        for (const { body } of reports) spans.push(...(JSON.parse(utf8(body)) as Record<string, unknown>[]))
        return spans.length >= SPANS
      })
      expect(spans).toHaveLength(SPANS)
      for (const span of spans) {
        expect(Object.keys(span).filter(key => !ZIPKIN_FIELDS.has(key))).toEqual([])
        const tags = span.tags as Record<string, string>
        expect(tags.evil).toBeUndefined()
        expect(tags[NAME]).toBe(NAME)
      }
      const evil = spans.map(span => (span.tags as Record<string, string>)['evil-header']).filter(Boolean)
      expect(evil.length).toBeGreaterThan(0)
      for (const value of evil) expect(value!.startsWith(EVIL)).toBe(true)

      // One line a request, whatever a reader takes for the end of a line that is not LF.
      const text = linesOf(textLog)
      expect(text).toHaveLength(REQUESTS.length)
      for (const line of text) expect(line.endsWith(' end')).toBe(true)
      const json = linesOf(jsonLog)
      expect(json).toHaveLength(REQUESTS.length)
      for (const line of json) {
        const value = JSON.parse(line) as Record<string, unknown>
        expect(Object.keys(value).sort()).toEqual(['all', 'list', NAME].sort())
        expect(value.list).toHaveLength(10)
      }
      const values = json.map(line => (JSON.parse(line) as { list: string[] }).list[0])
      expect(values).toContain(EVIL)
      // What is no text is written byte by byte, as Envoy does.
      expect(values[0]).toBe(wire)

      for (const path of [
        '/stats?format=json',
        '/clusters?format=json',
        '/config_dump',
        '/listeners?format=json',
        '/server_info',
      ]) {
        const value = JSON.parse(await page(admin, path)) as object
        expect('evil' in value, path).toBe(false)
      }
      for (const line of (await page(admin, '/stats/prometheus')).trim().split('\n'))
        expect(line).toMatch(/^(# TYPE \w+ \w+|\w+\{(?:\w+="(?:[^"\\\n]|\\.)*",?)*\} \S+)$/)
      for (const line of (await page(admin, '/stats')).trim().split('\n')) expect(line).toMatch(/^[^\n]+: \S[^\n]*$/)
      for (const path of [
        '/',
        '/help',
        '/stats?format=html',
        `/${encodeURIComponent(EVIL)}`,
        `/stats?filter=${encodeURIComponent('<script>evil()</script>')}`,
      ]) {
        const { type, body } = await fetched(admin, path)
        // What a browser takes for a page has no script of ours to run.
        if (type.includes('html')) expect(body, path).not.toContain('<script>evil()')
      }
    })
  })
})

test('with Zipkin and protobuf', async () => {
  await run('proto', { zipkin: { collector_endpoint_version: 'HTTP_PROTO' } }, async ({ reports }) => {
    let spans: Record<string, unknown>[] = []
    await eventually(async () => {
      spans = reports.flatMap(({ body }) => readZipkinSpans(body))
      return spans.length >= SPANS
    })
    for (const span of spans) {
      const tags = span.tags as Record<string, string>
      expect(tags.evil).toBeUndefined()
      expect(tags[NAME]).toBe(NAME)
    }
  })
})

test('with OpenTelemetry', async () => {
  await run('otlp', { otlp: {} }, async ({ reports }) => {
    let spans: Record<string, unknown>[] = []
    await eventually(async () => {
      spans = reports.flatMap(({ body }) => readOtlpSpans(body))
      return spans.length >= SPANS
    })
    for (const span of spans) {
      const attributes = span.attributes as Record<string, string>
      expect(attributes.evil).toBeUndefined()
      expect(attributes[NAME]).toBe(NAME)
    }
  })
})

const ZIPKIN_FIELDS: ReadonlySet<string> = new Set([
  'traceId',
  'id',
  'parentId',
  'name',
  'kind',
  'timestamp',
  'duration',
  'localEndpoint',
  'annotations',
  'tags',
  'shared',
])

/** Throws when it is none. */
function utf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, file.endsWith('json.log') ? 'utf8' : 'latin1')
      .split('\n')
      .slice(0, -1)
  } catch {
    return []
  }
}

async function fetched(admin: number, path: string): Promise<{ type: string; body: string }> {
  const response = await fetch(`http://127.0.0.1:${admin}${path}`)
  return { type: response.headers.get('content-type') ?? '', body: await response.text() }
}

async function page(admin: number, path: string): Promise<string> {
  return (await fetched(admin, path)).body
}

/** The answer to one request, up to its two bytes of body. */
function answer(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(request, 'latin1')))
    let text = ''
    socket.on('data', chunk => {
      text += chunk.toString('latin1')
      if (/\r\n\r\n/.test(text)) {
        socket.destroy()
        resolve(text)
      }
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}

async function eventually(look: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${look}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
