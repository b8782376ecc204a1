import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DependencyLinker } from './dependencies.ts'
import type { Kind, Span } from './span.ts'

const KINDS: Record<string, Kind> = { C: 'CLIENT', S: 'SERVER', P: 'PRODUCER', K: 'CONSUMER' }

/** `id parentId|- KIND|- local|- remote|- flags`: one span a line. */
function trace(text: string): Span[] {
  return text
    .trim()
    .split('\n')
    .map((line, index) => {
      const [id, parentId, kind, local, remote, ...flags] = line.trim().split(/\s+/)
      const span: Span = { traceId: '0000000000000001', id: id!.padStart(16, '0'), timestamp: index + 1 }
      if (parentId !== '-') span.parentId = parentId!.padStart(16, '0')
      if (kind !== '-') span.kind = KINDS[kind!]!
      if (local && local !== '-') span.localEndpoint = { serviceName: local }
      if (remote && remote !== '-') span.remoteEndpoint = { serviceName: remote }
      if (flags.includes('shared')) span.shared = true
      const error = flags.find(flag => flag.startsWith('error'))
      if (error) span.tags = { error: error.slice('error='.length) }
      if (flags.includes('@error')) span.annotations = [{ timestamp: 1, value: 'error' }]
      return span
    })
}

function linksOf(...traces: Span[][]): string[] {
  const linker = new DependencyLinker()
  for (const spans of traces) linker.putTrace(spans)
  return linker
    .links()
    .map(
      ({ parent, child, callCount, errorCount }) =>
        `${parent}→${child} ${callCount}${errorCount ? ` error ${errorCount}` : ''}`,
    )
}

describe('worked cases, each seen on zipkin-server 3.6.1', () => {
  test.each([
    ['separate ids', '1 - S web\n2 1 C web app\n3 2 S app', ['web→app 1']],
    ['only the client has the error', '1 - S web\n2 1 C web app error\n3 2 S app', ['web→app 1 error 1']],
    ['shared id, only the client has the error', '1 - S web\n2 1 C web app error\n2 1 S app - shared', ['web→app 1']],
    [
      'shared id, the server has the error',
      '1 - S web\n2 1 C web app\n2 1 S app - shared error',
      ['web→app 1 error 1'],
    ],
    ['shared flag missing', '2 - C web\n2 - S app', ['web→app 1']],
    ['client leaf without remote', '1 - S web\n2 1 C web', []],
    ['client leaf of another local service', '1 - S web\n2 1 C db db', ['web→db 1', 'db→db 1']],
    ['a service between that reports clients only', '1 - C web gw\n2 1 C app db', ['web→app 1', 'app→db 1']],
    ['client with a local child', '1 - C web db\n2 1 - web', []],
    ['local span between', '1 - S web\n2 1 - web\n3 2 C web db', ['web→db 1']],
    ['servers only', '1 - S web\n2 1 S app\n3 2 S db', ['web→app 1', 'app→db 1']],
    ['no kind, two names', '1 - - web app', ['web→app 1']],
    ['no kind, two names, and a server', '1 - - web app\n2 1 S app', ['web→app 1']],
    ['root server with remote', '1 - S web lb', ['lb→web 1']],
    ['headless server with remote', '2 1 S web lb', ['lb→web 1']],
    ['headless server', '2 1 S web', []],
    ['two roots', '1 - S web\n2 - S app', ['web→app 1']],
    [
      'messaging',
      '1 - S web\n2 1 P web kafka\n3 2 K worker kafka\n4 3 C worker db',
      ['web→kafka 1', 'kafka→worker 1', 'worker→db 1'],
    ],
    ['producer, then a server', '1 - P web kafka\n2 1 S app', ['web→kafka 1', 'web→app 1']],
    ['no broker', '1 - P web\n2 1 K worker', []],
    ['client, then a consumer', '1 - C web\n2 1 K worker', []],
    ['error=false is an error', '1 - C web db error=false', ['web→db 1 error 1']],
    ['a call to itself, shared', '1 - C web\n1 - S web - shared', ['web→web 1']],
    ['a call to itself, leaf', '1 - S web\n2 1 C web web', ['web→web 1']],
    ['two servers of one id', '1 - C web\n1 - S app1 - shared\n1 - S app2 - shared', ['web→app1 1', 'web→app2 1']],
    ['identical span twice', '1 - C web db\n1 - C web db', ['web→db 1']],
    ['cycle only', '1 2 C web app\n2 1 S app', []],
    ['cycle beside a root', '3 - C a b\n1 2 C web app\n2 1 S app', ['a→b 1']],
    ['annotation error', '1 - C web db @error', ['web→db 1']],
  ])('%s', (_, text, expected) => {
    expect(linksOf(trace(text))).toEqual(expected)
  })
})

describe('random damaged traces, as zipkin-server 3.6.1 linked them', () => {
  const recorded: { spans: Span[]; links: object[] }[] = JSON.parse(
    readFileSync(new URL('./testing/fixtures/zipkin-links.json', import.meta.url), 'utf8'),
  )
  test(`${recorded.length} traces`, () => {
    const order = (a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
    for (const { spans, links } of recorded) {
      const linker = new DependencyLinker()
      linker.putTrace(spans.map(span => ({ ...span, traceId: '0000000000000001' })))
      expect(linker.links().sort(order), JSON.stringify(spans)).toEqual(links.sort(order))
    }
  })
})

test('counts add up over traces', () => {
  const call = trace('1 - C web db')
  expect(linksOf(call, trace('1 - C web db error=x'), trace('1 - C web cache'))).toEqual([
    'web→db 2 error 1',
    'web→cache 1',
  ])
})

test('64- and 128-bit ids of one trace are one trace', () => {
  const [client, server] = trace('1 - C web app\n2 1 S app')
  expect(linksOf([client!, { ...server!, traceId: `${'a'.repeat(16)}0000000000000001` }])).toEqual(['web→app 1'])
})

test('links are made of a chain of 100,000 calls', () => {
  const spans: Span[] = Array.from({ length: 100_000 }, (_, i) => ({
    traceId: '0000000000000001',
    id: (i + 1).toString(16).padStart(16, '0'),
    ...(i > 0 && { parentId: i.toString(16).padStart(16, '0') }),
    kind: 'SERVER',
    localEndpoint: { serviceName: i % 2 === 0 ? 'a' : 'b' },
    timestamp: i + 1,
  }))
  expect(linksOf(spans)).toEqual(['a→b 50000', 'b→a 49999'])
})
