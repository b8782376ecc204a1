import type { Offset } from './sources.ts'

/** What YAML and JSON say before anyone asks what it means, each value with its place. */
export type SourceNode = SourceMap | SourceList | SourceScalar

export interface SourceMap {
  kind: 'map'
  at: Offset
  entries: readonly SourceEntry[]
}
export interface SourceEntry {
  key: string
  /** Of the key. */
  at: Offset
  value: SourceNode
}
export interface SourceList {
  kind: 'list'
  at: Offset
  items: readonly SourceNode[]
}
export interface SourceScalar {
  kind: 'scalar'
  at: Offset
  value: string | number | boolean | null
}

/** The node as plain JavaScript. */
export function toPlain(node: SourceNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(toPlain)
  return Object.fromEntries(node.entries.map(entry => [entry.key, toPlain(entry.value)]))
}

/** What a value is, for a message: `the text 'abc'`. */
export function describe(node: SourceNode): string {
  if (node.kind === 'map') return 'a map'
  if (node.kind === 'list') return 'a list'
  if (typeof node.value === 'string')
    return `the text '${node.value.length > 60 ? `${node.value.slice(0, 60)}…` : node.value}'`
  if (node.value === null) return 'nothing'
  return `the ${typeof node.value} ${node.value}`
}
