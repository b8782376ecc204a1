import type { Ports } from './config.ts'
import type { Observation } from './observe.ts'

/**
 * Takes out what two runs cannot share: dates, ids, ports and durations; nothing else. Ids become `<id 1>`, `<id 2>` … in the
 * order of their first appearance, so that *which* ids are equal is still compared; ids that the client sent stay as they are.
 */
export function mask(observation: Observation, ports: Ports, sent: string): Observation {
  const spans = [...observation.spans].sort(byStart).map(maskSpan)
  const stats = maskStats(observation)
  const text = JSON.stringify({ ...observation, spans, stats }, (key, value) =>
    key === 'head' ? value.map(maskLine) : value,
  )
  return JSON.parse(maskIds(maskPorts(maskDeadlines(maskVersions(text)), ports), sent))
}

function byStart(a: Record<string, unknown>, b: Record<string, unknown>): number {
  const difference = Number(a.timestamp) - Number(b.timestamp)
  if (difference !== 0) return difference
  return String(b.kind).localeCompare(String(a.kind)) || String(a.name).localeCompare(String(b.name))
}

function maskSpan(span: Record<string, unknown>): Record<string, unknown> {
  const copy: Record<string, unknown> = { ...span }
  if (typeof copy.timestamp === 'number') copy.timestamp = '<time>'
  if (typeof copy.duration === 'number') copy.duration = '<duration>'
  if (Array.isArray(copy.annotations)) {
    copy.annotations = copy.annotations.map(annotation => ({ ...annotation, timestamp: '<time>' }))
  }
  return copy
}

function maskLine(line: string): string {
  return line
    .replace(/^(date): .*$/i, '$1: <date>')
    .replace(/^(x-envoy-upstream-service-time): \d+$/i, '$1: <duration>')
    .replace(/^(x-ratelimit-reset|retry-after): \d{3,}$/i, '$1: <duration>')
}

/**
 * Counters of timer ticks go, and how many reports brought the spans, which is a matter of when they were ready; in the counter of
 * bytes to clients a service time is counted as one digit, however long it took.
 */
function maskStats(observation: Observation): Record<string, number> {
  const {
    'tracing.zipkin.timer_flushed': _zipkin,
    'tracing.opentelemetry.timer_flushed': _opentelemetry,
    'tracing.zipkin.reports_sent': _reports,
    ...stats
  } = observation.stats
  const digits = observation.answers
    .flat()
    .flatMap(answer => answer.head)
    .map(line => /^x-envoy-upstream-service-time: (\d+)$/i.exec(line)?.[1]?.length ?? 1)
    .reduce((sum, length) => sum + length - 1, 0)
  for (const name of Object.keys(stats)) {
    if (name.endsWith('.downstream_cx_tx_bytes_total')) stats[name] = stats[name]! - digits
  }
  return stats
}

/** On a retry the deadline header says what is left of the route's timeout, a duration (perhaps all of it): whole seconds are compared. */
function maskDeadlines(text: string): string {
  return text.replace(/(x-envoy-expected-rq-timeout-ms: )(\d+)/g, (whole, name, value) =>
    Number(value) > 1000 ? `${name}<up to ${Math.ceil(Number(value) / 1000)} s>` : whole,
  )
}

/** Which build of which program it is. */
function maskVersions(text: string): string {
  return text
    .replace(/(telemetry\.sdk\.version":")[^"]*/g, '$1<version>')
    .replace(/("scope":"envoy )[^"]*/g, '$1<version>')
    .replace(/(user-agent: OTel-OTLP-Exporter-Envoy\/)[^"]*/g, '$1<version>')
}

function maskPorts(text: string, ports: Ports): string {
  const names: [number, string][] = [
    [ports.listener, '<listener>'],
    [ports.admin, '<admin>'],
    [ports.collector, '<collector>'],
    [ports.grpcCollector ?? 0, '<grpc collector>'],
    [ports.dead, '<dead>'],
    ...Object.entries(ports.upstream).map(([name, port]): [number, string] => [port, `<upstream ${name}>`]),
  ]
  let masked = text
  for (const [port, name] of names)
    masked = masked.replace(new RegExp(`\\b(127\\.0\\.0\\.1[:_])${port}\\b`, 'g'), `$1${name}`)
  for (const [port, name] of names)
    masked = masked.replace(new RegExp(`(port_value\\\\?": ?)${port}\\b`, 'g'), `$1${name}`)
  for (const [name, path] of Object.entries(ports.sockets ?? {})) masked = masked.replaceAll(path, `<socket ${name}>`)
  // Ports of the client's and the proxy's own connections.
  return masked.replace(/\b((?:\d{1,3}\.){3}\d{1,3}):\d{4,5}\b/g, '$1:<ephemeral>')
}

function maskIds(text: string, sent: string): string {
  const uuids = new Map<string, number>()
  const ids = new Map<string, number>()
  const nameOf = (map: Map<string, number>, key: string) => {
    if (!map.has(key)) map.set(key, map.size + 1)
    return map.get(key)
  }
  return text
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, (uuid, nibble) =>
      sent.includes(uuid) ? uuid : `<uuid ${nameOf(uuids, uuid)}, version ${nibble}>`,
    )
    .replace(/\b(?:[0-9a-f]{16}){1,2}\b/g, hex => {
      if (sent.includes(hex)) return hex
      const parts = hex.length === 32 ? [hex.slice(0, 16), hex.slice(16)] : [hex]
      return parts.map(part => (/^0+$/.test(part) || sent.includes(part) ? part : `<id ${nameOf(ids, part)}>`)).join('')
    })
}
