import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import type { Problems } from '../problems.ts'
import type { SourceEntry, SourceNode, SourceScalar } from './node.ts'
import type { Offset } from './sources.ts'

// Loading the YAML library and its first parse cost about 40 ms of CPU: a JSON file never pays for it.
const require = createRequire(import.meta.url)

/** Reads YAML the way yaml-cpp and Envoy do; undefined when it is not YAML (then the problem is noted). */
export function readYaml(text: string, base: Offset, problems: Problems): SourceNode | undefined {
  const yaml = require('yaml') as typeof Yaml
  // Failsafe: every scalar comes as text, and `plainScalar` decides as Envoy does. The first document counts, as in Envoy.
  const options = { schema: 'failsafe', prettyErrors: false, uniqueKeys: false, logLevel: 'silent' } as const
  const [document] = yaml.parseAllDocuments(text, options) as Yaml.Document.Parsed[]
  if (document === undefined) return { kind: 'scalar', at: base, value: null }
  const [error] = document.errors
  if (error !== undefined) {
    // The first only: the others mostly follow from it.
    problems.add('syntax', { at: base + error.pos[0], path: '' }, `not valid YAML: ${error.message}`)
    return undefined
  }
  /** Nodes that are being read: an alias to one of them would not end. */
  const open = new Set<Yaml.Node>()
  const read = (node: Yaml.Node | null, fallback: Offset): SourceNode => {
    const at = node?.range ? base + node.range[0] : fallback
    if (yaml.isAlias(node)) {
      const target = node.resolve(document)
      if (target !== undefined && !open.has(target)) return read(target, at)
      const what = target === undefined ? 'is not defined' : 'contains itself'
      problems.add('syntax', { at, path: '' }, `not valid YAML: the referenced anchor ${what}: ${node.source}`)
      return { kind: 'scalar', at, value: null }
    }
    if (node !== null) open.add(node)
    const result = readOpen(node, at)
    if (node !== null) open.delete(node)
    return result
  }
  const readOpen = (node: Yaml.Node | null, at: Offset): SourceNode => {
    if (yaml.isMap(node)) {
      const entries = node.items.map((pair): SourceEntry => {
        const key = pair.key as Yaml.Node | null
        const keyAt = key?.range ? base + key.range[0] : at
        const value = read(pair.value as Yaml.Node | null, keyAt)
        return { key: yaml.isScalar(key) ? String(key.value) : '', at: keyAt, value }
      })
      return { kind: 'map', at, entries }
    }
    if (yaml.isSeq(node)) return { kind: 'list', at, items: node.items.map(item => read(item as Yaml.Node, at)) }
    if (yaml.isScalar(node)) {
      const text = String(node.value ?? '')
      return { kind: 'scalar', at, value: node.type === 'PLAIN' ? plainScalar(text) : text }
    }
    return { kind: 'scalar', at, value: null }
  }
  const before = problems.count
  const root = read(document.contents, base)
  return problems.count === before ? root : undefined
}

/**
 * What yaml-cpp and Envoy's `parseYamlNode` make of an unquoted scalar: `yes` and `on` are booleans, `0x1F` and `010` are
 * integers; an integer beyond 32 bits and a number with a point or exponent stay text, which number fields take as well.
 */
export function plainScalar(text: string): SourceScalar['value'] {
  if (/^(~|null|Null|NULL|)$/.test(text)) return null
  if (/^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return true
  if (/^(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return false
  const integer = readInteger(text)
  if (integer !== undefined) {
    return integer >= -(2n ** 31n) && integer < 2n ** 31n ? Number(integer) : String(integer)
  }
  return text
}

function readInteger(text: string): bigint | undefined {
  const [, sign, digits] = /^([-+]?)(0[xX][0-9a-fA-F]+|\d+)$/.exec(text) ?? []
  if (digits === undefined) return undefined
  if (/^0\d+$/.test(digits) && /[89]/.test(digits)) return undefined
  const value = BigInt(/^0\d+$/.test(digits) ? `0o${digits.slice(1)}` : digits)
  return sign === '-' ? -value : value
}
