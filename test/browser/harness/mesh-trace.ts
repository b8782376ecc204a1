import type { Microseconds, Span } from '@hopscope/model'

/**
 * A shop as its sidecars report it, in Envoy's shape (verbose annotations, one id for both halves of a call): a stock
 * call that fails, a slow price behind, and a payment service that sends no spans.
 *
 *     edge → shop → stock (503) → db
 *                 → price
 *                 → payment, untraced
 */
export function shopTrace(traceId: string, start: Microseconds, path = '/cart?id=42'): Span[] {
  const spans: Span[] = []
  let id = 1
  const call = (
    parentId: string | undefined,
    caller: string,
    callee: string,
    from: number,
    to: number,
    options: { status?: string; isUntraced?: boolean; url?: string } = {},
  ): string => {
    const spanId = (id++).toString(16).padStart(16, '0')
    const status = options.status ?? '200'
    const half = (kind: 'CLIENT' | 'SERVER', a: number, b: number, service: string): Span => ({
      traceId,
      id: spanId,
      ...(parentId === undefined ? {} : { parentId }),
      kind,
      name: kind === 'CLIENT' ? `egress ${callee}` : `${callee}:8080`,
      timestamp: start + a * 1_000,
      duration: Math.max(1, Math.round((b - a) * 1_000)),
      localEndpoint: { serviceName: service, ipv4: `10.0.0.${service.length}`, port: 8080 },
      annotations: [
        { timestamp: Math.round(start + (a + 0.6) * 1_000), value: 'first_upstream_tx_byte_sent' },
        { timestamp: Math.round(start + (b - 0.8) * 1_000), value: 'last_upstream_rx_byte_received' },
      ],
      tags: {
        component: 'proxy',
        'http.method': 'GET',
        'http.url': `http://${callee}:8080${options.url ?? path}`,
        'http.status_code': status,
        response_flags: '-',
        'upstream_cluster.name': callee,
        'guid:x-request-id': `6f3c2a10-0000-4000-8000-${spanId.slice(4)}`,
        ...(status.startsWith('5') ? { error: 'true' } : {}),
      },
      ...(kind === 'SERVER' ? { shared: true as const } : {}),
    })
    spans.push(half('CLIENT', from, to, caller))
    if (!options.isUntraced) spans.push(half('SERVER', from + 2, to - 2, callee))
    return spanId
  }
  const shop = call(undefined, 'edge', 'shop', 0, 182)
  const stock = call(shop, 'shop', 'stock', 10, 74, { status: '503', url: '/stock/42' })
  call(stock, 'stock', 'db', 18, 62, { url: '/query' })
  call(shop, 'shop', 'price', 14, 122, { url: '/price?sku=42' })
  call(shop, 'shop', 'payment', 128, 172, { isUntraced: true, url: '/charge' })
  return spans
}
