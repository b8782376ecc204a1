/**
 * What the reporters of a mesh send: 100-span JSON lists of some 66 KB, each with the spans of one service out of about
 * fifty traces, not one trace a body. 20 services, 300 span names, ten tags a span, one of them unique to its trace.
 */
export interface MeshBody {
  bytes: Buffer
  spans: number
  /** Where the last eight characters of each trace, span and request id stand, and a hash of what stands before. */
  ids: { offset: number; salt: number }[]
  /** Where the 16 digits of each start stand, and what they are; µs. */
  starts: { offset: number; value: number }[]
}

const SERVICES = 20
const NAMES_PER_SERVICE = 15
const SPANS_PER_BODY = 100
const EPOCH_MARK = 'eeeeeeee'
const START_KEY = '"timestamp":'

interface RawSpan {
  service: number
  json: string
}

/** `count` bodies from one seed: the same bytes in every run. */
export function meshBodies(count: number, seed = 1, startMs = Date.now()): MeshBody[] {
  const random = seeded(seed)
  const perService = Array.from({ length: SERVICES }, () => [] as string[])
  const bodies: MeshBody[] = []
  for (let trace = 0; bodies.length < count; trace++) {
    for (const { service, json } of meshTrace(random, trace, startMs)) {
      const waiting = perService[service]!
      waiting.push(json)
      if (waiting.length < SPANS_PER_BODY) continue
      bodies.push(toBody(`[${waiting.join(',')}]`))
      perService[service] = []
    }
  }
  return bodies.slice(0, count)
}

/**
 * Makes the body's traces new ones, `shift` µs later. An id gets the same new characters in every body, and random ones as far
 * as a compressor can tell.
 */
export function renew(body: MeshBody, epoch: number, shift = 0): void {
  for (const { offset, salt } of body.ids)
    body.bytes.write(
      mix(salt ^ epoch)
        .toString(16)
        .padStart(8, '0'),
      offset,
      'latin1',
    )
  for (const { offset, value } of body.starts) body.bytes.write(String(value + shift), offset, 'latin1')
}

function toBody(json: string): MeshBody {
  const bytes = Buffer.from(json)
  const ids: MeshBody['ids'] = []
  for (let at = bytes.indexOf(EPOCH_MARK); at !== -1; at = bytes.indexOf(EPOCH_MARK, at + 8)) {
    let salt = 0x811c9dc5
    for (let i = at - 8; i < at; i++) salt = Math.imul(salt ^ bytes[i]!, 0x01000193)
    ids.push({ offset: at, salt: salt >>> 0 })
  }
  const starts: MeshBody['starts'] = []
  for (let at = bytes.indexOf(START_KEY); at !== -1; at = bytes.indexOf(START_KEY, at + 1)) {
    const offset = at + START_KEY.length
    starts.push({ offset, value: Number(bytes.toString('latin1', offset, offset + 16)) })
  }
  return { bytes, spans: SPANS_PER_BODY, ids, starts }
}

/** murmur3's finaliser */
function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** 8 to 40 spans: calls down from an edge, each with its client's and its server's half. */
function meshTrace(random: () => number, number: number, startMs: number): RawSpan[] {
  const traceId = `${hex(random, 8)}${(number >>> 0).toString(16).padStart(8, '0')}${hex(random, 8)}${EPOCH_MARK}`
  const guid = `${hex(random, 8)}-${hex(random, 4)}-${hex(random, 4)}-${hex(random, 4)}-${hex(random, 4)}${EPOCH_MARK}`
  const calls = 4 + Math.floor(random() * 17)
  const spans: RawSpan[] = []
  const servers = [{ service: 0, id: '' }]
  for (let i = 0; i < calls; i++) {
    const from = servers[Math.floor(random() * servers.length)]!
    const to = 1 + Math.floor(random() * (SERVICES - 1))
    const id = `${hex(random, 8)}${EPOCH_MARK}`
    const start = startMs * 1000 + i * 700 + Math.floor(random() * 500)
    const duration = 500 + Math.floor(random() * 50_000)
    const failed = random() < 0.03
    const name = `svc-${to}.mesh.local:8080/api/${Math.floor(random() * NAMES_PER_SERVICE)}/*`
    const half = (kind: 'CLIENT' | 'SERVER'): string =>
      JSON.stringify({
        traceId,
        ...(from.id === '' ? {} : { parentId: from.id }),
        id,
        kind,
        name,
        timestamp: kind === 'CLIENT' ? start : start + 90,
        duration: kind === 'CLIENT' ? duration : duration - 180,
        localEndpoint: {
          serviceName: `service-${kind === 'CLIENT' ? from.service : to}`,
          ipv4: `10.0.${from.service}.${to}`,
          port: 15001,
        },
        tags: {
          component: 'proxy',
          node_id: `sidecar~10.0.${from.service}.${to}~pod-${from.service}.default`,
          'http.method': random() < 0.8 ? 'GET' : 'POST',
          'http.url': `http://svc-${to}.mesh.local:8080/api/${i}/item`,
          'http.protocol': 'HTTP/1.1',
          'http.status_code': failed ? '503' : '200',
          upstream_cluster: `outbound|8080||svc-${to}.mesh.local`,
          response_flags: failed ? 'UF' : '-',
          'guid:x-request-id': guid,
          response_size: String(Math.floor(random() * 4000)),
          ...(failed ? { error: 'true' } : {}),
        },
        ...(kind === 'SERVER' ? { shared: true } : {}),
      })
    spans.push({ service: from.service, json: half('CLIENT') }, { service: to, json: half('SERVER') })
    servers.push({ service: to, id })
  }
  return spans
}

function hex(random: () => number, length: number): string {
  let text = ''
  while (text.length < length)
    text += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  // The mark must not stand anywhere else.
  return text.slice(0, length).replaceAll('ee', 'e0')
}

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
