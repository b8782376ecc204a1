import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pair, skipReason, statusAndBody, tracesView } from './pair.ts'

/** Each case has a month of its own, ms. */
const MONTH = 30 * 86_400_000
const START = 1_500_000_000_000
let pair: Pair

interface Call {
  traceId: string
  id: string
  parentId?: string
  service?: string
  remote?: string
  /** ms after the case's start */
  at?: number
  [field: string]: unknown
}

function spans(base: number, calls: Call[]): object[] {
  return calls.map(({ service, remote, at, ...rest }) => ({
    ...(at === undefined ? {} : { timestamp: (base + at) * 1000 }),
    ...(service === undefined ? {} : { localEndpoint: { serviceName: service } }),
    ...(remote === undefined ? {} : { remoteEndpoint: { serviceName: remote } }),
    ...rest,
  }))
}

const idsOf = (calls: Call[]): string[] => [...new Set(calls.map(({ traceId }) => traceId))]

describe.skipIf(skipReason)(`search beside zipkin-server${skipReason ? ` (${skipReason})` : ''}`, () => {
  const base = START
  const calls: Call[] = [
    {
      traceId: 'a1',
      id: '1',
      service: 'web',
      name: 'a',
      at: 0,
      duration: 50,
      remote: 'app',
      tags: { method: 'GET', env: '' },
    },
    { traceId: 'a1', id: '2', parentId: '1', service: 'web', name: 'b', at: 5, duration: 150 },
    {
      traceId: 'a1',
      id: '3',
      parentId: '2',
      service: 'app',
      name: 'c',
      at: 6,
      duration: 900,
      tags: { error: 'x', method: 'POST' },
    },
    {
      traceId: 'a2',
      id: '1',
      service: 'web',
      name: 'a',
      at: 100,
      duration: 10,
      annotations: [{ timestamp: 1, value: 'retry' }],
    },
    { traceId: 'a3', id: '1', service: 'app', name: 'a', at: 200, tags: { retry: 'no', 'k v': 'a=b' } },
    { traceId: 'a4', id: '1', parentId: '9', service: 'web', name: 'headless', at: 300 },
    { traceId: 'a5', id: '1', service: 'web', name: 'late', at: 60_000, duration: 1 },
    { traceId: 'a5', id: '2', parentId: '1', service: 'web', name: 'later', at: 120_000, duration: 1 },
    { traceId: 'a6', id: '1', service: 'web', name: 'timeless' },
    { traceId: 'a7', id: '1', name: 'nobody', at: 400, remote: 'web' },
    { traceId: 'a8', id: '1', service: 'café', name: 'get é', at: 500 },
    { traceId: 'a9', id: '1', service: 'tie', at: 600 },
    { traceId: 'b9', id: '1', service: 'tie', at: 600 },
    { traceId: 'c9', id: '1', service: 'tie', at: 600 },
  ]
  beforeAll(async () => {
    pair = await Pair.start()
    await pair.store(spans(base, calls), idsOf(calls))
  })
  afterAll(() => pair?.close())

  const window = `endTs=${base + 1000}&lookback=2000`
  it.each([
    ['everything in the window, newest first', ''],
    ['a service', 'serviceName=web'],
    ['a service in capitals', 'serviceName=WEB'],
    ['a service beyond ASCII', `serviceName=${encodeURIComponent('CAFÉ')}`],
    ['a service only seen as remote', 'serviceName=nowhere'],
    ['an empty service, which is none', 'serviceName='],
    ['a span name', 'serviceName=web&spanName=a'],
    ['a span name of another service', 'serviceName=web&spanName=c'],
    ['the span name all', 'serviceName=web&spanName=ALL'],
    ['a remote service', 'serviceName=web&remoteServiceName=app'],
    ['a remote service without service', 'remoteServiceName=WEB'],
    ['conditions met by different spans', 'serviceName=web&spanName=a&minDuration=100'],
    ['a shortest duration', 'minDuration=150'],
    ['a duration in a range that no single span meets', 'serviceName=web&minDuration=60&maxDuration=140'],
    ['a duration in a range, both ends included', 'serviceName=web&minDuration=50&maxDuration=50'],
    ['a tag', 'annotationQuery=method%3DGET'],
    ['a tag in another case', 'annotationQuery=method%3Dget'],
    ['a tag of another service', 'serviceName=web&annotationQuery=error'],
    ['a tag without service', 'annotationQuery=error'],
    ['a word: annotation or tag', 'annotationQuery=retry'],
    ['a tag with an empty value', 'annotationQuery=env%3D'],
    ['a value with an equals sign, a key with a blank', 'annotationQuery=k+v%3Da%3Db'],
    ['two tags', 'annotationQuery=method%3DGET+and+env'],
    ['two tags of two services', 'annotationQuery=method%3DGET+and+error'],
    ['a word and the same tag with a value', 'annotationQuery=method+and+method%3DPOST'],
    ['AND in capitals, which is text', 'annotationQuery=method+AND+env'],
    ['a limit', 'limit=2'],
    ['a limit that cuts a tie', 'serviceName=tie&limit=2'],
    ['a tie', 'serviceName=tie'],
    ['an unknown parameter', 'serviceName=tie&servicename=web'],
    ['a parameter twice', 'serviceName=tie&serviceName=web'],
    ['an empty duration', 'serviceName=tie&minDuration='],
  ])('finds %s', async (_name, query) => {
    await pair.same(`/api/v2/traces?${window}${query && `&${query}`}`, tracesView)
  })

  it.each([
    ['that ends on a span', base + 200, 50],
    ['that begins on a span', base + 250, 50],
    ['that ends between the spans of a trace', base + 90_000, 40_000],
    ['that holds only the later span of a trace', base + 130_000, 15_000],
    ['that holds both', base + 130_000, 100_000],
    ['with nothing in it', base + 900_000, 1000],
    ['that reaches to the epoch', base + 1000, base],
    ['in the future', base + 4_000_000_000_000, 10],
  ])('looks through a window %s', async (_name, endTs, lookback) => {
    await pair.same(`/api/v2/traces?endTs=${endTs}&lookback=${lookback}&limit=100`, tracesView)
  })

  it.each([
    'limit=0',
    'limit=-1',
    'limit=',
    'limit=x',
    'limit=1.5',
    'limit=2147483648',
    'limit=%2B5',
    'limit=+5',
    'endTs=0',
    'endTs=-5',
    'endTs=1e3',
    'endTs=',
    'endTs=9223372036854775808',
    'lookback=0',
    'lookback=0x10',
    'lookback=',
    'minDuration=0',
    'minDuration=-1',
    'minDuration=a',
    'maxDuration=5',
    'minDuration=5&maxDuration=4',
    'minDuration=5&maxDuration=0',
    'endTs=0&limit=0&lookback=0',
    'limit=0&lookback=0',
  ])('says the same of /traces?%s', async query => {
    await pair.same(`/api/v2/traces?serviceName=none&${query}`, statusAndBody)
  })

  it.each([
    '/api/v2/trace/zz',
    '/api/v2/trace/ABC',
    '/api/v2/trace/0',
    `/api/v2/trace/${'a'.repeat(33)}`,
    '/api/v2/trace/feed',
    '/api/v2/trace/%20a1%20',
    '/api/v2/trace/%1fa1%09%1c',
    '/api/v2/trace/%1f',
    '/api/v2/trace/a1%C2%A0',
    '/api/v2/trace/a1%EF%BB%BF',
    '/api/v2/trace/00000000000000a1',
    '/api/v2/trace/00000000000000000000000000000000a1',
    '/zipkin/api/v2/trace/a1',
  ])('answers %s', async path => {
    await pair.same(path, tracesView)
  })

  it.each([
    '',
    'traceIds=',
    'traceIds=a1',
    'traceIds=a1,a1',
    'traceIds=a1,00000000000000a1',
    'traceIds=a1,',
    'traceIds=a1,,a2',
    'traceIds=a1,%20a2',
    'traceIds=a1,xx',
    'traceIds=a2,a1',
    'traceIds=a1,feed',
    'traceIds=dead,feed',
    'traceIds=a1,a2&traceIds=a3,a4',
  ])('answers /traceMany?%s', async query => {
    await pair.same(`/api/v2/traceMany?${query}`, tracesView)
  })

  it.each([
    'services',
    'spans',
    'spans?serviceName=',
    'spans?serviceName=WEB',
    'spans?serviceName=nowhere',
    'remoteServices',
    'remoteServices?serviceName=web',
    'remoteServices?serviceName=nowhere',
    'autocompleteKeys',
    'autocompleteValues',
    'autocompleteValues?key=',
    'autocompleteValues?key=env',
    'dependencies',
    'dependencies?endTs=',
    'dependencies?endTs=x',
    'dependencies?endTs=0',
    'dependencies?endTs=1&lookback=0',
    `dependencies?endTs=${base + 1000}&lookback=2000`,
    `dependencies?endTs=${base + 1000}&lookback=`,
  ])('answers /api/v2/%s, headers included', async path => {
    await pair.same(`/api/v2/${path}`)
    await pair.same(`/zipkin/api/v2/${path}`)
  })
})

describe.skipIf(skipReason)(`odd questions beside zipkin-server${skipReason ? ` (${skipReason})` : ''}`, () => {
  const HOUR = 3_600_000
  const base = START
  const calls: Call[] = Array.from({ length: 60 }, (_, i) => ({
    traceId: (0x1000 + i).toString(16),
    id: '1',
    kind: 'CLIENT',
    name: `op ${i}`,
    service: `svc-${i % 20}`,
    remote: `remote ${i % 7}`,
    at: i * HOUR,
    duration: i + 1,
    tags: { env: `e${i % 5}`, method: i % 2 === 0 ? '' : 'GET', ' padded ': ' v ', 'a=b': 'c', and: 'x and y' },
    annotations: [
      { timestamp: 1, value: 'w and z' },
      { timestamp: 2, value: 'k=v' },
      { timestamp: 3, value: ' sp ' },
    ],
  }))
  // Of one trace, a span a day.
  for (let day = 0; day < 4; day++) {
    const parent = day === 0 ? {} : { parentId: String(day) }
    calls.push({
      traceId: '3001',
      id: String(day + 1),
      ...parent,
      kind: 'SERVER',
      service: `day-${day}`,
      at: day * 24 * HOUR + 7,
    })
  }
  calls.push(
    { traceId: '463ac35c9f6413ad0000000000002009', id: '1', service: ' blank ', name: 'ünï', at: 0 },
    { traceId: '2009', id: '2', service: 'narrow', at: 0 },
    { traceId: '2010', id: '1', service: 'edge', at: 0.999 },
    { traceId: '2011', id: '1', service: 'edge', timestamp: 1 },
    { traceId: '2012', id: '1', service: 'edge', timestamp: 9_007_199_254_740_000 },
  )
  beforeAll(async () => {
    pair = await Pair.start({ AUTOCOMPLETE_KEYS: 'method,env' })
    for (const path of [
      'traces',
      'services',
      'autocompleteValues?key=env',
      `dependencies?endTs=${base}`,
      'traceMany?traceIds=1,2',
    ]) {
      await pair.same(`/api/v2/${path}`)
    }
    await pair.store(spans(base, calls), idsOf(calls))
  })
  afterAll(() => pair?.close())

  const window = `endTs=${base + 200 * HOUR}&lookback=${400 * HOUR}&limit=1000`
  it.each([
    ' env = e1 ',
    'env=e1 and env=e2',
    'env and env=e1',
    'env=e1 and env',
    'and',
    'and=x and y',
    'a=b',
    ' padded = v ',
    'padded',
    'w and z',
    'k=v',
    ' sp ',
    'sp',
    'method=',
    'method=GET  and  env=e1',
    '\u001fmethod\t=\u001cGET',
    'method=GET\u00a0',
    '\ufeffmethod=GET',
    'env=e1\nand\nenv',
    'env%3De1',
    'null',
    Array.from({ length: 100 }, () => 'env').join(' and '),
    Array.from({ length: 101 }, () => 'env').join(' and '),
    Array.from({ length: 100 }, (_, i) => `k${i}`).join(' and '),
  ])('finds what %j finds', async annotationQuery => {
    await pair.same(`/api/v2/traces?${window}&annotationQuery=${encodeURIComponent(annotationQuery)}`, tracesView)
  })

  it.each([
    'serviceName=%20svc-1',
    'serviceName=svc-1%20',
    'serviceName=%20BLANK%20',
    'serviceName=blank',
    'spanName=op+1',
    'spanName=%C3%9CN%C3%8F',
    'spanName=all',
    'serviceName=all',
    'remoteServiceName=all',
    'serviceName=svc-1&remoteServiceName=REMOTE+1',
    'serviceName=svc-1&remoteServiceName=',
    'minDuration=1&maxDuration=9223372036854775807',
    'minDuration=9223372036854775807',
    'minDuration=9223372036854775808',
    'minDuration=00005',
    'minDuration=-0',
    'minDuration=&maxDuration=5',
    'minDuration=5&maxDuration=',
    'minDuration=5&maxDuration=x',
    'minDuration=5ms',
    'serviceName',
    '=svc-1',
    '&&&',
    'serviceName=a=b',
    'serviceName=%C3%28',
    'serviceName=svc-1;limit=1',
    'serviceName[]=svc-1',
    'serviceName=&serviceName=svc-1',
    'limit=1&limit=x',
  ])('answers %s', async query => {
    await pair.same(`/api/v2/traces?${window}&${query}`, tracesView)
  })

  it.each([
    `endTs=${base}&lookback=1`,
    `endTs=${base - 1}&lookback=1`,
    `endTs=${base}&lookback=${base * 2}`,
    'endTs=9223372036854775807&lookback=1',
    'endTs=9223372036854775&lookback=9223372036854775',
    'endTs=9007199254740&lookback=1',
    'endTs=4102444800000&lookback=4102444800000',
    'endTs=1&lookback=1',
    'endTs=1&lookback=5',
    'lookback=1',
    'limit=2147483647',
    'limit=00010',
    'lookback=-9223372036854775808',
    'lookback=-9223372036854775809',
    'endTs=null',
    'limit=1_000',
    'limit=5L',
  ])('looks through %s', async query => {
    await pair.same(`/api/v2/traces?${query}&limit=1000`, tracesView)
  })

  const linksView = ({ status, body }: { status: number; body: string }): unknown =>
    status === 200 ? (JSON.parse(body) as object[]).map(link => JSON.stringify(link)).sort() : [status, body]
  it.each([
    `endTs=${base + 59 * HOUR}`,
    `endTs=${base + 59 * HOUR}&lookback=${24 * HOUR}`,
    `endTs=${base + 59 * HOUR}&lookback=${48 * HOUR}`,
    `endTs=${base + 400 * HOUR}&lookback=${800 * HOUR}`,
    `endTs=${base}&lookback=1`,
    `endTs=${base + 24 * HOUR}&lookback=10`,
    `endTs=${base + 24 * HOUR + 7}&lookback=1`,
    `endTs=${base + 48 * HOUR}&lookback=1000`,
    'endTs=9223372036854775807&lookback=9223372036854775807',
    `endTs=${base}&lookback=9223372036854775807`,
    `endTs=${base * 3}&lookback=${base * 3}`,
    'endTs=-1&lookback=-1',
    `endTs=${base}&lookback=1.5`,
    `endTs=${base}&endTs=x`,
    'endTs=9223372036854775808',
  ])('links over days: %s', async query => {
    await pair.same(`/api/v2/dependencies?${query}`, linksView)
  })

  const many = (count: number): string => Array.from({ length: count }, (_, i) => (0x1000 + i).toString(16)).join()
  it.each([
    ['sixty', many(60)],
    ['three hundred', many(300)],
    ['both widths', '463ac35c9f6413ad0000000000002009,2009'],
    ['one twice, padded', '2009,00002009'],
    ['a comma', ','],
    ['a comma first', ',2009'],
    ['a semicolon', '2009;2010'],
    ['capitals', 'A,B'],
    ['zeros', '0,0'],
    ['one that is too long', `${'1'.repeat(33)},2`],
  ])('gives many traces: %s', async (_name, ids) => {
    await pair.same(`/api/v2/traceMany?traceIds=${ids}`, tracesView)
  })

  it.each([
    'services',
    'spans?serviceName=%20blank%20',
    'spans?serviceName=svc-3',
    'spans?serviceName=edge&serviceName=svc-1',
    'spans?serviceName',
    'spans?servicename=edge',
    'remoteServices?serviceName=SVC-1',
    'remoteServices?serviceName=',
    'autocompleteKeys',
    'autocompleteValues?key=env',
    'autocompleteValues?key=method',
    'autocompleteValues?key=ENV',
    'autocompleteValues?key=env&key=x',
    'autocompleteValues?Key=env',
    'autocompleteValues?key',
  ])('lists names, headers included: %s', async path => {
    await pair.same(`/api/v2/${path}`)
  })
})

/** kind and service, remote after a slash: `C web/app`. */
type Shape = [notation: string, parent: number | null, fields?: Record<string, unknown>]

const KINDS: Record<string, string | undefined> = { S: 'SERVER', C: 'CLIENT', P: 'PRODUCER', K: 'CONSUMER' }

describe.skipIf(skipReason)(`dependency links beside zipkin-server${skipReason ? ` (${skipReason})` : ''}`, () => {
  beforeAll(async () => {
    pair = await Pair.start()
  })
  afterAll(() => pair?.close())

  let month = 0
  const LINKED: [name: string, trace: Shape[]][] = [
    [
      'server, client, server',
      [
        ['S web', null],
        ['C web/app', 0],
        ['S app', 1],
      ],
    ],
    [
      'the client failed',
      [
        ['S web', null],
        ['C web/app', 0, { tags: { error: '' } }],
        ['S app', 1],
      ],
    ],
    [
      'one id, the client failed',
      [
        ['C web', null, { id: 'a', tags: { error: 'x' } }],
        ['S app', null, { id: 'a', shared: true }],
      ],
    ],
    [
      'one id, the server failed',
      [
        ['C web', null, { id: 'a' }],
        ['S app', null, { id: 'a', shared: true, tags: { error: 'x' } }],
      ],
    ],
    [
      'one id, no shared flag',
      [
        ['C web', null, { id: 'a' }],
        ['S app', null, { id: 'a' }],
      ],
    ],
    [
      'a client that knows nobody',
      [
        ['S web', null],
        ['C web', 0],
      ],
    ],
    [
      'a client of a client of another name',
      [
        ['S web', null],
        ['C db/db', 0],
      ],
    ],
    [
      'clients below clients',
      [
        ['C web/gw', null],
        ['C app/db', 0],
      ],
    ],
    [
      'local work below a client',
      [
        ['C web/db', null],
        ['L web', 0],
      ],
    ],
    [
      'local work between',
      [
        ['S web', null],
        ['L web', 0],
        ['C web/db', 1],
      ],
    ],
    [
      'servers only',
      [
        ['S web', null],
        ['S app', 0],
        ['S db', 1],
      ],
    ],
    ['no kind, two names', [['L web/app', null]]],
    [
      'no kind, two names, and a server',
      [
        ['L web/app', null],
        ['S app', 0],
      ],
    ],
    ['a root that knows its caller', [['S web/lb', null]]],
    ['a headless server that knows its caller', [['S web/lb', null, { parentId: 'dead' }]]],
    ['a headless server', [['S web', null, { parentId: 'dead' }]]],
    [
      'two roots',
      [
        ['S web', null],
        ['S app', null],
      ],
    ],
    [
      'messages through a broker',
      [
        ['S web', null],
        ['P web/kafka', 0],
        ['K worker/kafka', 1],
        ['C worker/db', 2],
      ],
    ],
    [
      'a server below a producer',
      [
        ['P web/kafka', null],
        ['S app', 0],
      ],
    ],
    [
      'messages without broker',
      [
        ['P web', null],
        ['K worker', 0],
      ],
    ],
    [
      'a consumer below a client',
      [
        ['C web', null],
        ['K worker', 0],
      ],
    ],
    ['an error that is false', [['C web/db', null, { tags: { error: 'false' } }]]],
    [
      'a service that calls itself',
      [
        ['S web', null],
        ['C web/web', 0],
      ],
    ],
    [
      'two servers on one id',
      [
        ['C web', null, { id: 'a' }],
        ['S app1', null, { id: 'a', shared: true }],
        ['S app2', null, { id: 'a', shared: true }],
      ],
    ],
    [
      'spans sent twice',
      [
        ['S web', null, { id: 'a' }],
        ['S app', 0],
        ['S web', null, { id: 'a' }],
      ],
    ],
    [
      'a circle',
      [
        ['S web', null, { id: 'a', parentId: 'b' }],
        ['S app', null, { id: 'b', parentId: 'a' }],
      ],
    ],
    [
      'a circle beside a root',
      [
        ['S web', null],
        ['S app', 0],
        ['S x', null, { id: 'c', parentId: 'd' }],
        ['S y', null, { id: 'd', parentId: 'c' }],
      ],
    ],
    ['an annotation called error', [['C web/db', null, { annotations: [{ timestamp: 1, value: 'error' }] }]]],
    ['an address without name', [['C web', null, { remoteEndpoint: { ipv4: '1.2.3.4' } }]]],
  ]
  it.each(LINKED)('draws %s', async (_name, shapes) => {
    const base = START + ++month * MONTH
    const traceId = (0xbeef00 + month).toString(16)
    const ids = shapes.map(([, , fields], index) => (fields?.id as string) ?? (index + 1).toString(16))
    const trace = shapes.map(([notation, parent, fields], index) => {
      const [letter, names] = notation.split(' ') as [string, string]
      const [service, remote] = names.split('/')
      return {
        traceId,
        id: ids[index]!,
        ...(KINDS[letter] === undefined ? {} : { kind: KINDS[letter] }),
        ...(parent === null ? {} : { parentId: ids[parent]! }),
        service: service!,
        ...(remote === undefined ? {} : { remote }),
        at: index,
        ...fields,
      }
    })
    await pair.store(spans(base, trace), [traceId])
    await pair.waitFor(
      `/api/v2/trace/${traceId}`,
      ({ body }) => JSON.parse(body).length >= new Set(trace.map(t => JSON.stringify({ ...t, at: 0 }))).size,
    )
    await pair.same(`/api/v2/dependencies?endTs=${base + 1000}&lookback=2000`)
  })

  it('joins the two widths of a trace id', async () => {
    const base = START + ++month * MONTH
    const calls: Call[] = [
      { traceId: '463ac35c9f6413ad00000000000d1d11', id: '1', kind: 'CLIENT', service: 'web', at: 0 },
      { traceId: '00000000000d1d11', id: '2', parentId: '1', kind: 'SERVER', service: 'app', at: 1 },
    ]
    await pair.store(spans(base, calls), idsOf(calls))
    const answer = await pair.same(`/api/v2/dependencies?endTs=${base + 1000}&lookback=2000`)
    expect(JSON.parse(answer.body)).toHaveLength(1)
    // And to search they are two.
    await pair.same(`/api/v2/traces?endTs=${base + 1000}&lookback=2000`, tracesView)
  })

  it('counts many traces together', async () => {
    const base = START + ++month * MONTH
    const calls: Call[] = Array.from({ length: 30 }, (_, i) => ({
      traceId: (0xfade00 + i).toString(16),
      id: '1',
      kind: 'CLIENT',
      service: i % 3 === 0 ? 'web' : 'app',
      remote: 'db',
      at: i * 100,
      ...(i % 5 === 0 ? { tags: { error: '' } } : {}),
    }))
    await pair.store(spans(base, calls), idsOf(calls))
    for (const [endTs, lookback] of [
      [3000, 3000],
      [1450, 500],
      [1400, 100],
    ] as const) {
      await pair.same(`/api/v2/dependencies?endTs=${base + endTs}&lookback=${lookback}`, answer =>
        (JSON.parse(answer.body) as { parent: string }[]).toSorted((a, b) => (a.parent < b.parent ? -1 : 1)),
      )
    }
  })
})
