import type { Span } from './span.ts'

/**
 * The service on the other end of a call, as well as the span knows it: its remote service, else the name of the cluster
 * that Envoy sent it to (Envoy's spans have no remote endpoint), else the host of `http.url` without its port.
 */
export function peerOf(span: Span): string | undefined {
  const { remoteEndpoint, tags } = span
  if (remoteEndpoint?.serviceName !== undefined) return remoteEndpoint.serviceName
  const cluster = tags?.['upstream_cluster.name']
  if (cluster) return cluster
  const url = tags?.['http.url']
  return (
    (url && /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]+)/i.exec(url)?.[1]?.toLowerCase()) || undefined
  )
}
