import type { Annotation } from './span.ts'

/** By timestamp, then value in UTF-16 order; exact duplicates dropped. Returns the argument when it is in order already. */
export function sortAnnotations(annotations: Annotation[]): Annotation[] {
  let isOrdered = true
  for (let i = 1; i < annotations.length && isOrdered; i++) {
    isOrdered = compareAnnotations(annotations[i - 1]!, annotations[i]!) < 0
  }
  if (isOrdered) return annotations
  const sorted = annotations.toSorted(compareAnnotations)
  return sorted.filter((annotation, i) => i === 0 || compareAnnotations(sorted[i - 1]!, annotation) !== 0)
}

function compareAnnotations(a: Annotation, b: Annotation): number {
  return a.timestamp - b.timestamp || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0)
}
