import { parseFormat } from '../format.ts'
import { nearest } from '../nearest.ts'
import type { Problems } from '../problems.ts'
import type { Place } from '../schema/message.ts'

/** What the parsers of the resources share. */
export interface ParseContext {
  problems: Problems
  /** Names of all clusters, for references. */
  clusters: ReadonlySet<string>
  readFile: (path: string) => Uint8Array
  environment: Readonly<Record<string, string | undefined>>
}

/** Notes a reference to a cluster that does not exist. */
export function checkCluster(name: string, place: Place, who: string, context: ParseContext): void {
  if (context.clusters.has(name)) return
  const near = nearest(name, context.clusters)
  const hint =
    near !== undefined
      ? ` (did you mean '${near}'?)`
      : `, the clusters are: ${[...context.clusters].join(', ') || 'none'}`
  context.problems.add('reference', place, `${who}: unknown cluster '${name}'${hint}`)
}

/** Notes what is wrong with a format string. */
export function checkFormat(format: string, place: Place, context: ParseContext): void {
  const parsed = parseFormat(format)
  if (!parsed.ok) context.problems.add(parsed.error.kind, place, parsed.error.message)
}
