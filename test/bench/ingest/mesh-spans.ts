export const SERVICES = 20
const NAMES_PER_SERVICE = 15
/** Ends each id: it is replaced, so that every sending brings new traces. */
const EPOCH_MARK = 'eeeeeeee'

/** A span of Zipkin's, and the service that reports it. */
export interface MeshSpan {
  service: number
  json: {
    traceId: string
    parentId?: string
    id: string
    kind: 'CLIENT' | 'SERVER'
    name: string
    /** µs */
    timestamp: number
    duration: number
    localEndpoint: { serviceName: string; ipv4: string; port: number }
    tags: Record<string, string>
    shared?: true
  }
}

/**
 * 8 to 40 spans: calls down from an edge, each with its client's and its server's half. 20 services, 300 span names, ten tags a
 * span, one of them unique to its trace.
 */
export function meshTrace(random: () => number, number: number, startMs: number): MeshSpan[] {
  const traceId = `${hex(random, 8)}${(number >>> 0).toString(16).padStart(8, '0')}${hex(random, 8)}${EPOCH_MARK}`
  const guid = `${hex(random, 8)}-${hex(random, 4)}-${hex(random, 4)}-${hex(random, 4)}-${hex(random, 4)}${EPOCH_MARK}`
  const calls = 4 + Math.floor(random() * 17)
  const spans: MeshSpan[] = []
  const servers = [{ service: 0, id: '' }]
  for (let i = 0; i < calls; i++) {
    const from = servers[Math.floor(random() * servers.length)]!
    const to = 1 + Math.floor(random() * (SERVICES - 1))
    const id = `${hex(random, 8)}${EPOCH_MARK}`
    const start = startMs * 1000 + i * 700 + Math.floor(random() * 500)
    const duration = 500 + Math.floor(random() * 50_000)
    const failed = random() < 0.03
    const name = `svc-${to}.mesh.local:8080/api/${Math.floor(random() * NAMES_PER_SERVICE)}/*`
    const half = (kind: 'CLIENT' | 'SERVER'): MeshSpan['json'] => ({
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
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
