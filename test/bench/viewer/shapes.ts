import type { Span } from '@hopscope/model'
import { generateTrace, seededRandom } from '@hopscope/model/testing'

export type Shape = 'mesh' | 'chain' | 'fan'

/** A trace of so many spans: a mesh as Envoys report it, each span below the one before, or all below the first. */
export function traceOfShape(shape: Shape, count: number): Span[] {
  if (shape === 'mesh') return generateTrace({ spans: count, services: 24, shared: true }, seededRandom(count))
  const id = (n: number) => n.toString(16).padStart(16, '0')
  const timestamp = Date.UTC(2024, 0, 1) * 1_000
  return Array.from({ length: count }, (_, i) => ({
    traceId: shape === 'chain' ? 'c000000000000001' : 'f000000000000001',
    id: id(i + 1),
    ...(i > 0 && { parentId: shape === 'chain' ? id(i) : id(1) }),
    kind: i === 0 ? 'SERVER' : 'CLIENT',
    name: `call ${i}`,
    timestamp: timestamp + i,
    duration: 2 * count - i,
    localEndpoint: { serviceName: `service-${i % 24}`, ipv4: '10.0.0.1' },
    tags: { component: 'proxy', 'http.status_code': i % 50 === 0 ? '503' : '200' },
  }))
}
