import { parseFormat } from '../format.ts'
import { nearest } from '../nearest.ts'
import type { Problems } from '../problems.ts'
import type { Message, Place } from '../schema/message.ts'

/** What the parsers of the resources share. */
export interface ParseContext {
  problems: Problems
  /** Names of all clusters, for references. */
  clusters: ReadonlySet<string>
  /** Those that speak HTTP/2. */
  http2Clusters: ReadonlySet<string>
  /** The bootstrap's, for clusters that name none. */
  dnsResolver?: Message | undefined
  readFile: (path: string) => Uint8Array
  environment: Readonly<Record<string, string | undefined>>
}

/** Notes a reference to a cluster that does not exist, or is not spoken to in the way that the reference means. */
export function checkCluster(
  name: string,
  place: Place,
  who: string,
  context: ParseContext,
  protocol: 'http1' | 'http2' | 'any' = 'http1',
): void {
  if (context.clusters.has(name)) {
    if (protocol !== 'any') checkProtocol(name, place, who, context, protocol)
    return
  }
  const near = nearest(name, context.clusters)
  const hint =
    near !== undefined
      ? ` (did you mean '${near}'?)`
      : `, the clusters are: ${[...context.clusters].join(', ') || 'none'}`
  context.problems.add('reference', place, `${who}: unknown cluster '${name}'${hint}`)
}

function checkProtocol(
  name: string,
  place: Place,
  who: string,
  { http2Clusters, problems }: ParseContext,
  protocol: 'http1' | 'http2',
): void {
  const isHttp2 = http2Clusters.has(name)
  if (isHttp2 === (protocol === 'http2')) return
  const what = isHttp2
    ? `the cluster '${name}' speaks HTTP/2: Hopscope has that only for reports of spans over gRPC so far`
    : `the cluster '${name}' speaks HTTP/1: Hopscope makes gRPC calls only over HTTP/2 (http2_protocol_options)`
  problems.add('unsupported', place, `${who}: ${what}`)
}

/** Notes what is wrong with a format string. */
export function checkFormat(format: string, place: Place, context: ParseContext): void {
  const parsed = parseFormat(format)
  if (!parsed.ok) context.problems.add(parsed.error.kind, place, parsed.error.message)
}
