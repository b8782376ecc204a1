import { normaliseSpan } from '../normalise-span.ts'
import type { Kind, Microseconds, Span } from '../span.ts'
import { pick, type Random, randomHex, randomInteger } from './random.ts'

export interface GenerateOptions {
  /** How many spans, at least; a call is finished that was begun. Default 20. */
  spans?: number
  /** How many different services. Default 8. */
  services?: number
  /** Both halves of a call share an id, as Envoy does by default. Default false. */
  shared?: boolean
  /** Start of the trace. Default 2024-01-01. */
  timestamp?: Microseconds
  /** Share of calls that fail. Default 0.02. */
  errorRate?: number
  /** 16 or 32. Default 16, as Envoy's. */
  traceIdLength?: 16 | 32
  /** Annotations as Envoy's `verbose` makes them. Default false. */
  verbose?: boolean
}

interface Work {
  service: string
  parentId: string | undefined
  start: Microseconds
  duration: Microseconds
}

const PATHS = ['/', '/orders', '/orders/42', '/price?sku=7', '/stock/7', '/users/me', '/api/v1/items']

/**
 * A trace as a mesh of Envoys makes it: each call a CLIENT span of the caller's sidecar and a SERVER span of the
 * callee's, with Envoy's names and tags, children within parents, a tree rather wide than deep. The same random numbers
 * give the same trace.
 */
export function generateTrace(options: GenerateOptions, random: Random): Span[] {
  const {
    spans: wanted = 20,
    services = 8,
    shared = false,
    timestamp = Date.UTC(2024, 0, 1) * 1000,
    errorRate = 0.02,
    traceIdLength = 16,
    verbose = false,
  } = options
  const traceId = randomHex(random, traceIdLength)
  const duration = 2_000 + randomInteger(random, 400_000) + wanted * 50
  const spans: Span[] = []
  const queue: Work[] = []
  const make = (
    kind: Kind,
    service: string,
    work: Work,
    id: string,
    path: string,
    isError: boolean,
    peer: string,
  ): Span =>
    normaliseSpan({
      traceId,
      id,
      parentId: work.parentId,
      kind,
      name: `${peer}:8080`,
      timestamp: work.start,
      duration: work.duration,
      localEndpoint: { serviceName: service, ipv4: `10.0.${service.length}.${1 + (Number(service.slice(8)) % 250)}` },
      annotations: annotationsOf(kind, work, verbose),
      tags: tagsOf(kind, service, path, isError, peer, random),
      shared: shared && kind === 'SERVER',
    })

  const rootId = randomHex(random, 16)
  const root: Work = { service: 'service-0', parentId: undefined, start: timestamp, duration }
  spans.push(make('SERVER', root.service, root, rootId, pick(random, PATHS), false, root.service))
  queue.push({ ...root, parentId: rootId })

  for (let i = 0; spans.length < wanted; i++) {
    // A service without further calls would end the trace early: the last one then calls on.
    const caller = queue[Math.min(i, queue.length - 1)]!
    const calls = 1 + randomInteger(random, 4)
    for (let call = 0; call < calls && spans.length < wanted; call++) {
      const next = 1 + randomInteger(random, services)
      const peer = `service-${`service-${next}` === caller.service ? next + 1 : next}`
      const start = caller.start + Math.floor(caller.duration * 0.8 * random())
      const client: Work = {
        service: peer,
        parentId: caller.parentId,
        start,
        duration: Math.max(Math.floor((caller.start + caller.duration - start) * (0.3 + 0.6 * random())), 4),
      }
      const path = pick(random, PATHS)
      const isError = random() < errorRate
      const clientId = randomHex(random, 16)
      const serverId = shared ? clientId : randomHex(random, 16)
      const wire = Math.max(Math.floor(client.duration * 0.1), 1)
      const server: Work = {
        service: peer,
        parentId: shared ? client.parentId : clientId,
        start: start + wire,
        duration: Math.max(client.duration - 2 * wire, 1),
      }
      spans.push(make('CLIENT', caller.service, client, clientId, path, isError, peer))
      spans.push(make('SERVER', peer, server, serverId, path, isError, peer))
      queue.push({ ...server, parentId: serverId })
    }
  }
  return spans
}

function annotationsOf(
  kind: Kind,
  { start, duration }: Work,
  verbose: boolean,
): { timestamp: number; value: string }[] {
  const end = start + duration
  const closing = { timestamp: end, value: kind === 'SERVER' ? 'ss' : 'cr' }
  if (!verbose) return [closing]
  const proxy = Math.min(100, duration >> 3)
  return [
    { timestamp: start, value: 'last_downstream_rx_byte_received' },
    { timestamp: start + proxy, value: 'first_upstream_tx_byte_sent' },
    { timestamp: start + proxy, value: 'last_upstream_tx_byte_sent' },
    { timestamp: end - proxy, value: 'first_upstream_rx_byte_received' },
    { timestamp: end - proxy, value: 'last_upstream_rx_byte_received' },
    { timestamp: end, value: 'first_downstream_tx_byte_sent' },
    { timestamp: end, value: 'last_downstream_tx_byte_sent' },
    closing,
  ]
}

function tagsOf(
  kind: Kind,
  service: string,
  path: string,
  isError: boolean,
  peer: string,
  random: Random,
): Record<string, string> {
  const cluster = kind === 'CLIENT' ? peer : `${service}-app`
  const id = randomHex(random, 32)
  const tags: Record<string, string> = Object.assign(Object.create(null), {
    component: 'proxy',
    downstream_cluster: '-',
    'guid:x-request-id': `${id.slice(0, 8)}-${id.slice(8, 12)}-4${id.slice(13, 16)}-9${id.slice(17, 20)}-${id.slice(20)}`,
    'http.method': 'GET',
    'http.protocol': 'HTTP/1.1',
    'http.status_code': isError ? '503' : '200',
    'http.url': `http://${peer}:8080${path}`,
    node_id: `${service}-sidecar`,
    'peer.address': '127.0.0.1',
    request_size: '0',
    response_flags: isError ? 'UF' : '-',
    response_size: String(randomInteger(random, 20_000)),
    upstream_cluster: cluster,
    'upstream_cluster.name': cluster,
    user_agent: 'hopscope-client',
  })
  if (isError) tags.error = 'true'
  return tags
}
