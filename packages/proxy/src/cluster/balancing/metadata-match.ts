import type { Labels } from '@hopscope/envoy-config'

/** What a request asks of its host: labels of a route's `metadata_match`. */
export class MetadataMatch {
  readonly labels: Labels
  /** As of a host that has these labels and no others: `keyOf`. */
  readonly key: string

  constructor(labels: Labels) {
    this.labels = labels
    this.key = keyOf(Object.entries(labels))
  }

  /** Those of other names are not asked for. */
  only(names: readonly string[]): MetadataMatch {
    return new MetadataMatch(Object.fromEntries(Object.entries(this.labels).filter(([name]) => names.includes(name))))
  }

  /** Others have the word where both have one. */
  with(labels: Labels): MetadataMatch {
    return new MetadataMatch({ ...this.labels, ...labels })
  }
}

/** Labels as a text, the same for the same labels in any order: a line each. */
export function keyOf(labels: readonly (readonly [string, unknown])[]): string {
  return labels
    .map(([name, value]) => `${JSON.stringify(name)}=${textOf(value)}`)
    .sort()
    .join('\n')
}

/** Equal for equal values: 1 and "1" are not. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

/** It has all of these; a label that is a list has each of its items, with `listAsAny`. */
export function hasLabels(host: { labels: Labels }, wanted: Labels, listAsAny: boolean): boolean {
  return Object.entries(wanted).every(([name, value]) => {
    if (!Object.hasOwn(host.labels, name)) return false
    const text = textOf(value)
    return valuesOf(host.labels[name], listAsAny).some(one => textOf(one) === text)
  })
}

export function valuesOf(label: unknown, listAsAny: boolean): readonly unknown[] {
  return listAsAny && Array.isArray(label) ? label : [label]
}
