import { describe, expect, test } from 'vitest'
import { matchTraceText } from './match-trace-text.ts'
import type { Kind } from './span.ts'
import { pick, type Random, randomInteger, seededRandom } from './testing/random.ts'
import { TEXT_EPOCH, textFromTrace, traceFromText } from './text.ts'

const ORDERS = `gateway  get /orders  0..100  server
  gateway  get /orders  5..95  client  ->orders
    orders  get /orders  10..90  server  shared  @50 cache miss  error=timeout  response_flags=-
      orders  -  11..-
  gateway  "a=b"  96..97.5  client  debug  x=""
`

test('what is read is written back', () => {
  expect(textFromTrace(traceFromText(ORDERS))).toBe(ORDERS)
})

test('a line becomes a span', () => {
  expect(traceFromText('a  X y  1..3.5  client  ->B  @2 v  k=w')).toEqual([
    {
      traceId: '0000000000000001',
      id: '0000000000000001',
      kind: 'CLIENT',
      name: 'x y',
      timestamp: TEXT_EPOCH + 1000,
      duration: 2500,
      localEndpoint: { serviceName: 'a' },
      remoteEndpoint: { serviceName: 'B' },
      annotations: [{ timestamp: TEXT_EPOCH + 2000, value: 'v' }],
      tags: { k: 'w' },
    },
  ])
})

/** A canonical text: names in lower case, siblings by start, what hangs below a shared half of its service. */
function randomText(random: Random): string {
  const word = () =>
    pick(random, [
      'a',
      'b c',
      'get /x?y',
      '-',
      'client',
      '"q"',
      'k=v',
      'x  y',
      '@1',
      '->z',
      'é…',
      '#n',
      '*',
      '1..2',
      'x>',
    ])
  const quoted = (text: string) => (/^-$|^$|[="*…]| {2}|^(?:->|@|#)|>$/.test(text) ? JSON.stringify(text) : text)
  const value = (text: string) => (/^$|["*]| {2}/.test(text) ? JSON.stringify(text) : text)
  const lines: string[] = []
  const add = (
    depth: number,
    start: number,
    above: { service: string; kind: Kind | undefined; shared: boolean } | undefined,
  ) => {
    const service = above?.shared ? above.service : quoted(word())
    const kind = pick(random, ['client', 'server', 'producer', 'consumer', undefined] as const)
    const shared =
      above?.kind === 'CLIENT' && kind === 'server' && !lines[lines.length - 1]!.includes('  shared') && random() < 0.5
    const end = random() < 0.9 ? start + 1 + randomInteger(random, 100) / 8 : undefined
    const columns = [service, random() < 0.1 ? '-' : quoted(word()), `${start}..${end ?? '-'}`]
    if (kind) columns.push(kind)
    if (shared) columns.push('shared')
    if (random() < 0.2) columns.push('debug')
    if (random() < 0.3) columns.push(`->${quoted(word())}`)
    if (random() < 0.3) columns.push(`@${start + 0.125} ${value(word())}`)
    const keys = [...new Set([word(), word()])].slice(randomInteger(random, 3)).sort()
    for (const key of keys) columns.push(`${quoted(key)}=${value(pick(random, ['', word()]))}`)
    lines.push('  '.repeat(depth) + columns.join('  '))
    const below = { service, kind: kind?.toUpperCase() as Kind | undefined, shared }
    // One child at most below a shared half or a client: the next sibling would be a second half.
    const children = depth > 3 ? 0 : kind === 'client' ? randomInteger(random, 2) : randomInteger(random, 4)
    for (let child = 0; child < children; child++) add(depth + 1, start + child + 1, below)
  }
  add(0, 0, undefined)
  return `${lines.join('\n')}\n`
}

test('round trip of random traces', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const text = randomText(seededRandom(seed))
    expect(textFromTrace(traceFromText(text)), `seed ${seed}`).toBe(text)
  }
})

test.each([
  ['a  b', 'line 1: expected service, name and times'],
  ['a  b  soon', 'line 1: expected start..end in ms, got soon'],
  ['a  b  0..1  Client', 'line 1: expected a kind'],
  ['a  b  0..1  server  shared', 'line 1: is shared, but has no other half above it'],
  ['a  b  0..1  client\n  b  b  0..1  server  shared\n    c  b  0..1', 'line 3: is below a shared half'],
  ['a  b  0..1  k=v"w', 'line 1: cannot read from column 13'],
  ['a  b  0..1  dur>=3', 'line 1: dur>= is for expectations'],
])('%j is refused', (text, message) => {
  expect(() => traceFromText(text)).toThrow(message)
})

describe('matchTraceText', () => {
  const match = (expected: string) => matchTraceText(expected, traceFromText(ORDERS))
  test.each([
    ['itself', ORDERS],
    ['wildcards', 'gateway  get *  ..  server\n  *  *  *  client  ->ord*\n    orders  *  10..*  error=*\n      …\n  …'],
    ['tags and kinds that are not written', 'gateway  get /orders  ..\n  …'],
    ['bounds', 'gateway  *  ..  dur>=100  dur<=100  start>=0\n  …'],
    ['more children in any place', 'gateway  *  ..\n  …\n  gateway  "a=b"  ..'],
    ['an annotation at any time', '*  *  ..\n  *  *  ..\n    orders  *  ..  @* cache*\n      …\n  …'],
    ['an absent name', '*  *  ..\n  *  *  ..\n    *  *  ..\n      orders  -  11..-\n  …'],
  ])('holds: %s', (_, expected) => {
    expect(match(expected)).toEqual({ ok: true })
  })
  test.each([
    ['a child too few', 'gateway  *  ..\n  gateway  *  ..\n    …', 'line 2: gateway get /orders has 2 children'],
    ['service', 'shop  *  ..\n  …', 'line 1: service is gateway'],
    ['kind', 'gateway  *  ..  client\n  …', 'line 1: kind is server'],
    ['absent tag', 'gateway  *  ..  error=*\n  …', 'line 1: error is absent'],
    ['tag value', '*  *  ..\n  *  *  ..\n    orders  *  ..  error=time\n      …\n  …', 'line 3: error is "timeout"'],
    [
      'quoted star is a star',
      '*  *  ..\n  *  *  ..\n    orders  *  ..  error="*"\n      …\n  …',
      'line 3: error is "timeout"',
    ],
    ['bound', 'gateway  *  ..  dur<=99\n  …', 'line 1: dur is 100'],
    ['times', 'gateway  *  0..99\n  …', 'line 1: times are 0..100'],
    ['peer', '*  *  ..\n  *  *  ..  ->shop\n    …\n  …', 'line 2: peer is orders'],
    [
      'order',
      '*  *  ..\n  …\n  gateway  "a=b"  ..\n  gateway  get /orders  ..\n    …',
      'line 4: no child of gateway get /orders matches',
    ],
    ['the closest of several', '*  *  ..\n  …\n  gateway  *  ..  client  debug  x=y\n  …', 'line 3: x is ""'],
    ['shared', 'gateway  *  ..  shared\n  …', 'line 1: is not shared'],
    [
      'deepest difference wins',
      '*  *  ..\n  *  *  ..\n    *  *  ..\n      orders  x  ..\n  …',
      'line 4: name is absent',
    ],
  ])('fails: %s', (_, expected, message) => {
    const result = match(expected)
    expect(result).toMatchObject({ ok: false })
    const text = result.ok ? '' : result.message
    expect(text).toContain(message)
    expect(text).toContain(`the trace is:\n${ORDERS}`)
  })
  test('no spans', () => {
    expect(matchTraceText('a  b  ..', [])).toMatchObject({ ok: false, message: expect.stringContaining('(no spans)') })
  })
  test('a bad expectation is an error of its author', () => {
    expect(() => match('gateway  *  ..  dur>=much\n  …')).toThrow('line 1: expected a number behind dur>=, got much')
    expect(() => match('gateway  get')).toThrow('line 1: expected service, name and times')
  })
})
